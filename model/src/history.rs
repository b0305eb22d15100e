//! What clients said and heard: one [`Op`] per request, from its invocation to its answer.
//!
//! A history is written while a run goes on and judged afterwards. It knows no actor ids and no machines: a key is
//! whatever the client calls the actor. Next: [`crate::counter`], which reads increments and reads of one key.

use std::fmt;
use std::time::Duration;

use protocol::time::Mono;
use serde::Serialize;

/// A client of the run, numbered from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(pub u32);

/// An operation, numbered by its invocation within its history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct OpId(pub u32);

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What a client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Kind {
    /// The actor of this key, made if there is none.
    Create,
    /// Add to the actor's count and answer the new count.
    Increment {
        /// How much; above zero.
        by: u64,
    },
    /// Answer the count.
    Read,
    /// Any other request, by a stable name: judged by its answer, its bound and its failure code only.
    Call(&'static str),
}

/// Whether a failed operation has been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Executed {
    /// It was not, and never will be.
    No,
    /// Nobody who failed it can know: it may have been, or may be later while its bytes are still on their way.
    Maybe,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Outcome {
    /// Answered with success.
    Acknowledged {
        /// The count it answered; 0 where there is none.
        value: u64,
    },
    /// Answered with a typed error, or failed on the client's side.
    Failed {
        /// Stable `group.code`; [`crate::code`] lists them.
        code: String,
        /// Whether it can have had an effect.
        executed: Executed,
    },
    /// Not ended yet.
    Open,
}

/// One operation of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Op {
    /// Its number.
    pub id: OpId,
    /// Who asked.
    pub client: ClientId,
    /// What the client calls the actor.
    pub key: String,
    /// What was asked.
    pub kind: Kind,
    /// When, on the world's clock.
    pub invoked: Mono,
    /// How long it may take at most, as stated by those who answer.
    pub bound: Duration,
    /// When it ended; `None` while it is open.
    pub ended: Option<Mono>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Op {
    /// The count it answered, if it succeeded.
    pub fn value(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Acknowledged { value } => Some(value),
            Outcome::Failed { .. } | Outcome::Open => None,
        }
    }

    /// Whether it succeeded.
    pub fn acknowledged(&self) -> bool {
        self.value().is_some()
    }

    /// Whether it may have had an effect that nobody acknowledged.
    pub fn ambiguous(&self) -> bool {
        match &self.outcome {
            Outcome::Failed { executed, .. } => *executed == Executed::Maybe,
            Outcome::Open => true,
            Outcome::Acknowledged { .. } => false,
        }
    }
}

/// Every operation of a run, in the order of invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct History {
    ops: Vec<Op>,
}

impl History {
    /// An empty one.
    pub const fn new() -> Self {
        Self { ops: Vec::new() }
    }

    /// A client asks something; the operation is open until [`end`](Self::end).
    ///
    /// # Panics
    /// If `invoked` lies before the operation invoked last: one clock stamps all of a history.
    pub fn invoke(
        &mut self,
        client: ClientId,
        key: impl Into<String>,
        kind: Kind,
        invoked: Mono,
        bound: Duration,
    ) -> OpId {
        if let Some(last) = self.ops.last() {
            assert!(last.invoked <= invoked, "operations are invoked in the order of the clock");
        }
        if let Kind::Increment { by } = kind {
            assert!(by > 0, "an increment by nothing is a read");
        }
        let id = OpId(u32::try_from(self.ops.len()).expect("a run has fewer than 2^32 operations"));
        let key = key.into();
        self.ops.push(Op { id, client, key, kind, invoked, bound, ended: None, outcome: Outcome::Open });
        id
    }

    /// The operation was answered, or its client gave it up for the reason in `outcome`.
    ///
    /// # Panics
    /// If it has ended before, ends before it was invoked, or `outcome` is [`Outcome::Open`].
    pub fn end(&mut self, id: OpId, ended: Mono, outcome: Outcome) {
        assert_ne!(outcome, Outcome::Open, "an operation ends in an answer or in a failure");
        let op = self.ops.get_mut(id.0 as usize).expect("the operation was invoked in this history");
        assert_eq!(op.outcome, Outcome::Open, "operation {id} ends once");
        assert!(op.invoked <= ended, "operation {id} ends after it began");
        op.ended = Some(ended);
        op.outcome = outcome;
    }

    /// What would have refused whoever asks below these keys is gone: from here on an operation that is open may be
    /// answered instead, which may take this long.
    pub fn extend(&mut self, begin: &str, bound: Duration) {
        for op in self.ops.iter_mut().filter(|op| op.outcome == Outcome::Open && op.key.starts_with(begin)) {
            op.bound = op.bound.max(bound);
        }
    }

    /// All operations, in the order of invocation.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// How many were acknowledged.
    pub fn acknowledged(&self) -> u64 {
        count(&self.ops, Op::acknowledged)
    }

    /// How many failed.
    pub fn failed(&self) -> u64 {
        count(&self.ops, |op| matches!(op.outcome, Outcome::Failed { .. }))
    }
}

fn count(ops: &[Op], which: impl Fn(&Op) -> bool) -> u64 {
    u64::try_from(ops.iter().filter(|op| which(op)).count()).expect("a count of operations fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_open_until_it_ends_once() {
        let mut history = History::new();
        let bound = Duration::from_secs(1);
        let id = history.invoke(ClientId(0), "a", Kind::Increment { by: 1 }, Mono(5), bound);
        assert!(history.ops()[0].ambiguous(), "nobody knows yet");
        history.end(id, Mono(9), Outcome::Acknowledged { value: 1 });
        assert!(!history.ops()[0].ambiguous());
        assert_eq!((history.acknowledged(), history.failed()), (1, 0));
    }

    #[test]
    #[should_panic(expected = "ends once")]
    fn an_operation_does_not_end_twice() {
        let mut history = History::new();
        let id = history.invoke(ClientId(0), "a", Kind::Read, Mono(5), Duration::ZERO);
        history.end(id, Mono(9), Outcome::Acknowledged { value: 1 });
        history.end(id, Mono(9), Outcome::Acknowledged { value: 1 });
    }
}
