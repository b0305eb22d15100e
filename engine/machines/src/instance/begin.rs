//! Coming up: its state is read or made, its hooks are called, its first state is written. Only then does it take what
//! it is asked, and only then is it known that it has started: whatever falls before starts again from nothing.

use protocol::mark;
use protocol::time::Mono;

use super::{Effect, Hook, Instance, Phase};

impl Instance {
    pub(super) fn begin(&mut self, now: Mono, out: &mut Vec<Effect>) {
        assert_eq!(self.phase, Phase::Fresh, "an instance begins once");
        self.phase = Phase::Loading { by: now + self.options.start_timeout };
        out.push(Effect::Load);
    }

    pub(super) fn loaded(&mut self, first: bool, out: &mut Vec<Effect>) {
        let Phase::Loading { by } = self.phase else { unreachable!("a state is read once") };
        if first {
            self.phase = Phase::Creating { by };
            self.call(Hook::Create, out);
        } else {
            self.phase = Phase::Starting { by, first };
            self.call(Hook::Start, out);
        }
    }

    pub(super) fn call(&mut self, hook: Hook, out: &mut Vec<Effect>) {
        assert!(self.hooks.insert(hook), "{hook:?} is called once");
        out.push(Effect::Call(hook));
    }

    pub(super) fn hook_ended(&mut self, now: Mono, hook: Hook, error: Option<String>, out: &mut Vec<Effect>) {
        assert!(self.hooks.remove(&hook), "{hook:?} was called");
        match (hook, error) {
            (Hook::Create | Hook::Start, Some(error)) => {
                mark!("instance_start_failed");
                self.fail(Some(error), out);
            }
            (Hook::Create, None) => {
                let Phase::Creating { by } = self.phase else {
                    unreachable!("it is created before it starts")
                };
                self.phase = Phase::Starting { by, first: true };
                self.call(Hook::Start, out);
            }
            (Hook::Start, None) => {
                let Phase::Starting { by, first } = self.phase else { unreachable!("it starts once") };
                if first {
                    // Also a state that nobody touched: that there is one says that it has started.
                    self.phase = Phase::Keeping { by };
                    self.save.change();
                    self.save.want(now);
                } else {
                    self.run(out);
                }
            }
            (Hook::Run, Some(error)) if self.phase == Phase::Running => {
                mark!("instance_run_failed");
                self.stop(now, Some(error), out);
            }
            // Whatever fails while it stops does not keep it from stopping in order.
            (Hook::Run | Hook::Sleep | Hook::Destroy, _) => {}
        }
    }

    /// Takes what it is asked from here on.
    pub(super) fn run(&mut self, out: &mut Vec<Effect>) {
        self.phase = Phase::Running;
        out.push(Effect::Started);
        self.call(Hook::Run, out);
    }
}
