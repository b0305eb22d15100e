//! SQLite's generator of random numbers, which is one for all connections of a process.
//!
//! It gives what `random()` and `randomblob()` answer with, and picks row ids and column names where the obvious ones are
//! taken. On the host it is seeded by the operating system, and whoever draws from it draws. In a world it must give the
//! same numbers in each run of a seed, whatever else the process does meanwhile: who runs statements there seeds it from
//! the world, and nobody else runs any until it is done.

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::native;

static GENERATOR: RwLock<()> = RwLock::new(());

/// While this lives, statements may be run.
#[must_use = "statements are run while it lives"]
pub(super) enum Hold {
    /// Among others.
    Shared(#[expect(dead_code, reason = "its drop lets go")] RwLockReadGuard<'static, ()>),
    /// Alone.
    Alone(#[expect(dead_code, reason = "its drop lets go")] RwLockWriteGuard<'static, ()>),
}

/// Waits until statements may be run.
pub(super) fn hold() -> Hold {
    if runtime::world::current().is_none() {
        return Hold::Shared(GENERATOR.read());
    }
    let alone = GENERATOR.write();
    // Odd, since zero is no seed.
    native::seed(i32::from_le_bytes(runtime::entropy::bytes("sql generator")) | 1);
    Hold::Alone(alone)
}
