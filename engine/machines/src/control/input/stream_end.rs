//! How a serverless stream ends.

/// How a serverless stream ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StreamEnd {
    /// The engine asked for it.
    Closed,
    /// The body ended in order.
    Clean,
    /// Status other than 200.
    Http {
        /// Status code.
        status: u16,
        /// Start of the body, cut at 512 bytes.
        body: String,
    },
    /// No connection, a broken one, or not an event stream.
    Connection {
        /// For people, cut at 512 bytes.
        message: String,
    },
    /// An event that does not decode.
    Payload {
        /// For people, cut at 512 bytes.
        message: String,
    },
}

impl StreamEnd {
    /// Stable name, without what an application answered: that may hold anything.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Clean => "clean",
            Self::Http { .. } => "http",
            Self::Connection { .. } => "connection",
            Self::Payload { .. } => "payload",
        }
    }
}
