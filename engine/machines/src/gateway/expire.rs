//! Deadlines: actors that do not become ready, answers that do not come, retries that are due.

use std::time::Duration;

use protocol::error::{ApiError, WebSocketEnd};
use protocol::id::Ticket;
use protocol::mark;
use protocol::time::Now;

use super::pending::{Kind, Stage};
use super::{Effect, Gateway};

impl Gateway {
    /// Acts on every deadline that has come. Each action moves its request's deadline into the future or ends it.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Effect>) {
        while let Some((at, ticket)) = self.due.first().copied() {
            if at > now.mono {
                break;
            }
            self.expire_one(now, ticket, out);
            assert!(!self.due.contains(&(at, ticket)), "{ticket:?} got what was due");
        }
    }

    fn expire_one(&mut self, now: Now, ticket: Ticket, out: &mut Vec<Effect>) {
        let pending = self.get(ticket);
        match pending.stage {
            Stage::Waiting { .. } if pending.ready_by <= now.mono => {
                mark!("gateway_ready_timeout");
                let error = ApiError::GuardActorReadyTimeout { actor_id: pending.actor };
                self.fail(ticket, error, out);
            }
            Stage::Waiting { .. } if pending.struggling && pending.fail_by <= now.mono => {
                mark!("gateway_fail_fast");
                let error = ApiError::GuardActorRunnerFailed { actor_id: pending.actor };
                self.fail(ticket, error, out);
            }
            Stage::Waiting { .. } => {
                mark!("gateway_retry");
                self.set_stage(ticket, Stage::Waiting { held: None });
                self.try_again(now, ticket, out);
            }
            Stage::Open(open) => self.ping(now, ticket, open, out),
            Stage::Forwarded { .. } if pending.kind == Kind::WebSocket => {
                mark!("gateway_websocket_open_timeout");
                self.abort(ticket, WebSocketEnd::OpenTimeout, out);
                let timeout_ms = millis(self.options.open_timeout);
                self.fail(ticket, ApiError::GuardWebsocketOpenTimeout { timeout_ms }, out);
            }
            Stage::Forwarded { begun, .. } => {
                mark!("gateway_response_timeout");
                self.abort(ticket, WebSocketEnd::OpenTimeout, out);
                let timeout_ms = millis(self.options.response_timeout);
                let error = if begun {
                    ApiError::GuardRequestTimeout { timeout_ms }
                } else {
                    ApiError::GuardGatewayResponseStartTimeout { timeout_ms }
                };
                self.fail(ticket, error, out);
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
