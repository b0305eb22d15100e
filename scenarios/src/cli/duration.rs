//! Spans of time, as people type and read them: `500ms`, `60s`, `5m`, `1h`.

use std::time::Duration;

/// Why a text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a span of time is a whole number above zero with ms, s, m or h, such as 60s")]
pub(super) struct DurationError;

/// Reads a span of time.
pub(super) fn parse(text: &str) -> Result<Duration, DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| DurationError)?;
    let millis = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1_000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    millis.filter(|millis| *millis > 0).map(Duration::from_millis).ok_or(DurationError)
}

/// Writes a span of time with as much of it as people need.
pub(super) fn short(span: Duration) -> String {
    match span.as_secs() {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        seconds @ 60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse("2h"), Ok(Duration::from_secs(7_200)));
        for bad in
            ["", "60", "s", "0s", "0ms", "1.5s", "-1s", "1d", "99999999999999999999s", "9999999999999999999h"]
        {
            assert_eq!(parse(bad), Err(DurationError), "{bad}");
        }
        assert_eq!(short(Duration::from_millis(1_234)), "1.2 s");
        assert_eq!(short(Duration::from_secs(61)), "1 min 1 s");
        assert_eq!(short(Duration::from_secs(7_260)), "2 h 1 min");
    }
}
