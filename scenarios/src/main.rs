//! Binary `rehearse`: see [`scenarios::cli`].

use std::process::ExitCode;

/// Faster than the system's, for what a search does all day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    scenarios::cli::main(scenarios::plays())
}
