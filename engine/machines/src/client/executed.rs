//! Whether a call that failed had its effect.

/// Whether a call had its effect. Ordered by how much may have happened: of several attempts the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Executed {
    /// No actor has begun with it: it may be sent again.
    No,
    /// Nobody knows: sent again, it may be carried out twice.
    Maybe,
    /// The actor carried it out, and what it answered is the failure.
    Yes,
}
