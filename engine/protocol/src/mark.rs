//! Marks: names for rare branches, so that a test can demand that it went there and a search can tell which it never
//! saw.
//!
//! [`mark!`](crate::mark!) costs one increment of a counter of the thread; a simulated run is one thread, so its hits
//! are its own. Every mark of the binary is known before any is hit: it registers itself when the binary is linked.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::thread::LocalKey;

#[doc(hidden)]
pub use linkme;

/// A place in the code that was given a name.
#[derive(Debug)]
pub struct Mark {
    /// The name. Places of one name are counted together.
    pub name: &'static str,
    /// Its source file.
    pub file: &'static str,
    /// Its line there.
    pub line: u32,
    #[doc(hidden)]
    pub hits: LocalKey<Cell<u64>>,
}

/// The marks of this binary, put here by the linker.
#[doc(hidden)]
#[linkme::distributed_slice]
pub static MARKS: [Mark];

/// Counts this place under a name: `mark!("start_resent")`.
#[macro_export]
macro_rules! mark {
    ($name:literal) => {{
        ::std::thread_local! {
            static HITS: ::std::cell::Cell<u64> = const { ::std::cell::Cell::new(0) };
        }
        #[expect(unsafe_code, reason = "linkme places the static in a section that it alone reads")]
        const _: () = {
            #[$crate::mark::linkme::distributed_slice($crate::mark::MARKS)]
            #[linkme(crate = $crate::mark::linkme)]
            static MARK: $crate::mark::Mark =
                $crate::mark::Mark { name: $name, file: ::std::file!(), line: ::std::line!(), hits: HITS };
        };
        HITS.set(HITS.get() + 1);
    }};
}

/// How often each mark was hit on this thread since it began or since [`reset`], by name; those never hit are there
/// with zero.
pub fn hits() -> BTreeMap<&'static str, u64> {
    let mut hits = BTreeMap::new();
    for mark in all() {
        *hits.entry(mark.name).or_insert(0) += mark.hits.get();
    }
    hits
}

/// Sets every count of this thread to zero.
pub fn reset() {
    for mark in all() {
        mark.hits.set(0);
    }
}

/// Every mark of this binary, hit or not, in no order that means anything.
pub fn all() -> &'static [Mark] {
    &MARKS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(rare: bool) {
        if rare {
            mark!("protocol_test_rare");
        } else {
            mark!("protocol_test_common");
        }
    }

    fn counts() -> (u64, u64) {
        let hits = hits();
        (hits["protocol_test_rare"], hits["protocol_test_common"])
    }

    #[test]
    fn hits_are_counted_by_name_and_known_before_the_first() {
        reset();
        assert_eq!(counts(), (0, 0));
        branch(true);
        branch(false);
        branch(false);
        assert_eq!(counts(), (1, 2));
        reset();
        assert_eq!(counts(), (0, 0));
    }

    #[test]
    fn a_mark_knows_where_it_is() {
        let mark = all().iter().find(|mark| mark.name == "protocol_test_rare").unwrap();
        assert!(mark.file.ends_with("mark.rs"), "{}", mark.file);
        assert!(mark.line > 0);
    }
}
