//! A runner's frames: who may say what, and when.

use protocol::error::CloseReason;
use protocol::id::{ConnId, RunnerId};

use super::Control;
use super::effect::Effect;
use super::init::Introduction;
use super::input::Frame;
use super::session::Stage;
use super::step::Step;

impl Control {
    /// A frame of a socket. A socket that was closed by the engine has no say any more.
    pub(super) fn frame(&mut self, step: &mut Step, conn: ConnId, frame: Frame) {
        match self.sessions.get(&conn).map(|session| session.stage) {
            Some(Stage::Fresh { namespace }) => match frame {
                Frame::Init { fresh, pool, version, total_slots, actor_names, metadata } => {
                    let new = Introduction { fresh, pool, version, total_slots, actor_names, metadata };
                    self.init(step, conn, namespace, new);
                }
                Frame::Events(_)
                | Frame::AckCommands(_)
                | Frame::Stopping
                | Frame::Pong { .. }
                | Frame::Kv { .. } => {
                    drop_body(step, frame);
                    self.reject(step, conn, CloseReason::InvalidInitialPacket);
                }
            },
            Some(Stage::Open { runner, .. }) => self.runner_frame(step, conn, runner, frame),
            Some(Stage::Closing) | None => drop_body(step, frame),
        }
    }

    fn runner_frame(&mut self, step: &mut Step, conn: ConnId, runner: RunnerId, frame: Frame) {
        match frame {
            Frame::Init { .. } => self.reject(step, conn, CloseReason::InvalidPacket),
            Frame::Events(events) => self.events(step, conn, runner, events),
            // A stored Running is what a start is acknowledged by.
            Frame::AckCommands(_) => {}
            Frame::Stopping => self.drain_runner(step, runner),
            Frame::Pong { ts } => self.pong(step, conn, runner, ts),
            Frame::Kv { request, actor, op, body } => {
                self.kv(step, conn, runner, super::kv::Request { request, actor, op, body });
            }
        }
    }

    /// A frame that does not decode.
    pub(super) fn invalid_frame(&mut self, step: &mut Step, conn: ConnId) {
        let first =
            self.sessions.get(&conn).is_some_and(|session| matches!(session.stage, Stage::Fresh { .. }));
        let reason = if first { CloseReason::InvalidInitialPacket } else { CloseReason::InvalidPacket };
        self.reject(step, conn, reason);
    }
}

/// The payload of a frame that is not read.
fn drop_body(step: &mut Step, frame: Frame) {
    match frame {
        Frame::Kv { body, .. } => step.perform(Effect::Drop { body }),
        Frame::Init { .. }
        | Frame::Events(_)
        | Frame::AckCommands(_)
        | Frame::Stopping
        | Frame::Pong { .. } => {}
    }
}
