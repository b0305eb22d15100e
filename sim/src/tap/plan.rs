//! Plans: a cut that waits for its place.

use std::fmt;
use std::rc::Rc;

use crate::core::Core;
use crate::net::ConnKey;
use crate::net::conn::Side;
use crate::net::cut::{Connection, Cut};
use crate::tap::grammar::Lost;
use crate::tap::place::Place;
use crate::tap::{Tap, Wire};
use crate::world::World;

/// A plan's number in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PlanId(pub(crate) usize);

/// How far a plan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was sent that has its place.
    Waits,
    /// The byte was sent, and is under way.
    Due,
    /// The cut fell there.
    Fell,
    /// It was taken back before.
    TakenBack,
}

/// Before what a cut is to fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// A byte of the protocol.
    Place(Place),
    /// A byte of the direction, from zero: [`World::cut_at`].
    Byte(u64),
}

impl fmt::Display for At {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(out),
            Self::Byte(byte) => write!(out, "before byte {byte}"),
        }
    }
}

/// Which connections a plan is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Wire(Wire),
    One(ConnKey, String),
}

/// A plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) speaker: Side,
    pub(crate) at: At,
    pub(crate) cut: Cut,
    pub(crate) standing: Standing,
    /// On how many connections it was laid.
    pub(crate) laid: u32,
    /// One of them was no longer understood.
    pub(crate) lost: Option<Lost>,
    /// On which of them the byte was sent.
    pub(crate) due_on: Option<ConnKey>,
}

impl Plan {
    pub(crate) const fn new(target: Target, speaker: Side, at: At, cut: Cut) -> Self {
        Self { target, speaker, at, cut, standing: Standing::Waits, laid: 0, lost: None, due_on: None }
    }

    /// What it says, if its cut has not fallen and it was not taken back.
    pub(crate) fn unmet(&self) -> Option<Unmet> {
        match self.standing {
            Standing::Fell | Standing::TakenBack => return None,
            Standing::Waits | Standing::Due => {}
        }
        let wire = match &self.target {
            Target::Wire(wire) => wire.to_string(),
            Target::One(_, label) => label.clone(),
        };
        let Self { speaker, at, cut, standing, laid, lost, .. } = *self;
        Some(Unmet { wire, speaker, at, cut, standing, laid, lost })
    }
}

/// A plan whose cut has not fallen, or a [`World::cut_at`] whose byte did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The connections it is about.
    pub wire: String,
    /// Who says what it waits for.
    pub speaker: Side,
    /// Before what it would have fallen.
    pub at: At,
    /// How it would have been cut.
    pub cut: Cut,
    /// [`Standing::Waits`] or [`Standing::Due`].
    pub standing: Standing,
    /// Tapped connections that it was about; with none of them, there was nothing that it could have met.
    pub laid: u32,
    /// Where its tap stopped to read, if one did.
    pub lost: Option<Lost>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wire, speaker, at, cut, standing, laid, lost } = self;
        write!(out, "{cut:?} of {wire} {at} of what {speaker:?} says: ")?;
        match (standing, laid, lost) {
            (Standing::Due, ..) => out.write_str("the byte was sent and did not arrive"),
            (_, 0, _) => out.write_str("there was no tapped connection"),
            (_, _, Some(lost)) => write!(out, "the tap stopped at byte {}: {}", lost.at, lost.why),
            (_, _, None) => out.write_str("it did not come"),
        }
    }
}

impl World {
    /// Taps connections of a kind that are opened from here on. On one that several taps are about, the first is laid.
    /// It changes nothing of the run.
    pub fn tap(&self, wire: Wire, tap: Tap) {
        self.core.net(|net| net.lay_tap(wire, tap));
    }

    /// Plans a cut on tapped connections of a kind, those that are open and those to come: the first on which what
    /// `speaker` says comes to the place is cut there. A plan that meets nothing is reported.
    pub fn plan_cut(&self, wire: Wire, speaker: Side, place: Place, cut: Cut) -> Planned {
        self.core.fault(|| format!("{cut:?} is planned on {wire} {place} of what {speaker:?} says"));
        let id = self.core.net(|net| net.plan_cut(wire, speaker, place, cut));
        Planned { core: Rc::clone(&self.core), id }
    }

    /// Plans a cut on one connection. `None`: it is not tapped, or gone.
    pub fn cut_in(&self, connection: &Connection, speaker: Side, place: Place, cut: Cut) -> Option<Planned> {
        let id = self.core.net(|net| net.cut_in(connection.key, speaker, place, cut))?;
        self.core.fault(|| {
            let Connection { from, to, port, ordinal, .. } = connection;
            format!("{cut:?} is planned on {from}→{to}:{port}#{ordinal} {place} of what {speaker:?} says")
        });
        Some(Planned { core: Rc::clone(&self.core), id })
    }

    /// Planned cuts that have not fallen so far.
    #[must_use]
    pub fn unmet(&self) -> Vec<Unmet> {
        self.core.net.borrow().unmet()
    }
}

/// A plan, as a script holds it. Dropping it leaves the plan as it is.
#[derive(Clone)]
pub struct Planned {
    pub(crate) core: Rc<Core>,
    pub(crate) id: PlanId,
}

impl Planned {
    /// How far it has come.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.core.net.borrow().taps.standing(self.id)
    }

    /// Whether the cut has fallen.
    #[must_use]
    pub fn has_fallen(&self) -> bool {
        self.standing() == Standing::Fell
    }

    /// Takes it back. `false`: the cut has fallen.
    pub fn take_back(&self) -> bool {
        self.core.net(|net| net.take_back(&self.core, self.id))
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Planned({:?})", self.standing())
    }
}
