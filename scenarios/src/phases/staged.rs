//! A plot without its type: what plays a run is compiled once, and not once for each plot.

use std::pin::Pin;
use std::time::Duration;

use model::Law;
use model::fault::Family;
use sim::{Point, PointFault};

use super::{Plot, Scale};
use crate::stack::Stack;

/// A part of a run, under way.
type Part<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Any [`Plot`]; each method is that of the same name.
#[expect(missing_docs, reason = "each is documented where it is named: at `Plot`")]
pub trait Staged: Sync {
    fn recovery(&self) -> Duration;
    fn families(&self) -> &'static [Family];
    fn scale(&self) -> Scale;
    fn may_strike(&self, point: &Point, fault: PointFault) -> bool;
    fn laws(&self) -> &'static [Law];
    fn leaves_out(&self) -> &'static [Law];
    fn times_recovery(&self) -> bool;
    fn beside(&self) -> &'static [&'static str];
    fn open<'a>(&'a self, stack: &'a Stack) -> Part<'a>;
    fn trouble<'a>(&'a self, stack: &'a Stack, end: Duration) -> Part<'a>;
    fn heal<'a>(&'a self, stack: &'a Stack) -> Part<'a>;
    fn leave<'a>(&'a self, stack: &'a Stack) -> Part<'a>;
}

impl<P: Plot + Sync> Staged for P {
    fn recovery(&self) -> Duration {
        Plot::recovery(self)
    }

    fn families(&self) -> &'static [Family] {
        Plot::families(self)
    }

    fn scale(&self) -> Scale {
        Plot::scale(self)
    }

    fn may_strike(&self, point: &Point, fault: PointFault) -> bool {
        Plot::may_strike(self, point, fault)
    }

    fn laws(&self) -> &'static [Law] {
        Plot::laws(self)
    }

    fn leaves_out(&self) -> &'static [Law] {
        Plot::leaves_out(self)
    }

    fn times_recovery(&self) -> bool {
        Plot::times_recovery(self)
    }

    fn beside(&self) -> &'static [&'static str] {
        Plot::beside(self)
    }

    fn open<'a>(&'a self, stack: &'a Stack) -> Part<'a> {
        Box::pin(Plot::open(self, stack))
    }

    fn trouble<'a>(&'a self, stack: &'a Stack, end: Duration) -> Part<'a> {
        Box::pin(Plot::trouble(self, stack, end))
    }

    fn heal<'a>(&'a self, stack: &'a Stack) -> Part<'a> {
        Box::pin(Plot::heal(self, stack))
    }

    fn leave<'a>(&'a self, stack: &'a Stack) -> Part<'a> {
        Box::pin(Plot::leave(self, stack))
    }
}
