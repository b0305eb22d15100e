//! The evidence of a run while it is being gathered: what clients said and heard, what was told, which faults were on.
//!
//! One clock stamps all of it: the world's own, which no inhabitant can read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use model::evidence::{Evidence, Place, Told};
use model::fault::{Active, Family};
use model::history::{ClientId, Kind, OpId, Outcome};
use parking_lot::Mutex;
use protocol::time::Mono;
use protocol::view::{ControlView, Fact, Witness};
use sim::Ratio;

use crate::world::World;

pub use seen::{Awaited, Setting, Touching};

mod seen;
mod suffering;

/// How often a family is not left out by a run that draws it: half of the runs have each, and a quarter any two.
const SWARM: Ratio = Ratio::new(1, 2);

/// Gathers evidence. Clones write to the same.
#[derive(Clone)]
pub struct Ledger {
    world: World,
    evidence: Rc<RefCell<Evidence>>,
    told: Arc<Mutex<Vec<Told>>>,
    commits: Arc<AtomicU64>,
    swarm: bool,
    /// What was drawn of families so far.
    allowed: Rc<RefCell<BTreeMap<Family, bool>>>,
    /// Who said of a strike that they suffered from it.
    felt: Rc<RefCell<BTreeMap<usize, u64>>>,
}

impl Ledger {
    /// An empty one.
    #[must_use]
    pub fn new(world: impl Into<World>) -> Self {
        Self {
            world: world.into(),
            evidence: Rc::default(),
            told: Arc::default(),
            commits: Arc::default(),
            swarm: false,
            allowed: Rc::default(),
            felt: Rc::default(),
        }
    }

    /// An empty one of a run that leaves fault families out.
    #[must_use]
    pub fn swarm(world: impl Into<World>) -> Self {
        Self { swarm: true, ..Self::new(world) }
    }

    /// Whether a family may strike in this run. All may that its world offers, unless the run leaves some out: then half
    /// of them, each by the first decision of a stream of its own, so that the others stay as they are when one is added.
    #[must_use]
    pub fn allows(&self, family: Family) -> bool {
        let offered = self.world.kind().offers(family).is_ok();
        offered && (!self.swarm || self.draws(family))
    }

    fn draws(&self, family: Family) -> bool {
        *self.allowed.borrow_mut().entry(family).or_insert_with(|| self.draw(family))
    }

    fn draw(&self, family: Family) -> bool {
        self.world.stream(&format!("swarm/{}", family.name())).chance(SWARM)
    }

