//! A pager over a storage that fails and a driver that crashes, at random and in every way there is.

mod every;
mod random;
mod world;

use super::{Effect, End, Head, Input, Options, Pager, Side, Sides, Slot};
use world::Disk;

fn slot(side: Side, page: u32) -> Slot {
    Slot { side, page }
}

fn dirty(pages: impl IntoIterator<Item = u32>) -> std::collections::BTreeSet<u32> {
    pages.into_iter().collect()
}

/// An empty database, loaded.
fn empty(keys_max: usize) -> Pager {
    let mut pager = Pager::new(Options { keys_max, list_max: 10, pages_max: 100 });
    for input in [Input::Load, Input::Stored(None), Input::Listed(Vec::new())] {
        pager.handle(input, &mut Vec::new());
    }
    assert!(pager.is_ready());
    pager
}

fn step(pager: &mut Pager, input: Input) -> Vec<Effect> {
    let mut out = Vec::new();
    pager.handle(input, &mut out);
    pager.check();
    out
}

#[test]
fn a_commit_that_fits_is_one_put_in_place() {
    let mut pager = empty(4);
    let out = step(&mut pager, Input::Commit { pages: 3, dirty: dirty(0..3) });
    let head = Some(Head { commit: 1, pages: 3 });
    let slots = (0..3).map(|page| slot(Side::A, page)).collect();
    assert_eq!(out, [Effect::Put { slots, head, sides: None }]);
    assert_eq!(
        step(&mut pager, Input::Done),
        [Effect::Ended(End::Committed)],
        "nothing is left to be deleted"
    );
}

#[test]
fn a_larger_commit_writes_beside_and_turns_with_its_last_put() {
    let mut pager = empty(4);
    step(&mut pager, Input::Commit { pages: 3, dirty: dirty(0..3) });
    step(&mut pager, Input::Done);
    let out = step(&mut pager, Input::Commit { pages: 5, dirty: dirty(0..5) });
    let slots = (0..4).map(|page| slot(Side::B, page)).collect();
    assert_eq!(out, [Effect::Put { slots, head: None, sides: None }]);
    let head = Some(Head { commit: 2, pages: 5 });
    let sides = Some(Sides::from_bytes(vec![0b1_1111]));
    let slots = vec![slot(Side::B, 4)];
    assert_eq!(step(&mut pager, Input::Done), [Effect::Put { slots, head, sides }]);
    let slots = (0..3).map(|page| slot(Side::A, page)).collect();
    let swept = [Effect::Ended(End::Committed), Effect::Delete { slots }];
    assert_eq!(step(&mut pager, Input::Done), swept, "what counted before is deleted after");
    assert!(!pager.is_ready(), "not before it is deleted");
    assert_eq!(step(&mut pager, Input::Done), []);
    assert!(pager.is_ready());
}

#[test]
fn a_commit_that_changes_nothing_sends_nothing() {
    let mut pager = empty(4);
    let out = step(&mut pager, Input::Commit { pages: 0, dirty: dirty([]) });
    assert_eq!(out, [Effect::Ended(End::Committed)]);
}

#[test]
fn a_stored_database_beyond_its_bound_is_not_loaded() {
    let mut pager = Pager::new(Options { keys_max: 4, list_max: 10, pages_max: 100 });
    step(&mut pager, Input::Load);
    let stored = Some((Head { commit: 1, pages: 101 }, Sides::new()));
    assert_eq!(step(&mut pager, Input::Stored(stored)), [Effect::Ended(End::TooLarge { pages: 101 })]);
    assert!(!pager.is_ready());
}

#[test]
fn a_missing_page_is_damage() {
    let mut disk = Disk { head: Some(Head { commit: 1, pages: 2 }), ..Disk::default() };
    disk.slots.insert(slot(Side::A, 0), 1);
    disk.slots.insert(slot(Side::B, 1), 1);
    assert_eq!(disk.recovered(), Err(End::Damaged), "the place that holds something does not count");
    disk.slots.insert(slot(Side::A, 1), 2);
    assert_eq!(disk.recovered(), Ok(vec![1, 2]));
}
