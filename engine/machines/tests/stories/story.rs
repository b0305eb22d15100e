//! A story: a machine, its clock, and a text of everything that went in and came out.

use std::fmt::{Debug, Write as _};
use std::time::Duration;

use protocol::time::{Mono, Now, Wall};

/// What all machines have in common.
pub(crate) trait Machine {
    type Input: Debug;
    type Effect: Debug;
    const TICK: Self::Input;

    fn handle(&mut self, now: Now, input: Self::Input, out: &mut Vec<Self::Effect>);
    fn next_deadline(&self) -> Option<(Mono, &'static str)>;
    fn check(&self);
}

macro_rules! machine {
    ($machine:ty, $input:ty, $effect:ty) => {
        impl Machine for $machine {
            type Input = $input;
            type Effect = $effect;
            const TICK: Self::Input = <$input>::Tick;

            fn handle(&mut self, now: Now, input: Self::Input, out: &mut Vec<Self::Effect>) {
                Self::handle(self, now, input, out);
            }
            fn next_deadline(&self) -> Option<(Mono, &'static str)> {
                Self::next_deadline(self)
            }
            fn check(&self) {
                Self::check(self);
            }
        }
    };
}

machine!(machines::gateway::Gateway, machines::gateway::Input, machines::gateway::Effect);
machine!(machines::durability::Durability, machines::durability::Input, machines::durability::Effect);
machine!(machines::schedule::Schedule, machines::schedule::Input, machines::schedule::Effect);
machine!(machines::queue::Queue, machines::queue::Input, machines::queue::Effect);
machine!(machines::runner::Runner, machines::runner::Input, machines::runner::Effect);
machine!(
    machines::runner::stream::Stream,
    machines::runner::stream::StreamInput,
    machines::runner::stream::StreamEffect
);

pub(crate) struct Story<M: Machine> {
    pub(crate) machine: M,
    pub(crate) now: Now,
    text: String,
}

impl<M: Machine> Story<M> {
    pub(crate) fn of(machine: M) -> Self {
        Self { machine, now: Now { mono: Mono::ZERO, wall: Wall(1_000_000) }, text: String::new() }
    }

    /// One input; its effects are written down and returned.
    pub(crate) fn feed(&mut self, input: M::Input) -> Vec<M::Effect> {
        let at = self.now.mono.since(Mono::ZERO).as_secs_f64();
        writeln!(self.text, "{at:7.3} > {input:?}").expect("a text takes everything");
        let mut out = Vec::new();
        self.machine.handle(self.now, input, &mut out);
        self.machine.check();
        for effect in &out {
            writeln!(self.text, "            {effect:?}").expect("a text takes everything");
        }
        if let Some((at, why)) = self.machine.next_deadline() {
            assert!(at > self.now.mono, "{why} was due at {at:?} and is not done at {:?}", self.now.mono);
        }
        out
    }

    /// Lets time pass until this many milliseconds, with a tick at every deadline.
    pub(crate) fn until(&mut self, ms: u64) -> Vec<M::Effect> {
        let end = Mono::ZERO + Duration::from_millis(ms);
        let mut all = Vec::new();
        while let Some((at, why)) = self.machine.next_deadline().filter(|(at, _)| *at <= end) {
            self.now = self.now.after(at.since(self.now.mono));
            writeln!(self.text, "        . {why}").expect("a text takes everything");
            all.extend(self.feed(M::TICK));
        }
        self.now = self.now.after(end.since(self.now.mono));
        all
    }

    pub(crate) fn told(self) -> String {
        self.text
    }
}
