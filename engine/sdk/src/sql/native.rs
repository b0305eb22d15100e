//! The two calls into SQLite that no safe library makes for us.

use std::ffi::c_int;
use std::ptr;
use std::sync::OnceLock;

use rsqlite_vfs::{RegisterVfsError, register_vfs};
use rusqlite::ffi::{SQLITE_TESTCTRL_PRNG_SEED, sqlite3, sqlite3_test_control};

use super::vfs::{Calls, Files};

/// The name that connections open their file system by.
pub(super) const NAME: &str = "rehearsal-actor";

/// Registers the file system, once in the life of the process. It never is the default one: databases that an
/// application has beside its actors are not ours.
///
/// # Errors
/// What SQLite says, each time again.
#[expect(unsafe_code, reason = "SQLite is given callbacks")]
pub(super) fn register() -> Result<(), &'static RegisterVfsError> {
    static REGISTERED: OnceLock<Result<(), RegisterVfsError>> = OnceLock::new();
    REGISTERED
        .get_or_init(|| {
            // SAFETY: the callbacks are the library's own for `Files` and `Calls`, whose constants and layouts we
            // leave as they are. What they share is `()`; a file belongs to one connection, which one thread uses at
            // a time. SQLite is built for threads, and the cell lets one thread at a time register, under a name that
            // nobody else uses. The registration is never taken back.
            let registered = unsafe { register_vfs::<Calls, Files>(NAME, (), false) };
            registered.map(|registration| {
                registration.into_raw();
            })
        })
        .as_ref()
        .copied()
}

/// Seeds SQLite's generator, which is one for the whole process. Zero would mean the operating system's entropy.
#[expect(unsafe_code, reason = "SQLite has a C function for it")]
pub(super) fn seed(seed: c_int) {
    // SAFETY: this control takes an int and a connection, which may be null, and guards the generator itself.
    let code = unsafe { sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, ptr::null_mut::<sqlite3>()) };
    assert_eq!(code, 0, "SQLite knows this control");
}
