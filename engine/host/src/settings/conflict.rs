//! Values that make no sense together.

use super::{Setting, Value};
use crate::Options;

/// Two settings of which one must stay below the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{lesser}` ({lesser_value}) must be less than `{greater}` ({greater_value}): {why}")]
pub struct Conflict {
    /// What must be less.
    pub lesser: &'static str,
    /// What it is.
    pub lesser_value: Value,
    /// What must be more.
    pub greater: &'static str,
    /// What it is.
    pub greater_value: Value,
    /// Why.
    pub why: &'static str,
}

/// Each first one is less than its second one, for the third reason.
const ORDERS: &[(&str, &str, &str)] = &[
    ("control.ping-interval", "control.eligible-threshold", "a runner that lives must be seen to"),
    ("control.eligible-threshold", "control.lost-threshold", "who is lost takes no actors"),
    (
        "control.init-timeout",
        "control.lost-threshold",
        "a socket without Init ends before its runner is lost",
    ),
    ("control.grace", "control.lost-threshold", "a closed socket is not waited for longer than a silent one"),
    ("control.start-threshold", "control.stop-threshold", "stopping may take as long as starting"),
    ("control.stream-backoff-base", "control.stream-backoff-max", "the first delay is the shortest"),
    ("gateway.fail-fast", "gateway.ready-timeout", "failing fast is faster than waiting"),
    ("gateway.retry-delay", "gateway.ready-timeout", "a second attempt must be possible"),
    ("limits.health-timeout", "limits.api-timeout", "health is one of the calls"),
    ("limits.body-bytes-max", "limits.bodies-bytes-max", "one body must fit among all"),
];

/// All conflicts within these options.
#[must_use]
pub fn conflicts(options: &Options) -> Vec<Conflict> {
    let value = |path| Setting::by_path(path).expect("orders are of settings").get(options);
    let broken = ORDERS.iter().filter(|(lesser, greater, _)| value(lesser) >= value(greater));
    broken
        .map(|(lesser, greater, why)| Conflict {
            lesser,
            lesser_value: value(lesser),
            greater,
            greater_value: value(greater),
            why,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn defaults_agree_and_each_disorder_is_told() {
        assert_eq!(conflicts(&Options::new("")), []);
        let mut options = Options::new("");
        options.control.lost_threshold = Duration::from_secs(3);
        let told: Vec<_> = conflicts(&options).iter().map(|conflict| conflict.lesser).collect();
        assert_eq!(told, ["control.eligible-threshold", "control.init-timeout", "control.grace"]);
        assert_eq!(
            conflicts(&options)[2].to_string(),
            "`control.grace` (3s) must be less than `control.lost-threshold` (3s): a closed socket is not waited for \
             longer than a silent one"
        );
    }
}
