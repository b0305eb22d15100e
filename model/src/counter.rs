//! Whether one actor's count tells the truth: no acknowledged increment lost, none repeated, no stale read.
//!
//! The count is a chain of steps. An acknowledged increment by `d` that answered `v` is the step from `v − d` to `v`,
//! taken at one moment between its invocation and its answer; a read that answered `v` saw the count rest at `v` at
//! one moment of its own. Values are unique, so acknowledged operations leave no choice in the chain; the only
//! freedom lies in its gaps, which ambiguous increments must fill exactly.
//!
//! An ambiguous increment (its failure says that it may have been carried out, or it is still open) happened zero or
//! one time, at any moment from its invocation on **without an end**: when its failure is heard, its bytes may still
//! lie in a socket buffer, at the gateway or with an actor that is stalled, and nothing a client hears bounds how
//! long. So only its invocation limits it.
//!
//! A history is true exactly if moments can be found that never decrease along the chain. Since each step's window
//! is an interval, this needs no search: every operation must begin no later than each later link of the chain ends,
//! and in every gap the fillers must have been invoked no later than the gap's end. Which filler goes where does not
//! matter as long as the earliest invoked is used first: later gaps end no earlier. With increments of several
//! sizes the numbers used of each size are carried along (see [`gaps`]). `tests/linearizable.rs` compares all this
//! with a search that tries every order.

pub mod gaps;

use protocol::time::Mono;

use crate::history::{Kind, Op, OpId};

use gaps::{Fillers, Gap};

/// Why a count is false.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Falsehood {
    /// An increment answered less than its own step.
    #[error("increment {op} by {by} was acknowledged with a count of {value}, less than its own step")]
    TooSmall {
        /// The increment.
        op: OpId,
        /// Its step.
        by: u64,
        /// Its answer.
        value: u64,
    },
    /// Two acknowledged increments claim the same step.
    #[error(
        "increments {first} and {second} were both acknowledged for the step to {value}: one of them is lost"
    )]
    SameStep {
        /// One.
        first: OpId,
        /// The other.
        second: OpId,
        /// The lower of their answers.
        value: u64,
    },
    /// A read saw a count in the middle of a step.
    #[error("read {read} saw {value}, but increment {op} went past it in one step")]
    Torn {
        /// The read.
        read: OpId,
        /// What it saw.
        value: u64,
        /// The increment.
        op: OpId,
    },
    /// The count went back.
    #[error(
        "{later} answered {later_value}, but had ended before {earlier} began, which answered {earlier_value}: an acknowledged increment was lost, or a read was stale"
    )]
    WentBack {
        /// The operation with the lower answer, which began later.
        earlier: OpId,
        /// Its answer.
        earlier_value: u64,
        /// The operation with the higher answer, which ended earlier.
        later: OpId,
        /// Its answer.
        later_value: u64,
    },
    /// The count rose by more than anybody asked for.
    #[error(
        "before {next} the count rose from {from} to {to} without an acknowledged increment, and the {available} ambiguous increments invoked until then do not add up to it: an increment was repeated, or counted unasked"
    )]
    Unexplained {
        /// The operation that shows it.
        next: OpId,
        /// The last count that is explained.
        from: u64,
        /// The count `next` found.
        to: u64,
        /// How many ambiguous increments could have been used.
        available: usize,
    },
    /// Ambiguous increments of so many sizes that the question was given up, which is no verdict.
    #[error(
        "before {next} ambiguous increments of too many sizes leave the count undecided: let clients use fewer sizes"
    )]
    Undecided {
        /// The operation up to which it was decided.
        next: OpId,
    },
}

impl Falsehood {
    /// The operation that shows it.
    pub const fn shown_by(&self) -> OpId {
        match self {
            Self::TooSmall { op, .. } => *op,
            Self::SameStep { second, .. } => *second,
            Self::Torn { read, .. } => *read,
            Self::WentBack { earlier, .. } => *earlier,
            Self::Unexplained { next, .. } | Self::Undecided { next } => *next,
        }
    }
}

/// A link of the chain: an acknowledged operation.
#[derive(Clone, Copy, Debug)]
struct Link {
    id: OpId,
    /// The count before it; for a read the same as `to`.
    from: u64,
    /// The count it answered.
    to: u64,
    invoked: Mono,
    ended: Mono,
    read: bool,
}