    /// Which of these families may strike, if the run leaves some out.
    #[must_use]
    pub fn drawn(&self, families: &[Family]) -> Option<Vec<&'static str>> {
        let allowed = families.iter().filter(|family| self.allows(**family));
        self.swarm.then(|| allowed.map(|family| family.name()).collect())
    }

    /// Its world.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// The world's clock.
    #[must_use]
    pub fn now(&self) -> Mono {
        mono(self.world.elapsed())
    }

    /// A client asks.
    pub fn invoke(&self, client: ClientId, key: &str, kind: Kind, bound: Duration) -> OpId {
        self.evidence.borrow_mut().history.invoke(client, key, kind, self.now(), bound)
    }

    /// It was answered, or gave up.
    pub fn end(&self, op: OpId, outcome: Outcome) {
        self.evidence.borrow_mut().history.end(op, self.now(), outcome);
    }

    /// Whoever asks below these keys and is not answered yet may be from here on, within this.
    pub fn extend(&self, begin: &str, bound: Duration) {
        self.evidence.borrow_mut().history.extend(begin, bound);
    }

    /// A fault strikes; it is on until [`Self::repaired`].
    pub fn struck(&self, family: Family) -> Strike {
        self.strike(family, None)
    }

    /// A fault strikes from which only keys that begin so suffer.
    pub fn struck_within(&self, family: Family, begin: &'static str) -> Strike {
        self.strike(family, Some(begin))
    }

    fn strike(&self, family: Family, within: Option<&'static str>) -> Strike {
        let mut evidence = self.evidence.borrow_mut();
        evidence.faults.push(Active { family, within, from: self.now(), until: None });
        Strike(evidence.faults.len() - 1)
    }

    /// It is over.
    pub fn repaired(&self, strike: Strike) {
        self.evidence.borrow_mut().faults[strike.0].until = Some(self.now());
    }

    /// Somebody suffered from this one in a way that no client, session or stream shows.
    pub fn felt(&self, strike: &Strike) {
        *self.felt.borrow_mut().entry(strike.0).or_default() += 1;
    }

    /// Every family that struck, with how often somebody suffered from it: a fault without a sufferer tests nothing.
    #[must_use]
    pub fn sufferings(&self) -> BTreeMap<Family, u64> {
        let (evidence, said) = (self.evidence(), self.felt.borrow());
        let mut sufferings = BTreeMap::new();
        for (number, fault) in evidence.faults.iter().enumerate() {
            let said = said.get(&number).copied().unwrap_or(0);
            *sufferings.entry(fault.family).or_default() += said + suffering::count(&evidence, fault);
        }
        sufferings
    }

    /// Transactions of the engine's store that are durable.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// How the control plane stands.
    pub fn saw(&self, view: ControlView) {
        let now = self.now();
        self.evidence.borrow_mut().views.push((now, view));
    }

    /// Everything was healed; from here on recovery is demanded.
    pub fn healed(&self) {
        self.evidence.borrow_mut().healed = Some(self.now());
    }

    /// Whether a fault of one of these families has struck.
    #[must_use]
    pub fn has_struck(&self, families: &[Family]) -> bool {
        self.evidence.borrow().faults.iter().any(|fault| families.contains(&fault.family))
    }

    /// Whether a fault is on that was not repaired.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.evidence.borrow().faults.iter().any(|fault| fault.until.is_none())
    }

    /// Whether a fault was on since that moment.
    #[must_use]
    pub fn was_broken(&self, since: Mono) -> bool {
        let is_on = |fault: &Active| fault.until.is_none_or(|until| since <= until);
        self.evidence.borrow().faults.iter().any(is_on)
    }

    /// A witness for one boot of one node: to be made on that node, when it boots. `lives` counts its boots, and beginnings
    /// anew within one: each is a place of its own to the laws.
    #[must_use]
    pub fn witness(&self, node: &str, lives: &Arc<AtomicU32>) -> Arc<dyn Witness> {
        let offset = uptime().saturating_sub(self.world.elapsed());
        let (lives, told, commits) = (Arc::clone(lives), Arc::clone(&self.told), Arc::clone(&self.commits));
        let life = AtomicU32::new(lives.fetch_add(1, Ordering::Relaxed));
        Arc::new(Teller { node: node.to_owned(), life, lives, offset, told, commits })
    }

    /// Whether such a fact was told since that moment.
    #[must_use]
    pub fn was_told(&self, since: Mono, is: impl Fn(&Fact) -> bool) -> bool {
        let told = self.told.lock();
        told.iter().rev().take_while(|told| since <= told.at).any(|told| is(&told.fact))
    }

    /// The evidence so far, with the facts in it.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let mut evidence = self.evidence.borrow().clone();
        evidence.told.clone_from(&self.told.lock());
        evidence.end = self.now();
        evidence
    }
}

/// A fault that is on.
#[derive(Debug)]
#[must_use = "a fault that is not repaired excuses every failure"]
pub struct Strike(usize);

/// Writes facts down with the world's time: the node's own clock may drift.
struct Teller {
    node: String,
    life: AtomicU32,
    lives: Arc<AtomicU32>,
    /// How far the node's clock is ahead of the world's, where it does not drift and nobody else can be asked.
    offset: Duration,
    told: Arc<Mutex<Vec<Told>>>,
    commits: Arc<AtomicU64>,
}

impl Teller {
    /// The run's time by the node's clock.
    fn elapsed(&self) -> Duration {
        uptime().checked_sub(self.offset).expect("clocks do not run backwards")
    }
}

impl Witness for Teller {
    fn tell(&self, fact: &Fact) {
        let at = mono(sim::elapsed().unwrap_or_else(|| self.elapsed()));
        let place = Place { node: self.node.clone(), boot: self.life.load(Ordering::Relaxed) };
        self.told.lock().push(Told { at, place, fact: fact.clone() });
    }

    fn restarted(&self) {
        self.life.store(self.lives.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
    }

    fn committed(&self) {
        self.commits.fetch_add(1, Ordering::Relaxed);
    }
}

/// By the clock of the node that asks.
fn uptime() -> Duration {
    runtime::now().saturating_since(runtime::Instant::from_nanos(0))
}

fn mono(elapsed: Duration) -> Mono {
    Mono(u64::try_from(elapsed.as_nanos()).expect("a run lasts less than 584 years"))
}
