//! Whether the engine may write: what follows when its store does not take a commit, and when it holds all that it may.
//!
//! After a failed commit the store is tried at once, and then again and again, until a commit succeeds; meanwhile the
//! engine only reads ([`Ask`] says what that means for each thing it is asked), from what is durable. A store that has
//! reached its budget takes what makes it smaller, and what keeps it running; it refuses what would make it grow.
//!
//! It opens no file and knows no reason but as text. It outlives the [`crate::control`] of one core: the driver that
//! found the store failing ends, and the one that follows begins with the same machine.

use std::time::Duration;

use protocol::error::ApiError;
use protocol::mark;
use protocol::time::{Mono, Now};

/// Timings and bounds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Options {
    /// Between two attempts to write while the store takes none; the first comes at once. Default 1 s (ours: whoever
    /// freed the disk sees it work again at once, and a disk that fails is not worn by it).
    pub probe_interval: Duration,
    /// Keys and values the store may hold, in bytes; 0 is as many as the disk takes. Default 0. The file is larger: two to
    /// four times after many changes, since pages are part empty and the file grows by doubling.
    pub disk_budget: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { probe_interval: Duration::from_secs(1), disk_budget: 0 }
    }
}

impl Options {
    /// The budget, if there is one.
    fn budget(&self) -> Option<u64> {
        u64::try_from(self.disk_budget).ok().filter(|budget| *budget > 0)
    }
}

/// Of the budget, in percent: where it is said that little is left. Ours.
const NEARLY_PERCENT: u64 = 90;

/// What a new row takes beside what a caller gave, at most about: its key, and the record around it. Ours: an actor's
/// record has 600 bytes.
const ROW_BYTES: u64 = 1024;

/// What the engine is asked to do, as far as its store is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// Reads, or is about nothing that is stored: lists, KV gets, a runner that comes back, a request for an actor.
    Read,
    /// Reports what has happened, and will be reported again until it is acknowledged: events of runners, ends of
    /// streams.
    Report,
    /// Changes what is stored, and makes it smaller or no larger: deletes, stops.
    Shrink,
    /// Makes it larger by so many bytes.
    Grow {
        /// What the caller gave.
        bytes: u64,
    },
    /// Finds something, or else makes it, of so many bytes.
    Find {
        /// What the caller gave.
        bytes: u64,
    },
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is done.
    Take,
    /// It is refused.
    Refuse(ApiError),
    /// What is there already is found; else it is refused.
    FindOnly(ApiError),
    /// It is left unread and unacknowledged, so that it comes again.
    Ignore,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Time has passed, nothing else.
    Tick,
    /// The store did not take a commit, or could not be opened again.
    Failed {
        /// What it says.
        reason: String,
    },
    /// It was tried: whether it took a commit, or what it says.
    Probed(Result<(), String>),
    /// It cannot be tried now, since somebody reads from it: it is tried again after the interval.
    Busy,
    /// So many bytes are stored, as of the last commit.
    Stored {
        /// Keys and values.
        bytes: u64,
    },
}

/// What it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Try to commit a row; [`Input::Probed`] or [`Input::Busy`] follows.
    Probe,
    /// Something to be told to people.
    Note(Note),
}

/// What people are told, once each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// Nothing is written any more.
    ReadOnly,
    /// Commits succeed again.
    Writable,
    /// Nine tenths of the budget are used.
    NearlyFull,
    /// All of it is.
    Full,
    /// There is room again.
    Roomy,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Durability {
    options: Options,
    disk: Disk,
    room: Room,
    /// Stored as of the last commit.
    stored: u64,
    /// Taken since then.
    taken: u64,
}

/// Whether commits succeed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Disk {
    Works,
    /// It is being tried.
    Tried {
        reason: String,
    },
    /// It is tried again then.
    Fails {
        reason: String,
        next: Mono,
    },
}

/// How much of the budget is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Room {
    Enough,
    Little,
    None,
}

impl Durability {
    /// One whose store has just been opened.
    pub const fn new(options: Options) -> Self {
        Self { options, disk: Disk::Works, room: Room::Enough, stored: 0, taken: 0 }
    }

