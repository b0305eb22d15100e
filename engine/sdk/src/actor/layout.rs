//! Where in an actor's storage what is kept. The first byte of a key says whose it is, as upstream has it: `1` what is read
//! before the actor starts, `4` what its code writes by itself. `8` is its database's (see [`crate::sql`]), `9` ours.
//!
//! | key | value |
//! |---|---|
//! | `01`, number of the piece (2 bytes, below 256) | a piece of the state |
//! | `01 01` | the alarm that its code has set |
//! | `01 02`, id (8 bytes) | a schedule |
//! | `09`, id of the schedule (8 bytes), number (8 bytes) | a run of a schedule that ended |
//!
//! Numbers in big endian. State, alarm and schedules lie together, so that one request reads them.

use bytes::{BufMut, Bytes, BytesMut};
use machines::schedule::JobId;

/// Keys of the state: this byte, then the number of the piece.
const STATE: u8 = 1;

/// Behind the same byte: what no number of a piece begins with.
const ALARM: u8 = 1;
const JOB: u8 = 2;

/// Keys of user code: this byte, then what it calls them.
pub(crate) const USER: u8 = 4;

/// Keys of runs.
const RUN: u8 = 9;

/// What is read before an actor starts: from the first key to before the second.
pub(crate) const fn start() -> (Bytes, Bytes) {
    (Bytes::from_static(&[STATE]), Bytes::from_static(&[STATE + 1]))
}

/// The same of the state alone.
pub(crate) const fn state() -> (Bytes, Bytes) {
    (Bytes::from_static(&[STATE, 0]), alarm())
}

/// Whether a key in there is one of the state.
pub(crate) fn is_of_state(key: &[u8]) -> bool {
    matches!(key, [STATE, 0, _])
}

/// The key of a piece of the state.
pub(crate) fn state_piece(piece: u16) -> Bytes {
    let mut key = BytesMut::with_capacity(3);
    key.put_u8(STATE);
    key.put_u16(piece);
    key.freeze()
}

/// The key of the alarm.
pub(crate) const fn alarm() -> Bytes {
    Bytes::from_static(&[STATE, ALARM])
}

/// The key of a schedule.
pub(crate) fn job(id: JobId) -> Bytes {
    let mut key = BytesMut::with_capacity(10);
    key.put_slice(&[STATE, JOB]);
    key.put_u64(id.0);
    key.freeze()
}

/// The schedule of a key; none if it is none of a schedule.
pub(crate) fn job_of(key: &[u8]) -> Option<JobId> {
    let id = key.strip_prefix(&[STATE, JOB])?;
    Some(JobId(u64::from_be_bytes(id.try_into().ok()?)))
}

/// The key of a run. All of a schedule lie between its run 0 and `u64::MAX`, which there never is.
pub(crate) fn run(job: JobId, number: u64) -> Bytes {
    let mut key = BytesMut::with_capacity(17);
    key.put_u8(RUN);
    key.put_u64(job.0);
    key.put_u64(number);
    key.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_before_a_start_lies_together_and_is_told_apart() {
        let (from, to) = start();
        let keys = [state_piece(0), state_piece(255), alarm(), job(JobId(0)), job(JobId(u64::MAX))];
        assert!(keys.is_sorted() && keys.iter().all(|key| from <= *key && *key < to));
        assert_eq!(keys.iter().filter(|key| is_of_state(key)).count(), 2);
        let (from, to) = state();
        assert_eq!(keys.iter().filter(|key| (&from..&to).contains(key)).count(), 2);
        assert_eq!(
            keys.iter().filter_map(|key| job_of(key)).collect::<Vec<_>>(),
            [JobId(0), JobId(u64::MAX)]
        );
        assert!(run(JobId(7), 0) < run(JobId(7), 256) && run(JobId(7), u64::MAX) < run(JobId(8), 0));
        assert!(run(JobId(0), 0) > to);
    }
}
