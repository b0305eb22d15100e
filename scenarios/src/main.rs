//! Binary `rehearse`: see [`scenarios::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    scenarios::cli::main(scenarios::plays())
}
