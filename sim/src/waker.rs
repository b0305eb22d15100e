//! Wakers without an allocation, a lock or a count: the data word says which task of which world.
//!
//! The only module with `unsafe`. What makes it sound: the data word is a number, never a pointer to anything, so
//! cloning copies it, dropping does nothing, and a wake looks the number up in the world of the calling thread. A
//! wake for a task that has ended finds another generation in the slot and is ignored. A wake from another thread, or
//! from inside another world, panics with the world's name: it would make the run depend on the host's timing.

#![expect(
    unsafe_code,
    reason = "a waker's vtable is an unsafe interface; see the module's head for the argument"
)]

use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::core;
use crate::registry::{self, WORLD_BITS, WorldId};

/// At most four million tasks live at once in one world.
const INDEX_BITS: u32 = 22;
/// A slot is told from its predecessors for a thousand million reuses.
const GENERATION_BITS: u32 = 64 - WORLD_BITS - INDEX_BITS;

/// The largest number of task slots.
pub(crate) const TASKS_MAX: usize = 1 << INDEX_BITS;
/// Generations are counted modulo this.
pub(crate) const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

const _: () = assert!(usize::BITS == 64, "a waker's data word needs 64 bits");

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, drop_nothing);

/// The waker of a task.
pub(crate) fn task_waker(world: WorldId, index: u32, generation: u32) -> Waker {
    let word = u64::from(generation) << (WORLD_BITS + INDEX_BITS)
        | u64::from(index) << WORLD_BITS
        | u64::from(world.0);
    let data = std::ptr::without_provenance(word as usize);
    // SAFETY: the vtable's functions treat `data` as a plain number. They hold no resource, so clone, wake and drop
    // may be called in any order, any number of times and on any thread.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

fn clone(data: *const ()) -> RawWaker {
    RawWaker::new(data, &VTABLE)
}

fn drop_nothing(_data: *const ()) {}

fn wake(data: *const ()) {
    let word = data.addr() as u64;
    let world = WorldId((word & ((1 << WORLD_BITS) - 1)) as u16);
    let index = (word >> WORLD_BITS) as u32 & ((1 << INDEX_BITS) - 1);
    let generation = (word >> (WORLD_BITS + INDEX_BITS)) as u32;
    let woken = core::try_with(|core| {
        let is_its_own = core.id == world;
        if is_its_own {
            core.tasks.wake(index, generation);
        }
        is_its_own
    });
    if woken != Some(true) {
        foreign(world);
    }
}

/// A wake that did not come from the task's own world. Silent only when that world is over and nobody can be misled.
#[cold]
fn foreign(world: WorldId) {
    if std::thread::panicking() {
        return; // a second panic while unwinding would abort the process and hide the first
    }
    let other = core::try_with(|core| core.name.clone());
    match (registry::name(world), other) {
        (Some(name), Some(other)) => {
            panic!("a task of the world \"{name}\" was woken inside the world \"{other}\"")
        }
        (Some(name), None) => panic!("a task of the world \"{name}\" was woken on a thread outside it"),
        (None, Some(other)) => {
            panic!("a task of a world that is over was woken inside the world \"{other}\"")
        }
        (None, None) => {}
    }
}