/// Judges the operations of one key, from a count of zero. Operations that are neither increments nor reads are
/// ignored.
///
/// # Errors
/// The first falsehood along the chain.
pub fn check(ops: &[&Op]) -> Result<(), Falsehood> {
    let chain = chain(ops)?;
    in_one_piece(&chain)?;
    in_order(&chain)?;
    filled(&chain, Fillers::new(ops))
}

/// The acknowledged operations along the count: after the step to a value come the reads of it.
fn chain(ops: &[&Op]) -> Result<Vec<Link>, Falsehood> {
    let mut chain = Vec::new();
    for op in ops {
        let (Some(value), Some(ended)) = (op.value(), op.ended) else { continue };
        let (by, read) = match op.kind {
            Kind::Increment { by } => (by, false),
            Kind::Read => (0, true),
            Kind::Create | Kind::Call(_) => continue,
        };
        let Some(from) = value.checked_sub(by) else {
            return Err(Falsehood::TooSmall { op: op.id, by, value });
        };
        chain.push(Link { id: op.id, from, to: value, invoked: op.invoked, ended, read });
    }
    chain.sort_by_key(|link| (link.to, link.read, link.id));
    Ok(chain)
}

/// No two steps overlap, and no read lies inside one.
fn in_one_piece(chain: &[Link]) -> Result<(), Falsehood> {
    let mut steps = chain.iter().filter(|link| !link.read);
    let mut before = steps.next();
    for step in steps {
        let last = before.expect("a step came before this one");
        if step.from < last.to {
            let (first, second) = if last.ended <= step.ended { (last, step) } else { (step, last) };
            return Err(Falsehood::SameStep { first: first.id, second: second.id, value: last.to });
        }
        before = Some(step);
    }
    let mut above: Option<&Link> = None;
    for link in chain.iter().rev() {
        match above {
            Some(step) if link.read && step.from < link.to => {
                return Err(Falsehood::Torn { read: link.id, value: link.to, op: step.id });
            }
            Some(_) | None if !link.read => above = Some(link),
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Nothing higher on the chain ended before something lower began. Reads of one value have no order.
fn in_order(chain: &[Link]) -> Result<(), Falsehood> {
    let mut latest: Option<&Link> = None;
    let mut start = 0;
    while start < chain.len() {
        let value = chain[start].to;
        let group = chain[start..].iter().take_while(|link| link.to == value).count();
        let (step, reads) = match chain[start].read {
            true => (None, &chain[start..start + group]),
            false => (Some(&chain[start]), &chain[start + 1..start + group]),
        };
        latest = after(latest, step.into_iter())?;
        let before_reads = latest;
        for read in reads {
            after(before_reads, std::iter::once(read))?;
            latest = [latest, Some(read)].into_iter().flatten().max_by_key(|link| link.invoked);
        }
        start += group;
    }
    Ok(())
}

/// Checks `links` against the link below them that began last; answers which of all of them did.
fn after<'chain>(
    latest: Option<&'chain Link>,
    links: impl Iterator<Item = &'chain Link>,
) -> Result<Option<&'chain Link>, Falsehood> {
    let mut newest = latest;
    for link in links {
        if let Some(low) = latest.filter(|low| link.ended < low.invoked) {
            return Err(Falsehood::WentBack {
                earlier: low.id,
                earlier_value: low.to,
                later: link.id,
                later_value: link.to,
            });
        }
        newest = [newest, Some(link)].into_iter().flatten().max_by_key(|link| link.invoked);
    }
    Ok(newest)
}

/// Every rise that nobody acknowledged is made of ambiguous increments.
fn filled(chain: &[Link], mut fillers: Fillers) -> Result<(), Falsehood> {
    // A gap ends no later than any link above it.
    let mut until = Mono::MAX;
    let mut ends: Vec<Mono> = chain
        .iter()
        .rev()
        .map(|link| {
            until = until.min(link.ended);
            until
        })
        .collect();
    ends.reverse();
    let mut count = 0;
    for (link, end) in chain.iter().zip(ends) {
        assert!(link.from >= count, "steps do not overlap and reads lie between them");
        if link.from > count {
            fillers.fill(Gap { rise: link.from - count, end }).map_err(|unfilled| match unfilled {
                gaps::Unfilled::TooFew { available } => {
                    Falsehood::Unexplained { next: link.id, from: count, to: link.from, available }
                }
                gaps::Unfilled::TooManySizes => Falsehood::Undecided { next: link.id },
            })?;
        }
        count = link.to;
    }
    Ok(())
}
