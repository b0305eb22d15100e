//! Destroyed actors: listed for a while, then forgotten, a few in each step.

use std::time::Duration;

use protocol::error::Code;

use super::plane::{Plane, actor};
use crate::control::effect::Answer;
use crate::control::input::{ActorFilter, Call, Page};
use crate::control::record::Key;
use crate::control::{Effect, Input, Options};

const DAY: u64 = 24 * 3_600 * 1_000;

fn listed(plane: &mut Plane) -> Vec<String> {
    let page = Page { limit: 1_000, cursor: None };
    let filter = ActorFilter::Name { name: "counter".into(), key: None, include_destroyed: true, page };
    let call = Call::ListActors { namespace: "default".into(), filter };
    let Ok(Answer::Actors(actors, None)) = plane.call(call) else { panic!("they are listed") };
    actors.into_iter().filter_map(|actor| actor.key).collect()
}

fn deletes(effects: &[Effect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, Effect::Delete(Key::Actor(_)))).count()
}

/// So many actors that were created and destroyed, a millisecond apart.
fn destroyed(count: usize, options: Options) -> Plane {
    let mut plane = Plane::with(options);
    plane.normal();
    for number in 0..count {
        let name = format!("a{number}x");
        plane.create(&name).delete(&name).after(1);
    }
    plane
}

#[test]
fn a_destroyed_actor_is_told_of_for_a_week_and_then_unknown() {
    let mut plane = destroyed(1, Options::default());
    plane.watch("a0x").after(7 * DAY - 2);
    assert_eq!(listed(&mut plane), ["a0x"]);
    plane.after(1);
    assert_eq!(listed(&mut plane), Vec::<String>::new());
    assert!(!plane.stored.contains_key(&Key::Actor(actor("a0x"))), "its record is gone as well");
    let call = Call::DeleteActor { namespace: None, actor: actor("a0x") };
    assert_eq!(plane.call(call).unwrap_err().kind(), Code::ActorNotFound);
    let call = Call::ListActors { namespace: "default".into(), filter: ActorFilter::Ids(vec![actor("a0x")]) };
    assert_eq!(plane.call(call).unwrap(), Answer::Actors(Vec::new(), None));
    plane.create("a0x");
    assert_eq!(plane.phase("a0x"), "pending", "nothing of it is left, not even its id");
}

#[test]
fn a_purge_is_spread_over_steps() {
    let mut plane = destroyed(150, Options::default());
    plane.now = plane.now.after(Duration::from_millis(8 * DAY));
    let mut batches = Vec::new();
    while plane.control.actors.destroyed() > 0 {
        let mut out = Vec::new();
        plane.control.handle(plane.now, Input::Tick, &mut out);
        batches.push(deletes(&out));
        plane.now = plane.now.after(Duration::from_millis(100));
    }
    assert_eq!(batches, [64, 64, 22]);
    plane.control.check();
}

#[test]
fn beyond_the_most_the_oldest_are_forgotten_at_once() {
    let mut plane = destroyed(5, Options { destroyed_max: 3, ..Options::default() });
    assert_eq!(listed(&mut plane), ["a4x", "a3x", "a2x"]);
    plane.after(7 * DAY - 3);
    assert_eq!(listed(&mut plane), ["a4x", "a3x"]);
}

/// One destruction with each input, and no time for a deadline in between.
#[test]
fn there_are_no_more_however_fast_they_are_destroyed() {
    let mut plane = Plane::with(Options { destroyed_max: 3, ..Options::default() });
    plane.normal();
    for number in 0..50 {
        let name = format!("a{number}x");
        plane.create(&name).delete(&name);
        assert!(plane.control.actors.destroyed() <= 3);
    }
}

#[test]
fn a_smaller_bound_and_a_restart_are_kept_to() {
    let mut plane = destroyed(5, Options::default());
    plane.control.options.destroyed_max = 2;
    plane.restart(1_000);
    assert_eq!(listed(&mut plane), ["a4x", "a3x"]);
    plane.restart(7 * DAY).after(100);
    assert_eq!(listed(&mut plane), Vec::<String>::new());
}

#[test]
fn nothing_of_a_living_actor_is_forgotten() {
    let mut plane = destroyed(2, Options::default());
    plane.create("b").after(8 * DAY);
    assert_eq!((listed(&mut plane), plane.phase("b")), (vec!["b".to_owned()], "pending"));
}
