//! Every life of a database of some pages: three commits out of four, large and small, growing and shrinking, whose
//! requests fail in every way there is.

use stateright::{Checker, Model, Property};

use super::world::{Fate, World};

const FATES: [Fate; 6] = [
    Fate::Answered,
    Fate::NotDone,
    Fate::Lost(false),
    Fate::Lost(true),
    Fate::Crash(false),
    Fate::Crash(true),
];

/// Pages from now on, and how many of them, from the first on, change.
const COMMITS: [(u32, u32); 4] = [(1, 1), (4, 3), (3, 3), (2, 0)];

/// Failures in one life: more of them lead into states that one by one lead into.
const FAILURES_MAX: u8 = 3;

struct Lives;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Life {
    world: World,
    failures: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Load,
    Commit(u32, u32),
    Fate(Fate),
}

impl Model for Lives {
    type State = Life;
    type Action = Act;

    fn init_states(&self) -> Vec<Life> {
        vec![Life { world: World::default(), failures: 0 }]
    }

    fn actions(&self, life: &Life, acts: &mut Vec<Act>) {
        let driver = &life.world.driver;
        if driver.request.is_some() {
            let fates =
                FATES.into_iter().filter(|fate| *fate == Fate::Answered || life.failures < FAILURES_MAX);
            acts.extend(fates.map(Act::Fate));
        } else if !driver.pager.is_ready() {
            acts.push(Act::Load);
        } else if life.world.commits < 3 {
            acts.extend(COMMITS.map(|(pages, touched)| Act::Commit(pages, touched)));
        }
    }

    fn next_state(&self, life: &Life, act: Act) -> Option<Life> {
        let mut life = life.clone();
        match act {
            Act::Load => life.world.load(),
            Act::Commit(pages, touched) => life.world.commit(pages, &(0..touched).collect()),
            Act::Fate(fate) => {
                life.failures += u8::from(fate != Fate::Answered);
                life.world.fate(fate);
            }
        }
        Some(life)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("a crash leaves the old database or the new", |_, life: &Life| {
                life.world.survives()
            }),
            Property::sometimes("a commit is indeterminate and there", |_, life: &Life| {
                life.world.driver.request.is_none() && life.world.disk.recovered().ok() == life.world.new
            }),
        ]
    }
}

#[test]
fn every_life_of_a_small_database_keeps_its_commits_whole() {
    let started = Lives.checker().spawn_bfs().join();
    started.assert_properties();
    assert!(started.unique_state_count() > 10_000, "{} states", started.unique_state_count());
}
