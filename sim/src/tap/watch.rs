//! The taps of a world, and what reads one tapped connection.

use crate::net::ConnKey;
use crate::net::conn::Side;
use crate::net::cut::Cut;
use crate::tap::grammar::{Grammar, Span, Spans};
use crate::tap::place::{Place, Which};
use crate::tap::plan::{Plan, PlanId, Standing, Target, Unmet};
use crate::tap::{Tap, Wire};

/// All taps and plans of a world.
pub(crate) struct Taps {
    taps: Vec<(Wire, Tap)>,
    plans: Vec<Plan>,
}

/// A connection that is opened, as far as a [`Wire`] tells it from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) port: u16,
    pub(crate) ordinal: u32,
}

impl Ends<'_> {
    fn are(&self, wire: &Wire) -> bool {
        wire.is(self.from, self.to, self.port, self.ordinal)
    }
}

impl Taps {
    pub(crate) const fn new() -> Self {
        Self { taps: Vec::new(), plans: Vec::new() }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    pub(crate) fn lay(&mut self, wire: Wire, tap: Tap) {
        self.taps.push((wire, tap));
    }

    pub(crate) fn plan(&mut self, plan: Plan) -> PlanId {
        self.plans.push(plan);
        PlanId(self.plans.len() - 1)
    }

    pub(crate) fn get(&mut self, id: PlanId) -> &mut Plan {
        &mut self.plans[id.0]
    }

    pub(crate) fn standing(&self, id: PlanId) -> Standing {
        self.plans[id.0].standing
    }

    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        self.plans.iter().filter_map(Plan::unmet).collect()
    }

    /// What reads a connection that is opened, if a tap is laid on it: the first one that fits.
    pub(crate) fn watch(&mut self, ends: Ends<'_>) -> Option<Box<Watch>> {
        let (_, tap) = self.taps.iter().find(|(wire, _)| ends.are(wire))?;
        let mut watch = Box::new(Watch::new(tap));
        for id in (0..self.plans.len()).map(PlanId) {
            self.lay_plan(id, ends, &mut watch);
        }
        Some(watch)
    }

    /// Lays a plan that is about connections of a kind on one of them.
    pub(crate) fn lay_plan(&mut self, id: PlanId, ends: Ends<'_>, watch: &mut Watch) {
        let plan = &mut self.plans[id.0];
        let fits = match &plan.target {
            Target::Wire(wire) => ends.are(wire),
            Target::One(..) => false,
        };
        if fits && plan.standing == Standing::Waits {
            watch.lay(id, plan);
        }
    }
}

/// A plan on one direction of one connection.
struct Laid {
    id: PlanId,
    place: Place,
}

/// What reads one direction.
struct Listener {
    grammar: Box<dyn Grammar>,
    laid: Vec<Laid>,
    /// The plan whose byte is under way.
    due: Option<(PlanId, u64)>,
    is_lost: bool,
}

/// What reads one connection.
pub(crate) struct Watch {
    ways: [Listener; 2],
}

impl Watch {
    fn new(tap: &Tap) -> Self {
        let ways = tap.grammars().map(|mut grammar| {
            grammar.begin();
            Listener { grammar, laid: Vec::new(), due: None, is_lost: false }
        });
        Self { ways }
    }

    /// Lays a plan on this connection.
    pub(crate) fn lay(&mut self, id: PlanId, plan: &mut Plan) {
        plan.laid += 1;
        self.ways[plan.speaker as usize].laid.push(Laid { id, place: plan.place });
    }

    /// Reads what a side has sent, of which the first byte lies at `at`; answers with where to cut, if a plan's byte is
    /// among it.
    pub(crate) fn feed(
        &mut self,
        taps: &mut Taps,
        key: ConnKey,
        side: Side,
        at: u64,
        bytes: &[u8],
    ) -> Option<(u64, Cut)> {
        let way = &mut self.ways[side as usize];
        if way.is_lost {
            return None;
        }
        let mut first: Option<(u64, PlanId)> = None;
        let (grammar, laid) = (&mut way.grammar, &way.laid);
        let mut meet = |span: Span| {
            let met = laid.iter().filter(|each| taps.standing(each.id) == Standing::Waits);
            first = met.filter_map(|each| Some((meets(each.place, span)?, each.id))).chain(first).min();
        };
        let mut spans = Spans::new(&mut meet);
        grammar.feed(at, bytes, &mut spans);
        let lost = spans.lost();
        if let Some(lost) = lost {
            way.is_lost = true;
            for each in &way.laid {
                taps.get(each.id).lost.get_or_insert(lost);
            }
        }
        let (offset, id) = first?;
        way.laid.retain(|each| each.id != id);
        way.due.get_or_insert((id, offset));
        let plan = taps.get(id);
        plan.standing = Standing::Due;
        plan.due_on = Some(key);
        Some((offset, plan.cut))
    }

    /// A cut falls at that byte of what a side says: by a plan?
    pub(crate) fn fell(&mut self, taps: &mut Taps, side: Side, at: u64) -> Option<Place> {
        let (id, _) = self.ways[side as usize].due.take_if(|(_, offset)| *offset == at)?;
        let plan = taps.get(id);
        plan.standing = Standing::Fell;
        Some(plan.place)
    }

    /// The connection is gone: plans whose byte was under way wait for another one.
    pub(crate) fn release(&mut self, taps: &mut Taps) {
        for (id, _) in self.ways.iter_mut().filter_map(|way| way.due.take()) {
            let plan = taps.get(id);
            if plan.standing == Standing::Due {
                plan.standing = Standing::Waits;
            }
        }
    }

    /// Forgets a plan; answers with the byte at which it would have cut, if that is under way.
    pub(crate) fn forget(&mut self, id: PlanId, side: Side) -> Option<u64> {
        let way = &mut self.ways[side as usize];
        way.laid.retain(|each| each.id != id);
        way.due.take_if(|(due, _)| *due == id).map(|(_, offset)| offset)
    }
}

/// Where a place's byte lies, if it is in this span.
fn meets(place: Place, span: Span) -> Option<u64> {
    let is_it = match place.which {
        Which::The(number) => number == span.unit,
        Which::Next => true,
    };
    let is_here =
        place.part == span.part && is_it && (span.first..span.first + span.len).contains(&place.byte);
    is_here.then(|| span.at + (place.byte - span.first))
}
