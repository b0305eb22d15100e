//! Pages of lists while the lists change: whoever is there from the first page to the last is shown once, nobody twice.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use protocol::api;
use protocol::id::NamespaceId;
use protocol::time::Wall;

use super::plane::{Plane, actor, runner};
use crate::control::effect::Answer;
use crate::control::input::{ActorFilter, Call, Frame, NewActor, Page};

/// What happens between two pages. The newest and the oldest are the ones at the edges of a page.
#[derive(Clone, Debug)]
enum Op {
    Add,
    /// The one that was added so many before the last one goes.
    Remove(usize),
    /// Time passes, or the wall clock goes back.
    After(i64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => Just(Op::Add),
        3 => (0..20_usize).prop_map(Op::Remove),
        2 => (-3..4_i64).prop_map(Op::After),
    ]
}

#[derive(Clone, Copy, Debug)]
enum List {
    Actors,
    ActorsWithDestroyed,
    ActorNames,
    Configs,
    Namespaces,
    Runners,
    RunnerNames,
}

const LISTS: [List; 7] = [
    List::Actors,
    List::ActorsWithDestroyed,
    List::ActorNames,
    List::Configs,
    List::Namespaces,
    List::Runners,
    List::RunnerNames,
];

impl List {
    fn call(self, limit: usize, cursor: Option<String>) -> Call {
        let (namespace, page) = ("default".to_owned(), Page { limit, cursor });
        let actors = |include_destroyed, page| ActorFilter::Name {
            name: "counter".into(),
            key: None,
            include_destroyed,
            page,
        };
        match self {
            Self::Actors => Call::ListActors { namespace, filter: actors(false, page) },
            Self::ActorsWithDestroyed => Call::ListActors { namespace, filter: actors(true, page) },
            Self::ActorNames => Call::ListActorNames { namespace, page },
            Self::Configs => Call::ListRunnerConfigs { namespace, pools: vec![], variant: None, page },
            Self::Namespaces => Call::ListNamespaces { name: None, ids: vec![], page },
            Self::Runners => Call::ListRunners { namespace, pool: None, ids: vec![], page },
            Self::RunnerNames => Call::ListRunnerNames { namespace, page },
        }
    }
}

/// A page: what is on it, and where the next one begins.
fn ask(plane: &mut Plane, list: List, limit: usize, cursor: Option<String>) -> (Vec<String>, Option<String>) {
    match plane.call(list.call(limit, cursor)).unwrap() {
        Answer::Actors(actors, next) => (actors.iter().map(|it| it.actor_id.to_string()).collect(), next),
        Answer::ActorNames(names, next) => (names.into_keys().collect(), next),
        Answer::RunnerConfigs(configs, next) => (configs.into_keys().collect(), next),
        Answer::Namespaces(all, next) => (all.into_iter().map(|it| it.name).collect(), next),
        Answer::Runners(runners, next) => (runners.iter().map(|it| it.runner_id.to_string()).collect(), next),
        Answer::RunnerNames(names, next) => (names, next),
        other => panic!("no list: {other:?}"),
    }
}

fn all(plane: &mut Plane, list: List) -> BTreeSet<String> {
    let (all, next) = ask(plane, list, 1000, None);
    assert_eq!(next, None, "all fit on one page");
    all.into_iter().collect()
}

/// Names in an order that is not that of their making.
fn name(number: usize) -> String {
    format!("{:03}c", number * 387 % 1000)
}

/// Adds one of each kind.
fn add(plane: &mut Plane, number: usize) {
    let name = name(number);
    plane.create(&name).socket(&name);
    let (fresh, pool, actor_names) = (runner(&name), name.clone(), BTreeMap::new());
    let init = Frame::Init { fresh, pool, version: 1, total_slots: 1, actor_names, metadata: None };
    plane.frame(&name, init).pong(&name);
    let of_its_own = NewActor { fresh: actor(&format!("n{name}")), key: None, ..Plane::new_actor(&name) };
    plane.call(Call::CreateActor(NewActor { name: name.clone(), ..of_its_own })).unwrap();
    let (namespace, config) = ("default".to_owned(), api::RunnerConfig::normal());
    plane.call(Call::UpsertRunnerConfig { namespace, pool: name.clone(), config }).unwrap();
    let fresh = NamespaceId::from_entropy((number as u128).to_le_bytes());
    plane.call(Call::CreateNamespace { fresh, name, display_name: String::new() }).unwrap();
}

/// Takes one of each kind away that can go.
fn remove(plane: &mut Plane, number: usize) {
    let name = name(number);
    plane.delete(&name).drop_socket(&name).after(3_000);
    plane.call(Call::DeleteRunnerConfig { namespace: "default".into(), pool: name }).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn pages_have_no_gaps_and_no_repeats_while_the_list_changes(
        first in 1..12_usize,
        pages in prop::collection::vec((1..4_usize, prop::collection::vec(op(), 0..3)), 40),
    ) {
        let mut plane = Plane::new();
        plane.normal();
        (0..first).for_each(|number| add(&mut plane, number));
        let (mut number, mut gone) = (first, BTreeSet::new());
        let at_first: Vec<_> = LISTS.iter().map(|list| all(&mut plane, *list)).collect();
        let mut cursors: BTreeMap<usize, Option<String>> = (0..LISTS.len()).map(|it| (it, None)).collect();
        let mut shown = vec![Vec::new(); LISTS.len()];
        for (limit, ops) in pages {
            for (index, cursor) in std::mem::take(&mut cursors) {
                let (page, next) = ask(&mut plane, LISTS[index], limit, cursor);
                prop_assert!(page.len() <= limit);
                shown[index].extend(page);
                cursors.extend(next.map(|next| (index, Some(next))));
            }
            if cursors.is_empty() {
                break;
            }
            for op in ops {
                match op {
                    Op::Add => {
                        add(&mut plane, number);
                        number += 1;
                    }
                    Op::Remove(before) => {
                        let it = number.saturating_sub(before + 1);
                        if gone.insert(it) {
                            remove(&mut plane, it);
                        }
                    }
                    Op::After(ms) => plane.now.wall = Wall(plane.now.wall.0.saturating_add_signed(ms)),
                }
            }
        }
        for (index, list) in LISTS.iter().enumerate() {
            let at_last = all(&mut plane, *list);
            let seen: BTreeSet<String> = shown[index].iter().cloned().collect();
            prop_assert_eq!(seen.len(), shown[index].len(), "{:?} repeats none: {:?}", list, shown[index]);
            if cursors.contains_key(&index) {
                continue;
            }
            let missed: Vec<_> = at_first[index].intersection(&at_last).filter(|it| !seen.contains(*it)).collect();
            prop_assert!(missed.is_empty(), "{:?} misses none that was there all the time: {:?}", list, missed);
        }
    }
}
