//! Numbers that name something inside one process. They are given out in order, never reused within a process's
//! life, and mean nothing after it: never stored, never sent.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $short:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl $name {
            /// The handle after this one.
            ///
            /// # Panics
            /// After 2⁶⁴ handles, which no process lives to see.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.checked_add(1).expect("a process gives out fewer than 2^64 handles"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($short, "{}"), self.0)
            }
        }
    };
}

handle!(
    /// A socket of a runner, from its upgrade to its close.
    ConnId,
    "conn"
);
handle!(
    /// An outbound serverless request with its event stream.
    StreamId,
    "stream"
);
handle!(
    /// An outbound request for an application's metadata.
    FetchId,
    "fetch"
);
handle!(
    /// A payload that a driver holds and a machine only speaks of.
    BodyId,
    "body"
);
handle!(
    /// Whom an answer goes to: the driver keeps the waiter, the machine returns the ticket.
    Ticket,
    "t"
);
