//! Server-sent events, read piece by piece.
//!
//! What an application writes into its event stream, as the HTML standard (§9.2) says: fields in lines that end in LF,
//! CR or CRLF, an empty line ends an event. Pieces may be cut anywhere. Not here: what an event means.

use std::mem;

use protocol::limits::SSE_DATA_BYTES_MAX;

/// Longest line: the largest data and a field name.
const LINE_BYTES_MAX: usize = SSE_DATA_BYTES_MAX + 64;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type; empty if it names none.
    pub kind: String,
    /// Its data, lines joined by LF.
    pub data: String,
}

/// Why a stream is no event stream any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line is too long.
    #[error("a line of more than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    /// The lines of one event hold too much data.
    #[error("an event with more than {SSE_DATA_BYTES_MAX} bytes of data")]
    DataTooLong,
    /// A line is not UTF-8.
    #[error("a line that is not utf-8")]
    Utf8,
}

/// Reads one stream.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The last line ended in CR: an LF that follows belongs to it.
    after_cr: bool,
    /// Whether a line was read; a byte order mark may come before the first.
    begun: bool,
    event: Event,
    /// Whether the current event has any field.
    fields: bool,
}

impl Parser {
    /// At the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the next piece and appends the events that end in it to `out`.
    ///
    /// # Errors
    /// [`SseError`]; the stream is of no use then.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<Event>) -> Result<(), SseError> {
        for byte in piece {
            let after_cr = mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' => self.end_line(out)?,
                b'\r' => {
                    self.after_cr = true;
                    self.end_line(out)?;
                }
                _ if self.line.len() == LINE_BYTES_MAX => return Err(SseError::LineTooLong),
                byte => self.line.push(*byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self, out: &mut Vec<Event>) -> Result<(), SseError> {
        let line = mem::take(&mut self.line);
        let mut text = std::str::from_utf8(&line).map_err(|_| SseError::Utf8)?;
        if !mem::replace(&mut self.begun, true) {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        if text.is_empty() {
            if mem::take(&mut self.fields) {
                let mut event = mem::take(&mut self.event);
                // Each data line has added an LF behind it; the last one is no part of the data.
                event.data.pop();
                out.push(event);
            }
            return Ok(());
        }
        let (field, value) = text.split_once(':').unwrap_or((text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            // A comment.
            "" => return Ok(()),
            "event" => value.clone_into(&mut self.event.kind),
            "data" => {
                if self.event.data.len() + value.len() > SSE_DATA_BYTES_MAX {
                    return Err(SseError::DataTooLong);
                }
                self.event.data.push_str(value);
                self.event.data.push('\n');
            }
            // `id`, `retry` and what nobody knows.
            _ => {}
        }
        self.fields = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<Event>, SseError> {
        let (mut parser, mut out) = (Parser::new(), Vec::new());
        for piece in pieces {
            parser.feed(piece, &mut out)?;
        }
        Ok(out)
    }

    fn event(kind: &str, data: &str) -> Event {
        Event { kind: kind.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn what_an_application_writes_is_read() {
        let seen = b"data: BwAA\n\nevent: ping\ndata: \n\nevent: ping\ndata:\n\n";
        assert_eq!(read(&[seen]).unwrap(), [event("", "BwAA"), event("ping", ""), event("ping", "")]);
    }

    #[test]
    fn the_corners_of_the_standard_hold() {
        assert_eq!(read(&["\u{feff}data: a\r\n\r\n".as_bytes()]).unwrap(), [event("", "a")]);
        assert_eq!(read(&[b"data: a\rdata:b\r\r"]).unwrap(), [event("", "a\nb")]);
        assert_eq!(read(&[b": comment\n\n\n"]).unwrap(), []);
        assert_eq!(read(&[b"data\n\n"]).unwrap(), [event("", "")]);
        assert_eq!(read(&[b"data:  two\nid: 7\n\n"]).unwrap(), [event("", " two")]);
        // What has not ended is no event.
        assert_eq!(read(&[b"data: a\n"]).unwrap(), []);
    }

    #[test]
    fn every_bound_holds() {
        let longest = "x".repeat(SSE_DATA_BYTES_MAX);
        assert_eq!(read(&[format!("data:{longest}\n\n").as_bytes()]).unwrap(), [event("", &longest)]);
        let two = format!("data:{longest}\ndata:y\n\n");
        assert_eq!(read(&[two.as_bytes()]), Err(SseError::DataTooLong));
        let endless = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(read(&[&endless]), Err(SseError::LineTooLong));
        assert_eq!(read(&[b"data: \xff\n"]), Err(SseError::Utf8));
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            "data: [a-z:]{0,8}",
            "event: [a-z]{0,4}",
            ": [a-z]{0,4}",
            Just(String::new()),
            Just("retry: 3".to_owned()),
            Just("data: ü".to_owned()),
        ];
        let end = prop_oneof![Just("\n"), Just("\r"), Just("\r\n")];
        prop::collection::vec((line, end), 0..12).prop_map(|lines| {
            lines.into_iter().flat_map(|(line, end)| [line.into_bytes(), end.into()].concat()).collect()
        })
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
            let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<_> = at.windows(2).map(|ends| &stream[ends[0]..ends[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[&stream]));
            let bytes: Vec<_> = stream.chunks(1).collect();
            prop_assert_eq!(read(&bytes), read(&[&stream]));
        }

        #[test]
        fn hostile_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            let _outcome = read(&[&bytes]);
        }
    }
}
