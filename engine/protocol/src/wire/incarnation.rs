//! Which life of a runner an Init speaks for.
//!
//! An identity (its key) outlives the process that has it: a later one may dial under it while the one before still runs,
//! and no field of the protocol tells them apart. Runners of ours say in the metadata of their Init which life they are:
//! `{"rehearsal":{"version":"0.1.0","incarnation":"9f86d081884c7d65"}}`. Others say nothing, and are taken for the same.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Metadata {
    rehearsal: Ours,
}

#[derive(Debug, Serialize, Deserialize)]
struct Ours {
    version: String,
    incarnation: String,
}

/// The metadata of an Init of ours.
pub fn metadata_of(version: &str, incarnation: u64) -> String {
    let rehearsal = Ours { version: version.to_owned(), incarnation: format!("{incarnation:016x}") };
    serde_json::to_string(&Metadata { rehearsal }).expect("text is JSON")
}

/// Whether two Inits of one identity come from two lives, by their metadata: both must say so.
pub fn is_another_life(one: Option<&str>, other: Option<&str>) -> bool {
    let life = |text: Option<&str>| {
        let metadata: Metadata = serde_json::from_str(text?).ok()?;
        Some(metadata.rehearsal.incarnation)
    };
    matches!((life(one), life(other)), (Some(one), Some(other)) if one != other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_differ_where_both_say_so() {
        let (one, other) = (metadata_of("0.1.0", 7), metadata_of("0.2.0", 8));
        assert_eq!(one, r#"{"rehearsal":{"version":"0.1.0","incarnation":"0000000000000007"}}"#);
        assert!(is_another_life(Some(&one), Some(&other)));
        let upgraded = metadata_of("0.2.0", 7);
        assert!(!is_another_life(Some(&one), Some(&upgraded)));
        for silent in [None, Some(r#"{"rivetkit":{"version":"2.2.1"}}"#), Some("?"), Some("")] {
            assert!(!is_another_life(Some(&one), silent), "{silent:?}");
            assert!(!is_another_life(silent, silent), "{silent:?}");
        }
    }
}