    /// One step.
    ///
    /// # Panics
    /// When a probe ends that was not wanted.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Effect>) {
        match input {
            Input::Tick => self.tick(now, out),
            Input::Failed { reason } => match self.disk {
                Disk::Works => {
                    mark!("durability.failed");
                    self.disk = Disk::Tried { reason };
                    out.extend([Effect::Note(Note::ReadOnly), Effect::Probe]);
                }
                Disk::Tried { .. } | Disk::Fails { .. } => self.wait(now, reason),
            },
            Input::Probed(Ok(())) => {
                assert!(matches!(self.disk, Disk::Tried { .. }), "only what is tried succeeds");
                mark!("durability.healed");
                self.disk = Disk::Works;
                self.taken = 0;
                out.push(Effect::Note(Note::Writable));
            }
            Input::Probed(Err(reason)) => {
                assert!(matches!(self.disk, Disk::Tried { .. }), "only what is tried fails");
                mark!("durability.still_failing");
                self.wait(now, reason);
            }
            Input::Busy => {
                let Disk::Tried { reason } = &self.disk else { panic!("only what is to be tried is busy") };
                mark!("durability.busy");
                self.wait(now, reason.clone());
            }
            Input::Stored { bytes } => self.count(bytes, out),
        }
    }

    /// When to send [`Input::Tick`] at the latest, and why.
    pub fn next_deadline(&self) -> Option<(Mono, &'static str)> {
        match self.disk {
            Disk::Fails { next, .. } => Some((next, "store probe")),
            Disk::Works | Disk::Tried { .. } => None,
        }
    }

    /// Whether nothing may be written.
    pub fn is_read_only(&self) -> bool {
        match self.disk {
            Disk::Works => false,
            Disk::Tried { .. } | Disk::Fails { .. } => true,
        }
    }

    /// What becomes of something that is asked. What is taken counts against the budget until the next commit tells
    /// what is really stored.
    pub fn judge(&mut self, ask: Ask) -> Verdict {
        if let Some(error) = self.refusal() {
            return match ask {
                Ask::Read => Verdict::Take,
                Ask::Report => Verdict::Ignore,
                Ask::Shrink | Ask::Grow { .. } => Verdict::Refuse(error),
                Ask::Find { .. } => Verdict::FindOnly(error),
            };
        }
        match ask {
            Ask::Read | Ask::Report | Ask::Shrink => Verdict::Take,
            Ask::Grow { bytes } => self.grow(bytes).map_or_else(Verdict::Refuse, |()| Verdict::Take),
            Ask::Find { bytes } => self.grow(bytes).map_or_else(Verdict::FindOnly, |()| Verdict::Take),
        }
    }

    /// What a writer is told while nothing is written.
    pub fn refusal(&self) -> Option<ApiError> {
        match &self.disk {
            Disk::Works => None,
            Disk::Tried { reason } | Disk::Fails { reason, .. } => {
                let every = self.options.probe_interval.as_millis();
                Some(ApiError::CoreReadOnly {
                    reason: format!(
                        "its store cannot be written ({reason}). Free room on the disk of its data folder, or replace the \
                         disk; it tries every {every} ms and takes writes again by itself"
                    ),
                })
            }
        }
    }

    /// Panics where an invariant does not hold.
    pub fn check(&self) {
        assert!(self.room == Room::Enough || self.options.budget().is_some(), "without budget there is room");
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        if let Disk::Fails { reason, next } = &self.disk
            && *next <= now.mono
        {
            self.disk = Disk::Tried { reason: reason.clone() };
            out.push(Effect::Probe);
        }
    }

    fn wait(&mut self, now: Now, reason: String) {
        self.disk = Disk::Fails { reason, next: now.mono + self.options.probe_interval };
    }

    /// Takes room for what a caller gave.
    fn grow(&mut self, bytes: u64) -> Result<(), ApiError> {
        let Some(budget) = self.options.budget() else { return Ok(()) };
        let taken = self.taken.saturating_add(bytes).saturating_add(ROW_BYTES);
        if self.stored.saturating_add(taken) > budget {
            mark!("durability.over_budget");
            return Err(ApiError::CoreReadOnly {
                reason: format!(
                    "its store holds {} of the {budget} bytes that its disk budget allows. Delete actors or their \
                     data, or start it with a larger budget; deletes and stops are still taken",
                    self.stored
                ),
            });
        }
        self.taken = taken;
        Ok(())
    }

    fn count(&mut self, bytes: u64, out: &mut Vec<Effect>) {
        (self.stored, self.taken) = (bytes, 0);
        let Some(budget) = self.options.budget() else { return };
        let room = if bytes.saturating_add(ROW_BYTES) > budget {
            Room::None
        } else if bytes >= budget / 100 * NEARLY_PERCENT {
            Room::Little
        } else {
            Room::Enough
        };
        if room == self.room {
            return;
        }
        let note = match room {
            Room::Enough => Note::Roomy,
            Room::Little => Note::NearlyFull,
            Room::None => Note::Full,
        };
        self.room = room;
        out.push(Effect::Note(note));
    }
}
