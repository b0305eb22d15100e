//! Restoring: what survives, what is derived, what is refused.

use std::collections::BTreeMap;

use protocol::id::NamespaceId;

use super::plane::{BOOT, Plane, runner};
use crate::control::record::{Key, Phase, Record};
use crate::control::{Control, Effect, Options, RestoreError};

fn restore(records: BTreeMap<Key, Record>) -> Result<(Control, Vec<Effect>), RestoreError> {
    let mut out = Vec::new();
    let fresh = NamespaceId::from_entropy([9; 16]);
    let control = Control::restore(Options::default(), BOOT, fresh, records, &mut out)?;
    control.check();
    Ok((control, out))
}

#[test]
fn an_empty_store_gets_its_first_namespace_once() {
    let (control, out) = restore(BTreeMap::new()).unwrap();
    assert!(matches!(&out[..], [Effect::Put(Key::Namespace(_), _)]));
    let (_, out) = restore(control.records().collect()).unwrap();
    assert_eq!(out, []);
}

#[test]
fn a_restored_state_stores_as_the_same_records() {
    let mut plane = Plane::new();
    plane
        .normal()
        .runner("r", 3)
        .create("a")
        .create("b")
        .create("c")
        .running("r", "a")
        .sleeps("r", "a")
        .delete("c");
    let (control, out) = restore(plane.stored.clone()).unwrap();
    let changed: Vec<_> = out
        .iter()
        .map(|effect| match effect {
            Effect::Put(key, _) => key.clone(),
            other => panic!("nothing is performed by looking at it: {other:?}"),
        })
        .collect();
    assert_eq!(changed, [Key::Runner(runner("rc1x")), Key::Heartbeat], "since when it is away");
    super::plane::apply(&mut plane.stored, &out);
    assert_eq!(control.records().collect::<BTreeMap<_, _>>(), plane.stored);
    let (_, out) = restore(plane.stored).unwrap();
    assert!(matches!(&out[..], [Effect::Put(Key::Heartbeat, _)]), "the first fall counts: {out:?}");
}

#[test]
fn runners_have_the_lost_threshold_to_come_back() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").running("r", "a").restart(60_000).after(14_999);
    assert_eq!(plane.phase("a"), "running");
    plane.after(1);
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn a_start_has_its_time_again_after_the_engine_was_away() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a").restart(14_000).runner("r", 1);
    assert_eq!(plane.commands(), ["start a:a00000 g1"]);
    plane.after(29_999);
    assert_eq!(plane.phase("a"), "starting");
    plane.after(1);
    assert_eq!(plane.phase("a"), "sleeping");
}

#[test]
fn streams_are_opened_again_at_once() {
    let mut plane = Plane::new();
    plane.serverless().create("a").runner("r", 1);
    let stream = plane.streams[0];
    plane.live(stream, "r").running("r", "a").restart(1_000);
    assert_eq!(plane.streams.len(), 1);
}

#[test]
fn records_that_contradict_each_other_are_refused() {
    let mut plane = Plane::new();
    plane.normal().runner("r", 1).create("a");
    let stored = plane.stored.clone();
    let refused = |change: &dyn Fn(&mut BTreeMap<Key, Record>)| {
        let mut records = stored.clone();
        change(&mut records);
        restore(records).unwrap_err()
    };
    let a = super::plane::actor("a");
    let change_actor = |records: &mut BTreeMap<Key, Record>,
                        change: &dyn Fn(&mut crate::control::record::Actor)| {
        let Some(Record::Actor(actor)) = records.get_mut(&Key::Actor(a)) else { panic!("it is stored") };
        change(actor);
    };
    let lost = refused(&|records| {
        records.remove(&Key::Runner(runner("rc1x")));
    });
    assert_eq!(lost, RestoreError::NoRunner { actor: a, runner: runner("rc1x") });
    let undated = refused(&|records| change_actor(records, &|actor| actor.phase = Phase::Destroyed));
    assert_eq!(undated, RestoreError::Contradiction(a));
    let unborn = refused(&|records| change_actor(records, &|actor| actor.generation = None));
    assert_eq!(unborn, RestoreError::Contradiction(a));
    let foreign = refused(&|records| change_actor(records, &|actor| actor.id = super::plane::actor("b")));
    assert_eq!(foreign, RestoreError::ForeignKey(Key::Actor(a)));
    let nowhere =
        refused(&|records| change_actor(records, &|it| it.namespace = NamespaceId::from_entropy([1; 16])));
    assert_eq!(nowhere, RestoreError::NoNamespace(Key::Actor(a)));
    let slotless = refused(&|records| {
        let Some(Record::Runner(host)) = records.get_mut(&Key::Runner(runner("rc1x"))) else {
            panic!("stored")
        };
        host.total_slots = 0;
    });
    assert_eq!(slotless, RestoreError::NoSlot(runner("rc1x")));
    let doubled = refused(&|records| {
        let Some(Record::Actor(actor)) = records.get(&Key::Actor(a)).cloned() else { panic!("stored") };
        let id = super::plane::actor("b");
        let phase = Phase::Sleeping;
        records.insert(Key::Actor(id), Record::Actor(crate::control::record::Actor { id, phase, ..actor }));
    });
    assert_eq!(doubled, RestoreError::Doubled(Key::Actor(super::plane::actor("b"))));
}
