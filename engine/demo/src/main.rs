//! `rehearsal-demo`: the demo application as a process.

mod args;
mod normal;
mod ready;
mod serverless;

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use clap::Parser;
use runtime::process::block_on;
use runtime::signals::Signals;
use tracing_subscriber::EnvFilter;

use args::{Args, Mode};

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // Colours for people only. On a terminal the subscriber itself heeds `NO_COLOR`.
    let subscriber = if stderr().is_terminal() { subscriber } else { subscriber.with_ansi(false) };
    subscriber.init();
    match block_on(None, run(args)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.into()),
    }
}

/// One line, every cause of it.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("rehearsal-demo: {error:#}");
    ExitCode::FAILURE
}

async fn run(args: Args) -> anyhow::Result<()> {
    let signals = Signals::new()?;
    let (stop, shutdown) = sdk::shutdown();
    let following = runtime::spawn("signals", stop.follow(signals));
    let outcome = match args.mode {
        Mode::Normal(engine) => normal::run(engine, shutdown).await,
        Mode::Serverless(serverless) => serverless::run(serverless, shutdown).await,
    };
    following.abort();
    outcome
}
