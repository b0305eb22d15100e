//! The control plane of an engine that may not write.
//!
//! It is restored from what is durable, and steps so that nothing has to be stored: runners that are known come back and
//! are routed to, lists are answered, KV is read. It wakes nobody, places nobody, opens no stream, sends no command, and
//! lets no deadline come but those of sockets. What it is not asked while it reads, [`crate::durability`] decides; it is
//! thrown away when the store can be written again, and one that works is restored.

use protocol::error::CloseReason;
use protocol::id::{ConnId, RunnerKey};
use protocol::mark;
use protocol::time::Wall;

use super::Control;
use super::effect::Effect;
use super::init::Introduction;
use super::pool::PoolKey;
use super::record::{Key, Record};
use super::step::Step;
use super::timers::Due;

impl Control {
    /// Only reads from here on. What the machine wanted when it was restored must be dropped.
    pub fn read_only(&mut self) {
        self.reading = true;
    }

    /// What is to be stored as soon as something can be: which runners are here, and that the engine lived until now. Without
    /// it, a runner that was here all the time would count as away for as long as nothing could be stored.
    pub fn kept(&self, now: Wall) -> Vec<(Key, Record)> {
        let runners = self.runners.values().filter(|runner| runner.conn.is_some());
        let runners =
            runners.map(|runner| (Key::Runner(runner.record.id), Record::Runner(runner.record.clone())));
        let beat = self.heartbeat.map(|_| (Key::Heartbeat, Record::Heartbeat(now)));
        runners.chain(beat).collect()
    }

    /// Whether the Init of a runner could be taken without a record of a new one.
    pub(super) fn knows(&self, pool: &PoolKey, key: &RunnerKey, new: &Introduction) -> bool {
        let known = self.runner_keys.get(&(pool.clone(), key.clone()));
        known.is_some_and(|runner| !self.overslept(*runner) && !self.is_replaced(*runner, new))
    }

    /// What a step ends with while it only reads.
    pub(super) fn finish_reading(&mut self, mut step: Step, out: &mut Vec<Effect>) {
        while let Some(due) = self.thresholds.pop(self.now.mono) {
            self.due_while_reading(&mut step, due);
        }
        self.tell_routes(&mut step);
        // What changed is of this process only: when a runner connected, say.
        out.append(&mut step.writes);
        out.append(&mut step.performs);
    }

    fn due_while_reading(&mut self, step: &mut Step, due: Due) {
        match due {
            Due::Init(conn) => self.reject(step, conn, CloseReason::TimedOutWaitingForInit),
            Due::Ping(conn) => drop(self.ping(step, conn)),
            Due::Stale(conn) => self.go_stale(step, conn),
            Due::Silent(conn) => self.silent_while_reading(step, conn),
            Due::Gone(_)
            | Due::Departed(..)
            | Due::Faded(_)
            | Due::Evict(_)
            | Due::Stays(_)
            | Due::Unnamed(_)
            | Due::Purge
            | Due::Heartbeat
            | Due::Stream(_)
            | Due::Lifespan(_)
            | Due::Drained(_)
            | Due::Retry(_)
            | Due::Poll(_)
            | Due::Fetch(_)
            | Due::Reports(_)
            | Due::Aged(_)
            | Due::Phase(_)
            | Due::Alarm(_) => {}
        }
    }

    /// A runner that says nothing keeps its actors, which could not be given to another one: its socket goes.
    fn silent_while_reading(&mut self, step: &mut Step, conn: ConnId) {
        mark!("reading.runner_silent");
        self.reject(step, conn, CloseReason::TimedOut);
    }
}
