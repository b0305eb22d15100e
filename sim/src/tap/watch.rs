//! The taps of a world, and what reads one tapped connection.

use crate::net::ConnKey;
use crate::net::conn::Side;
use crate::net::cut::Cut;
use crate::tap::grammar::{Grammar, Span, Spans};
use crate::tap::place::{Place, Which};
use crate::tap::plan::{At, Plan, PlanId, Standing, Target, Unmet};
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

    pub(crate) fn cut(&self, id: PlanId) -> Cut {
        self.plans[id.0].cut
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
        let may_fall = match plan.standing {
            Standing::Waits | Standing::Due => true,
            Standing::Fell | Standing::TakenBack => false,
        };
        if fits && may_fall {
            watch.lay(id, plan);
        }
    }
}

/// A plan on one direction of one connection.
struct Laid {
    id: PlanId,
    place: Place,
    /// Where its byte lies, among those that are being read.
    met: Option<u64>,
}

/// What reads one direction.
struct Listener {
    grammar: Box<dyn Grammar>,
    laid: Vec<Laid>,
    /// Plans whose byte was sent, and where it lies.
    due: Vec<(u64, PlanId)>,
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
            Listener { grammar, laid: Vec::new(), due: Vec::new(), is_lost: false }
        });
        Self { ways }
    }

    /// Lays a plan on this connection.
    pub(crate) fn lay(&mut self, id: PlanId, plan: &mut Plan) {
        if let At::Place(place) = plan.at {
            plan.laid += 1;
            self.ways[plan.speaker as usize].laid.push(Laid { id, place, met: None });
        }
    }

    /// Reads what a side has sent, of which the first byte lies at `at`. `true`: the bytes of plans are among it.
    pub(crate) fn feed(&mut self, taps: &mut Taps, key: ConnKey, side: Side, at: u64, bytes: &[u8]) -> bool {
        let Listener { grammar, laid, due, is_lost } = &mut self.ways[side as usize];
        if *is_lost {
            return false;
        }
        let mut meet = |span: Span| {
            for each in laid.iter_mut().filter(|each| taps.standing(each.id) == Standing::Waits) {
                each.met = each.met.into_iter().chain(meets(each.place, span)).min();
            }
        };
        let mut spans = Spans::new(&mut meet);
        grammar.feed(at, bytes, &mut spans);
        if let Some(lost) = spans.lost() {
            *is_lost = true;
            for each in &*laid {
                taps.get(each.id).lost.get_or_insert(lost);
            }
        }
        let before = due.len();
        laid.retain(|each| {
            let Some(at) = each.met else { return true };
            due.push((at, each.id));
            let plan = taps.get(each.id);
            (plan.standing, plan.due_on) = (Standing::Due, Some(key));
            false
        });
        due.len() > before
    }

    /// The first byte of what a side says before which a plan cuts, and how.
    pub(crate) fn next(&self, taps: &Taps, side: Side) -> Option<(u64, Cut)> {
        let (at, id) = self.ways[side as usize].due.iter().min()?;
        Some((*at, taps.cut(*id)))
    }

    /// A cut falls at that byte of what a side says: by a plan?
    pub(crate) fn fell(&mut self, side: Side, at: u64) -> Option<PlanId> {
        let due = &mut self.ways[side as usize].due;
        let first = due.iter().copied().min().filter(|(offset, _)| *offset == at)?;
        due.retain(|each| *each != first);
        Some(first.1)
    }

    /// Nothing falls on the connection any more: plans whose byte was sent wait for another one.
    pub(crate) fn release(&mut self, taps: &mut Taps) {
        for (_, id) in self.ways.iter_mut().flat_map(|way| way.due.drain(..)) {
            let plan = taps.get(id);
            if plan.standing == Standing::Due {
                plan.standing = Standing::Waits;
            }
        }
    }

    /// Forgets a plan. `true`: its byte was sent.
    pub(crate) fn forget(&mut self, id: PlanId, side: Side) -> bool {
        let way = &mut self.ways[side as usize];
        way.laid.retain(|each| each.id != id);
        let before = way.due.len();
        way.due.retain(|(_, due)| *due != id);
        way.due.len() < before
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
