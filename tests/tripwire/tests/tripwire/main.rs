//! Every place where a library asks the operating system for time or randomness inside a world.
//!
//! The host of a run answers all of them from the seed, so none can break a run. But where the host is missing (the
//! cfg was lost) each is a place at which two runs may part, and one that is added by a new version of a dependency
//! should be seen. The linker sends the functions of libc here (`build.rs`); a call made while a world has entered the
//! thread is written down with who made it, then passed on.

#![expect(unsafe_code, reason = "functions of libc are replaced, and passed on to, in this test binary only")]

mod planted;

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_long, c_uint, c_void};
use std::sync::{Mutex, PoisonError};

use scenarios::play::{RunOptions, perform};

thread_local! {
    /// Looking at a call may itself call. It needs no destructor, so it can be asked for as long as the thread lives.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// What all threads saw: a run is a thread of its own.
static PLACES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

#[repr(C)]
struct Timespec {
    seconds: c_long,
    nanos: c_long,
}

unsafe extern "C" {
    fn __real_clock_gettime(clock: c_int, out: *mut Timespec) -> c_int;
    fn __real_gettimeofday(out: *mut c_void, zone: *mut c_void) -> c_int;
    fn __real_getrandom(out: *mut c_void, len: usize, flags: c_uint) -> isize;
    fn __real_getentropy(out: *mut c_void, len: usize) -> c_int;
    fn __real_dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_clock_gettime(clock: c_int, out: *mut Timespec) -> c_int {
    trip("time");
    // SAFETY: the caller's arguments, passed on as they are.
    unsafe { __real_clock_gettime(clock, out) }
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_gettimeofday(out: *mut c_void, zone: *mut c_void) -> c_int {
    trip("time");
    // SAFETY: the caller's arguments, passed on as they are.
    unsafe { __real_gettimeofday(out, zone) }
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_getrandom(out: *mut c_void, len: usize, flags: c_uint) -> isize {
    trip("randomness");
    // SAFETY: the caller's arguments, passed on as they are.
    unsafe { __real_getrandom(out, len, flags) }
}

#[unsafe(no_mangle)]
extern "C" fn __wrap_getentropy(out: *mut c_void, len: usize) -> c_int {
    trip("randomness");
    // SAFETY: the caller's arguments, passed on as they are.
    unsafe { __real_getentropy(out, len) }
}

/// Some look the function up by name.
#[unsafe(no_mangle)]
extern "C" fn __wrap_dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void {
    // SAFETY: dlsym demands a string that ends with a zero byte of its callers.
    let asked = unsafe { CStr::from_ptr(name) };
    if handle.is_null() && asked == c"getrandom" {
        return __wrap_getrandom as *mut c_void;
    }
    // SAFETY: the caller's arguments, passed on as they are.
    unsafe { __real_dlsym(handle, name) }
}

/// Writes down who asks, if that happens inside a world.
fn trip(what: &str) {
    if LOOKING.replace(true) {
        return;
    }
    if runtime::world::current().is_some() {
        let place = format!("{what}: {}", asker(&Backtrace::force_capture().to_string()));
        PLACES.lock().unwrap_or_else(PoisonError::into_inner).insert(place);
    }
    LOOKING.set(false);
}

/// Crates that pass the question on.
const PASSED_ON: [&str; 4] = ["getrandom", "rand", "rand_core", "hashbrown"];

/// The innermost function that is neither of the standard library, nor of this test, nor of a crate that passes the
/// question on: its crate, file and name.
fn asker(backtrace: &str) -> String {
    let mut function = "?";
    for line in backtrace.lines().map(str::trim) {
        match line.strip_prefix("at ") {
            None => function = line.split_once(": ").map_or(line, |(_, function)| function),
            Some(place) if is_ours_to_skip(place) => {}
            Some(place) => {
                let file = file(place);
                let root = file.split(['/', '-']).next().expect("a split has a first part");
                if !PASSED_ON.contains(&root) {
                    return format!("{file} {}", plain(function));
                }
            }
        }
    }
    "nobody known".to_owned()
}

fn is_ours_to_skip(place: &str) -> bool {
    place.contains("/rustc/") || (place.contains("tripwire") && !place.contains("planted"))
}

/// A file's path from its crate on, without version and line.
fn file(place: &str) -> String {
    let path = place.split(".rs:").next().expect("a split has a first part");
    let Some((_, foreign)) = path.split_once("/registry/src/") else {
        let own = path.rsplit_once("/engine/").or_else(|| path.rsplit_once("/scenarios/"));
        return own.map_or(path, |(_, file)| file).trim_start_matches("./").to_owned();
    };
    let foreign = foreign.split_once('/').map_or(foreign, |(_index, file)| file);
    let (package, file) = foreign.split_once('/').unwrap_or((foreign, ""));
    let name = package.rsplit_once('-').map_or(package, |(name, _version)| name);
    format!("{name}/{file}")
}

/// A function's name without its types and the hash of its build.
fn plain(function: &str) -> &str {
    let name = function.split("::h").next().expect("a split has a first part");
    name.split('<').next().filter(|name| !name.is_empty()).unwrap_or(name)
}

#[test]
fn every_place_that_asks_the_operating_system_inside_a_world_is_known() {
    for play in scenarios::plays() {
        perform(*play, 1, &RunOptions::default()).outcome.expect("every law holds");
    }
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut list = String::new();
    for place in places.iter().filter(|place| !place.contains("planted")) {
        list.push_str(place);
        list.push('\n');
    }
    insta::assert_snapshot!(list);
}

#[test]
fn a_place_that_asks_is_seen() {
    let run = sim::Sim::seed(1).run(async |_| planted::question());
    run.expect_ok();
    let places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        places.iter().any(|place| place.starts_with("time: ") && place.contains("planted")),
        "{places:#?}"
    );
}
