//! What a runner is told again once its session's barrier has passed.
//!
//! By then every event it had kept was read. A start without its Running, and a stop without its Stopped, may have
//! been lost with the former session, or with a former life of the engine between commit and performing.

use protocol::id::{ConnId, RunnerId};
use protocol::mark;

use super::Control;
use super::effect::{Command, Message};
use super::generation::{start_command, stop_command};
use super::record::{Actor, Phase, Stage};
use super::step::Step;

impl Control {
    /// Sends the commands that the runner may not know.
    pub(super) fn resend(&mut self, step: &mut Step, conn: ConnId, id: RunnerId) {
        self.await_answers(step, id);
        let runner = &self.runners[&id];
        let mut commands: Vec<Command> = Vec::new();
        for actor in &runner.actors {
            again(self.actors.known(*actor), &mut commands);
        }
        for (actor, generation) in &runner.record.lingering {
            commands.push(stop_command(*actor, *generation));
        }
        if !commands.is_empty() {
            mark!("control.commands_resent");
            step.send(conn, Message::Commands(commands));
        }
    }
}

fn again(actor: &Actor, commands: &mut Vec<Command>) {
    let Phase::Allocated { stage, .. } = &actor.phase else {
        unreachable!("a runner's actors are allocated");
    };
    let generation = actor.generation.expect("an allocated actor has a generation");
    match stage {
        Stage::Starting { .. } => commands.push(start_command(actor, generation)),
        Stage::Running => {}
        Stage::Stopping { ran, .. } => {
            if !ran {
                // A stop for an actor that the runner does not know would never be answered.
                mark!("control.start_resent_before_stop");
                commands.push(start_command(actor, generation));
            }
            commands.push(stop_command(actor.id, generation));
        }
    }
}
