//! Requests through [`super::Application::handle`].

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use machines::runner::startup::{Input, Mode};
use protocol::error::{ApiError, ErrorBody};

use super::shared::Shared;
use super::{Health, StartError};
use crate::serverless::{Body, answer};

impl Shared {
    pub(super) async fn handle<B>(self: &Arc<Self>, request: &Request<B>) -> Response<Body> {
        let mut response = if self.is_health(request) {
            // Whoever looks first begins it, and waits for nothing.
            self.call_unheard(|ticket| Input::Start { ticket, mode: Mode::Serverless });
            match self.serving() {
                Some(serving) => return serving.handle(request),
                None => unwell(&self.health()),
            }
        } else {
            let started = self.call(|ticket| Input::Start { ticket, mode: Mode::Serverless }).await;
            match (started, self.serving()) {
                (Ok(()), Some(serving)) => return serving.handle(request),
                // It began to end in between.
                (Ok(()), None) => refused(&StartError::ShutDown),
                (Err(error), _) => refused(&error),
            }
        };
        answer::allow_origin(request.headers(), response.headers_mut());
        response
    }

    fn is_health<B>(&self, request: &Request<B>) -> bool {
        let options = self.options();
        let path = request.uri().path();
        let base = options.serving.base_path.trim_end_matches('/');
        request.method() == http::Method::GET && path.strip_prefix(base).unwrap_or(path) == "/health"
    }
}

fn unwell(health: &Health) -> Response<Body> {
    let error = match health {
        Health::Failed(cause) => Some(body(cause.code(), &cause.to_string())),
        Health::EngineRejected { code } => Some(body("engine.rejected", code)),
        Health::Ok | Health::EngineStarting | Health::EnginePingStale | Health::ShuttingDown => None,
    };
    answer::unwell(health.status(), health.word(), error)
}

/// An engine takes its request elsewhere on a 503; a conflict of modes is the application's own.
fn refused(error: &StartError) -> Response<Body> {
    let status = match error {
        StartError::ShutDown => return answer::error(&ApiError::RegistryShutDown),
        StartError::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        StartError::ModeConflict { .. } | StartError::Configured => StatusCode::CONFLICT,
    };
    answer::refusal(status, &body(error.code(), &error.to_string()))
}

fn body(code: &str, message: &str) -> ErrorBody {
    let (group, code) = code.split_once('.').unwrap_or(("runtime", code));
    ErrorBody { group: group.to_owned(), code: code.to_owned(), message: message.to_owned(), metadata: None }
}
