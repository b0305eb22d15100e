//! What an instance's own code asks for.

use machines::instance::{Input, When, WorkKind};
use tokio::sync::oneshot;

use super::Driver;
use super::connections::Call;
use super::schedules::Asked;
use crate::actor::SaveError;
use crate::actor::subject::Boxed;

/// What an instance's own code asks for.
pub(crate) enum Ask {
    /// Its state has changed.
    Changed,
    /// Say when its state is stored.
    Save {
        when: When,
        answer: oneshot::Sender<Result<(), SaveError>>,
    },
    Sleep,
    Destroy,
    KeepAwake,
    LetSleep,
    Schedule(Asked),
    /// Go on with this beside.
    Task(Boxed<()>),
    /// A connection calls an action.
    Call(Call),
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Changed => "Changed",
            Self::Save { .. } => "Save",
            Self::Sleep => "Sleep",
            Self::Destroy => "Destroy",
            Self::KeepAwake => "KeepAwake",
            Self::LetSleep => "LetSleep",
            Self::Schedule(_) => "Schedule",
            Self::Task(_) => "Task",
            Self::Call(_) => "Call",
        })
    }
}

impl Driver {
    pub(super) fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Changed => self.step(Input::Changed),
            Ask::Save { when, answer } => {
                let ticket = self.ticket();
                self.savers.insert(ticket, answer);
                self.step(Input::Save { ticket, when });
            }
            Ask::Sleep => self.step(Input::Sleep),
            Ask::Destroy => self.step(Input::Destroy),
            Ask::KeepAwake => self.step(Input::KeepAwake),
            Ask::LetSleep => self.step(Input::LetSleep),
            Ask::Schedule(asked) => self.ask_schedules(asked),
            Ask::Task(work) => {
                let ticket = self.ticket();
                self.tasks.insert(ticket, work);
                self.step(Input::Ask { ticket, kind: WorkKind::Task });
            }
            Ask::Call(call) => {
                let ticket = self.ticket();
                self.calls.insert(ticket, call);
                self.step(Input::Ask { ticket, kind: WorkKind::Action });
            }
        }
    }
}
