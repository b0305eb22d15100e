//! Marks as another crate uses them: the macro from outside, and counts of one thread only.

use protocol::{mark, mark::hits};

/// Two instantiations, one mark.
fn generic<T: PartialOrd>(left: T, right: T) -> bool {
    if left < right {
        mark!("outside_less");
        return true;
    }
    false
}

#[test]
fn each_thread_counts_for_itself() {
    assert_eq!(hits()["outside_less"], 0);
    assert!(generic(1, 2) && generic("a", "b") && !generic(2, 1));
    assert_eq!(hits()["outside_less"], 2);
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| hits()["outside_less"]).join()).unwrap();
    assert_eq!(elsewhere, 0);
}

#[test]
fn every_mark_of_this_binary_is_known_unhit() {
    let names: Vec<_> = mark::all().iter().map(|mark| (mark.name, mark.file)).collect();
    assert_eq!(names, [("outside_less", file!())]);
}
