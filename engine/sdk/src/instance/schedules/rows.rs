//! The bytes of schedules, of their runs, and of the alarm of an actor's own code.
//!
//! Each begins with a layout version. A schedule is the length of its head (4 bytes, big endian), its head as JSON, and
//! what it calls, as [`Call`] writes it; an alarm is its milliseconds (8 bytes, big endian); a run is JSON.

use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use machines::schedule::{Cron, Delete, JobId, Outcome, Put, Recurs, Row, RunRow, Running};
use protocol::error::UserText;
use protocol::id::BodyId;
use protocol::time::Wall;
use serde::{Deserialize, Serialize};

use crate::actor::{Kv, KvError, layout};

/// Version of all layouts here.
const VERSION: u8 = 1;

/// What is stored as a schedule is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is stored as a schedule of the actor is none")]
pub(crate) struct Malformed;

/// What a schedule calls: an action and its arguments.
#[derive(Serialize, Deserialize)]
pub(crate) struct Call<Name, Args> {
    pub action: Name,
    pub args: Args,
}

/// A schedule without what it calls.
#[derive(Serialize, Deserialize)]
struct Head {
    name: Option<String>,
    recurs: When,
    next: u64,
    revision: u64,
    running: Option<Began>,
    runs_from: u64,
    runs_to: u64,
    runs_max: u32,
}

#[derive(Serialize, Deserialize)]
enum When {
    Never,
    Every { ms: u64 },
    Cron { expression: String, zone: String },
}

#[derive(Serialize, Deserialize)]
struct Began {
    due: u64,
    began: u64,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
struct Run {
    due: u64,
    began: u64,
    ended: u64,
    outcome: End,
}

#[derive(Serialize, Deserialize)]
enum End {
    Done,
    Failed { reason: UserText },
    Missing,
    Interrupted,
}

/// The entry that stores a schedule, with what it calls.
pub(super) fn job(row: &Row, call: &Bytes) -> (Bytes, Bytes) {
    let recurs = match &row.recurs {
        Recurs::Never => When::Never,
        Recurs::Every(interval) => {
            When::Every { ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX) }
        }
        Recurs::Cron(cron) => {
            When::Cron { expression: cron.expression().to_owned(), zone: cron.zone().to_owned() }
        }
    };
    let running = row.running.map(|running| {
        let Running { due, began, revision } = running;
        Began { due: due.0, began: began.0, revision }
    });
    let head = json(&Head {
        name: row.name.clone(),
        recurs,
        next: row.next.0,
        revision: row.revision,
        running,
        runs_from: row.runs_from,
        runs_to: row.runs_to,
        runs_max: row.runs_max,
    });
    let mut value = BytesMut::with_capacity(5 + head.len() + call.len());
    value.put_u8(VERSION);
    value.put_u32(u32::try_from(head.len()).expect("a head is small"));
    value.put_slice(&head);
    value.put_slice(call);
    (layout::job(row.id), value.freeze())
}

/// A stored schedule and what it calls, which is to be kept as `body`.
pub(super) fn job_of(id: JobId, body: BodyId, value: Bytes) -> Result<(Row, Bytes), Malformed> {
    let mut value = versioned(value)?;
    let length = value.try_get_u32().ok().and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|length| *length <= value.len()).ok_or(Malformed)?;
    let Head { name, recurs, next, revision, running, runs_from, runs_to, runs_max } =
        serde_json::from_slice(&value.split_to(length)).map_err(|_| Malformed)?;
    let recurs = match recurs {
        When::Never => Recurs::Never,
        When::Every { ms } => Recurs::Every(Duration::from_millis(ms)),
        When::Cron { expression, zone } => Recurs::Cron(Cron::restore(expression, zone)),
    };
    let running = running.map(|Began { due, began, revision }| Running {
        due: Wall(due),
        began: Wall(began),
        revision,
    });
    let (next, bytes) = (Wall(next), value.len());
    let row = Row { id, name, recurs, next, revision, running, runs_from, runs_to, runs_max, body, bytes };
    Ok((row, value))
}

/// Why a run failed, as it is remembered: without control characters, which JSON makes six of.
pub(super) fn reason(text: &str) -> UserText {
    UserText::new(&text.replace(char::is_control, " "))
}

fn run(row: &RunRow) -> (Bytes, Bytes) {
    let RunRow { job, number, due, began, ended, ref outcome } = *row;
    let outcome = match outcome {
        Outcome::Done => End::Done,
        Outcome::Failed { reason } => End::Failed { reason: reason.clone() },
        Outcome::Missing => End::Missing,
        Outcome::Interrupted => End::Interrupted,
    };
    let mut value = vec![VERSION];
    value.extend(json(&Run { due: due.0, began: began.0, ended: ended.0, outcome }));
    (layout::run(job, number), value.into())
}

/// A stored run of a schedule.
pub(crate) fn run_of(job: JobId, key: &Bytes, value: Bytes) -> Result<RunRow, Malformed> {
    let number = key.last_chunk().copied().map(u64::from_be_bytes).ok_or(Malformed)?;
    let Run { due, began, ended, outcome } =
        serde_json::from_slice(&versioned(value)?).map_err(|_| Malformed)?;
    let outcome = match outcome {
        End::Done => Outcome::Done,
        End::Failed { reason } => Outcome::Failed { reason },
        End::Missing => Outcome::Missing,
        End::Interrupted => Outcome::Interrupted,
    };
    Ok(RunRow { job, number, due: Wall(due), began: Wall(began), ended: Wall(ended), outcome })
}

