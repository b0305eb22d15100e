//! Where taps touch the network: a connection opens, bytes are sent, a cut falls, a script plans or names a byte.

use crate::core::Core;
use crate::effects::Effect;
use crate::net::conn::{Conn, Side};
use crate::net::cut::{Cut, takes_bytes};
use crate::net::{ConnKey, Fabric};
use crate::tap::place::Place;
use crate::tap::plan::{At, Plan, PlanId, Standing, Target};
use crate::tap::watch::Ends;
use crate::tap::{Tap, Unmet, Wire};

impl Fabric {
    /// Lays a tap on connections that are opened from here on.
    pub(crate) fn lay_tap(&mut self, wire: Wire, tap: Tap) {
        self.taps.lay(wire, tap);
    }

    /// Taps a connection that has just been made, if somebody wants that.
    #[inline]
    pub(crate) fn tap_opened(&mut self, key: ConnKey) {
        if !self.taps.is_empty() {
            self.tap_if_wanted(key);
        }
    }

    #[cold]
    fn tap_if_wanted(&mut self, key: ConnKey) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let [from, to] = Side::BOTH.map(|side| self.paths.name(conn.ends[side as usize].node));
        conn.watch = self.taps.watch(Ends { from, to, port: conn.port, ordinal: conn.ordinal });
    }

    /// A tapped connection's side has sent these bytes, of which the first lies at `at`; none of them has arrived.
    #[cold]
    pub(crate) fn tapped(&mut self, key: ConnKey, side: Side, at: u64, bytes: &[u8]) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        if conn.silenced {
            return;
        }
        let Some(watch) = &mut conn.watch else { return };
        if watch.feed(&mut self.taps, key, side, at, bytes) {
            self.arm_cut(key, side);
        }
    }

    /// Of what is to cut this direction, that which comes first does: a plan, or the script.
    fn arm_cut(&mut self, key: ConnKey, side: Side) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let planned = conn.watch.as_ref().and_then(|watch| watch.next(&self.taps, side));
        let way = conn.way(side);
        let scripted = way.scripted.map(|(at, id)| (at, self.taps.cut(id)));
        way.cut_at = match (planned, scripted) {
            (Some(plan), Some(script)) if script.0 < plan.0 => Some(script),
            (Some(plan), Some(_) | None) => Some(plan),
            (None, script) => script,
        };
    }

    /// Cuts a connection when byte number `bytes`, from zero, is about to reach `side`: those before it do.
    pub(crate) fn cut_at(&mut self, key: ConnKey, side: Side, bytes: u64, cut: Cut) -> bool {
        let Some(conn) = self.conns.get_mut(key) else { return false };
        let speaker = side.other();
        if !takes_bytes(conn, side) || conn.way(speaker).arrived > bytes {
            return false;
        }
        let target = Target::One(key, conn.ways[0].label.clone());
        let plan = Plan { laid: 1, ..Plan::new(target, speaker, At::Byte(bytes), cut) };
        let id = self.taps.plan(plan);
        if let Some((_, former)) = conn.way(speaker).scripted.replace((bytes, id)) {
            self.taps.get(former).standing = Standing::TakenBack;
        }
        self.arm_cut(key, speaker);
        true
    }

    /// A cut has fallen before that byte of what a side says.
    pub(crate) fn cut_fell(&mut self, core: &Core, key: ConnKey, side: Side, at: u64) {
        let Some(conn) = self.conns.get_mut(key) else { return };
        let planned = conn.watch.as_mut().and_then(|watch| watch.fell(side, at));
        let scripted = || conn.ways[side as usize].scripted.map(|(_, id)| id);
        let Some(id) = planned.or_else(scripted) else { return };
        let plan = self.taps.get(id);
        plan.standing = Standing::Fell;
        if let At::Place(place) = plan.at {
            let effect = if place.byte == 0 { Effect::CutBefore } else { Effect::CutIn };
            core.felt(effect(place.part));
        }
    }

    /// Plans a cut on all connections of a kind: on the first that comes to the place, it falls.
    pub(crate) fn plan_cut(&mut self, wire: Wire, speaker: Side, place: Place, cut: Cut) -> PlanId {
        let id = self.taps.plan(Plan::new(Target::Wire(wire), speaker, At::Place(place), cut));
        for key in self.conns.keys() {
            let Some(conn) = self.conns.get_mut(key) else { continue };
            let [from, to] = Side::BOTH.map(|side| self.paths.name(conn.ends[side as usize].node));
            let ends = Ends { from, to, port: conn.port, ordinal: conn.ordinal };
            if let Some(watch) = &mut conn.watch {
                self.taps.lay_plan(id, ends, watch);
            }
        }
        id
    }

    /// Plans a cut on one connection. `None`: it is not tapped, or gone.
    pub(crate) fn cut_in(&mut self, key: ConnKey, speaker: Side, place: Place, cut: Cut) -> Option<PlanId> {
        let Conn { watch, ways, .. } = self.conns.get_mut(key)?;
        let watch = watch.as_mut()?;
        let target = Target::One(key, ways[0].label.clone());
        let id = self.taps.plan(Plan::new(target, speaker, At::Place(place), cut));
        watch.lay(id, self.taps.get(id));
        Some(id)
    }

    /// Takes a plan back. `false`: its cut has fallen.
    pub(crate) fn take_back(&mut self, core: &Core, id: PlanId) -> bool {
        let plan = self.taps.get(id);
        match plan.standing {
            Standing::Fell => return false,
            Standing::TakenBack => return true,
            Standing::Waits | Standing::Due => {}
        }
        plan.standing = Standing::TakenBack;
        let (speaker, at, due_on) = (plan.speaker, plan.at, plan.due_on);
        let only = match plan.target {
            Target::One(key, _) => Some(key),
            Target::Wire(_) => due_on,
        };
        core.fault(|| format!("the plan to cut {at} is taken back"));
        for key in only.map_or_else(|| self.conns.keys(), |key| vec![key]) {
            let Some(conn) = self.conns.get_mut(key) else { continue };
            if conn.watch.as_mut().is_some_and(|watch| watch.forget(id, speaker)) {
                self.arm_cut(key, speaker);
            }
        }
        true
    }

    /// Plans whose cut has not fallen.
    pub(crate) fn unmet(&self) -> Vec<Unmet> {
        self.taps.unmet()
    }
}
