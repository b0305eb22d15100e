//! Decisions pinned from the command line: `STREAM#ORDINAL=VALUE`.

use std::str::FromStr;

use sim::Overrides;

/// One decision and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    stream: String,
    ordinal: u64,
    value: u64,
}

/// Why a text pins nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pin is STREAM#ORDINAL=VALUE, such as crash/engine#0=3")]
pub(super) struct PinError;

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        // A stream's name may hold both separators: the last ones count.
        let (decision, value) = text.rsplit_once('=').ok_or(PinError)?;
        let (stream, ordinal) = decision.rsplit_once('#').ok_or(PinError)?;
        let number = |text: &str| text.parse().map_err(|_| PinError);
        if stream.is_empty() {
            return Err(PinError);
        }
        Ok(Self { stream: stream.to_owned(), ordinal: number(ordinal)?, value: number(value)? })
    }
}

/// All of them, as the simulator takes them. Of two for one decision the later counts.
pub(super) fn overrides(pins: &[Pin]) -> Overrides {
    let mut overrides = Overrides::new();
    for Pin { stream, ordinal, value } in pins {
        overrides.pin(stream, *ordinal, *value);
    }
    overrides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_names_a_decision_and_its_value() {
        let pin: Pin = "latency/engine→app#3#17=250".parse().unwrap();
        assert_eq!(pin, Pin { stream: "latency/engine→app#3".to_owned(), ordinal: 17, value: 250 });
        for bad in ["", "pick", "pick#1", "pick=1", "#1=1", "pick#x=1", "pick#1=y"] {
            assert_eq!(bad.parse::<Pin>(), Err(PinError), "{bad}");
        }
    }
}