fn alarm(at: Wall) -> (Bytes, Bytes) {
    let mut value = BytesMut::with_capacity(9);
    value.put_u8(VERSION);
    value.put_u64(at.0);
    (layout::alarm(), value.freeze())
}

/// A stored alarm.
pub(super) fn alarm_of(value: Bytes) -> Result<Wall, Malformed> {
    versioned(value)?.try_get_u64().map(Wall).map_err(|_| Malformed)
}

fn versioned(mut value: Bytes) -> Result<Bytes, Malformed> {
    if value.first() != Some(&VERSION) {
        return Err(Malformed);
    }
    value.advance(1);
    Ok(value)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers are JSON")
}

/// What stores all of this; `call` finds what a schedule calls.
pub(super) fn entries<'a>(puts: &[Put], call: impl Fn(BodyId) -> &'a Bytes) -> Vec<(Bytes, Bytes)> {
    let entry = |put: &Put| match put {
        Put::Job(row) => job(row, call(row.body)),
        Put::Run(row) => run(row),
        Put::Alarm(at) => alarm(*at),
    };
    puts.iter().map(entry).collect()
}

/// Stores these, all or none, and then deletes, in order; what is deleted by its key is so at once.
pub(super) async fn write(kv: Kv, entries: Vec<(Bytes, Bytes)>, deletes: Vec<Delete>) -> Result<(), KvError> {
    if !entries.is_empty() {
        kv.put_all(entries).await?;
    }
    let mut keys = Vec::new();
    for delete in deletes {
        match delete {
            Delete::Runs { job, below } => {
                kv.delete_range(layout::run(job, 0), layout::run(job, below)).await?;
            }
            Delete::Job(id) => keys.push(layout::job(id)),
            Delete::Alarm => keys.push(layout::alarm()),
        }
    }
    if keys.is_empty() { Ok(()) } else { kv.delete(keys).await }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(recurs: Recurs, running: Option<Running>) -> Row {
        Row {
            id: JobId(7),
            name: Some("\u{1}".repeat(machines::schedule::JOB_NAME_BYTES_MAX)),
            recurs,
            next: Wall(u64::MAX),
            revision: u64::MAX,
            running,
            runs_from: u64::MAX,
            runs_to: u64::MAX,
            runs_max: u32::MAX,
            body: BodyId(3),
            bytes: 4,
        }
    }

    #[test]
    fn a_schedule_is_read_as_it_was_written_and_takes_little_beside_what_it_calls() {
        let at = Wall(u64::MAX);
        let running = Some(Running { due: at, began: at, revision: u64::MAX });
        let cron = Cron::restore("0".repeat(machines::schedule::CRON_BYTES_MAX), "z".repeat(64));
        for row in [
            row(Recurs::Never, None),
            row(Recurs::Every(Duration::from_millis(5_001)), running),
            row(Recurs::Cron(cron), running),
        ] {
            let call = Bytes::from_static(b"call");
            let (key, value) = job(&row, &call);
            assert!(key.len() + value.len() - call.len() <= machines::schedule::ROW_SLACK_BYTES);
            assert_eq!(job_of(layout::job_of(&key).unwrap(), BodyId(3), value), Ok((row, call)));
        }
    }

    #[test]
    fn a_run_and_an_alarm_are_read_as_they_were_written() {
        for outcome in
            [Outcome::Done, Outcome::Failed { reason: "no".into() }, Outcome::Missing, Outcome::Interrupted]
        {
            let (due, began, ended) = (Wall(1), Wall(2), Wall(3));
            let row = RunRow { job: JobId(7), number: 300, due, began, ended, outcome };
            let (key, value) = run(&row);
            assert_eq!(run_of(JobId(7), &key, value), Ok(row));
        }
        assert_eq!(alarm_of(alarm(Wall(5)).1), Ok(Wall(5)));
    }

    #[test]
    fn a_run_takes_little_whatever_its_reason_says() {
        for text in ["\u{1}", "\"", "\u{85}"] {
            let at = Wall(u64::MAX);
            let outcome = Outcome::Failed { reason: reason(&text.repeat(1_000)) };
            let row = RunRow { job: JobId(7), number: 1, due: at, began: at, ended: at, outcome };
            let (key, value) = run(&row);
            assert!(key.len() + value.len() <= machines::schedule::ROW_SLACK_BYTES, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_told_apart() {
        for value in [&b""[..], b"\x01", b"\x02\0\0\0\x02{}", b"\x01\0\0\0\x09{}", b"\x01\0\0\0\x02{}"] {
            assert_eq!(job_of(JobId(1), BodyId(1), Bytes::from_static(value)), Err(Malformed), "{value:?}");
        }
        assert_eq!(alarm_of(Bytes::from_static(b"\x01\0")), Err(Malformed));
        let (_, good) = alarm(Wall(5));
        let other = [&[VERSION + 1], &good[1..]].concat();
        assert_eq!(alarm_of(other.into()), Err(Malformed), "of another version");
    }
}
