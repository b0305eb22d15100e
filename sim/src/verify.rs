//! Whether two runs of one seed are the same, and if not, which event differs first.

use std::future::Future;

use crate::core::Core;
use crate::decide::{Decisions, StreamId};
use crate::digest::{Arrival, Checkpoint, Digest, Kept, Kind};
use crate::options::Options;
use crate::report::{Event, Report};
use crate::run::Sim;
use crate::world::World;

/// Two runs of one seed that differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}: two runs differ, after {agreed} equal events{}", told(.first))]
pub struct Divergence {
    /// The seed.
    pub seed: u64,
    /// Up to the last checkpoint both runs share.
    pub agreed: u64,
    /// The first differing event of both runs; `None` where one of them had ended, or both if the difference did not
    /// show up again.
    pub first: [Option<Event>; 2],
}

fn told(first: &[Option<Event>; 2]) -> String {
    let side =
        |event: &Option<Event>| event.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    match first {
        [None, None] => "; the difference did not show up again when looked for".to_owned(),
        [one, other] => format!("; first {} / {}", side(one), side(other)),
    }
}

/// Runs `script` twice with the same options and compares.
///
/// # Errors
/// [`Divergence`], with the first differing event: found by running twice more, with the events after the last shared
/// checkpoint kept.
pub fn verify<T, F, Fut>(options: &Options, script: F) -> Result<Report<T>, Box<Divergence>>
where
    T: Send + 'static,
    F: Fn(World) -> Fut + Sync,
    Fut: Future<Output = T> + 'static,
{
    let run = |options: &Options| Sim::new(options.clone()).run(&script);
    let one = run(options);
    let other = run(options);
    if one.digest == other.digest && one.events == other.events {
        return Ok(one);
    }
    let agreed = last_shared(&one.checkpoints, &other.checkpoints);
    let looking = Options { keep_events: agreed..u64::MAX, ..options.clone() };
    let (one, other) = (run(&looking), run(&looking));
    let first = first_difference(&one.kept, &other.kept);
    Err(Box::new(Divergence { seed: options.seed, agreed, first }))
}

/// How many events two runs surely share, by their checkpoints.
#[must_use]
pub fn last_shared(one: &[Checkpoint], other: &[Checkpoint]) -> u64 {
    let mut shared = 0;
    for checkpoint in one {
        match other.iter().find(|each| each.events == checkpoint.events) {
            Some(same) if same.digest == checkpoint.digest => shared = checkpoint.events,
            Some(_) => break,
            None => {}
        }
    }
    shared
}

/// The first event in which two runs differ, of each.
#[must_use]
pub fn first_difference(one: &[Event], other: &[Event]) -> [Option<Event>; 2] {
    let longest = one.len().max(other.len());
    (0..longest)
        .find(|place| one.get(*place) != other.get(*place))
        .map_or([None, None], |place| [one.get(place).cloned(), other.get(place).cloned()])
}

impl Core {
    /// The events kept as they were, named.
    pub(crate) fn describe_kept(&self, digest: &Digest, decisions: &Decisions) -> Vec<Event> {
        let describe = |kept: &Kept| Event {
            index: kept.index,
            at: std::time::Duration::from_nanos(kept.at),
            text: self.describe(kept, decisions),
            words: kept.words(),
        };
        digest.kept().iter().map(describe).collect()
    }

    fn describe(&self, kept: &Kept, decisions: &Decisions) -> String {
        let names = self.names.borrow();
        let (subject, detail) = (kept.subject, kept.detail);
        let connection = || {
            let end = if subject & 1 == 0 { "opener" } else { "acceptor" };
            format!("{} ({end})", names.of_connection(subject >> 1))
        };
        match kept.kind {
            Kind::Time => format!("time moves to {:?}", std::time::Duration::from_nanos(detail)),
            Kind::Spawn => format!("{} starts", names.of_task(subject)),
            Kind::Poll => format!("{} is polled", names.of_task(subject)),
            Kind::TaskEnd => format!("{} ends", names.of_task(subject)),
            Kind::Timer if detail == 0 => format!("timer {subject:#x} fires"),
            Kind::Timer => format!("timer {subject:#x} is set anew, since its clock runs otherwise"),
            Kind::Decision => format!("{} decides {detail}", decisions.name(StreamId(subject as u32))),
            Kind::Write => format!("write on {}, hash of all so far {detail:016x}", connection()),
            Kind::Read => format!("read from {}, up to byte {detail}", connection()),
            Kind::Deliver => format!("arrival on {}: {}", connection(), arrival(detail)),
            Kind::Node => format!("{}: {}", self.node_name_or_number(subject), node_change(detail)),
            Kind::Disk => format!("disk of {}: {detail:016x}", self.node_name_or_number(subject)),
            Kind::Note => format!("note: {}", names.of_text(detail)),
            Kind::Fault => format!("fault: {}", names.of_text(detail)),
        }
    }

    fn node_name_or_number(&self, subject: u64) -> String {
        let nodes = self.nodes.borrow();
        nodes.get(subject as usize).map_or_else(|| format!("node {subject}"), |node| node.name.to_string())
    }
}

fn arrival(detail: u64) -> String {
    let Some((what, value)) = Arrival::from_word(detail) else { return format!("{detail:#x}") };
    match what {
        Arrival::Data => format!("bytes up to {value}"),
        Arrival::Window => format!("its peer has read up to {value}"),
        Arrival::Syn => "SYN".to_owned(),
        Arrival::SynAck => "SYN-ACK".to_owned(),
        Arrival::Ack => "ACK of the handshake".to_owned(),
        Arrival::Fin => "FIN".to_owned(),
        Arrival::Probe => "probe".to_owned(),
        Arrival::Reset => "RST".to_owned(),
        Arrival::NotOpened => "not opened".to_owned(),
        Arrival::GiveUp => "no acknowledgement for too long".to_owned(),
        Arrival::Forget => "forgotten by its kernel".to_owned(),
        Arrival::KeepAlive => "keep-alive probe".to_owned(),
    }
}

fn node_change(detail: u64) -> &'static str {
    match detail {
        1 => "boots",
        4 => "exits",
        5 => "is killed",
        6 => "loses power",
        100 => "pauses",
        101 => "goes on",
        102 => "is asked to stop",
        _ => "changes",
    }
}
