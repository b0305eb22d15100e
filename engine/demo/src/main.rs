//! `rehearsal-demo`: the demo application as a process.

mod args;
mod embedded;
mod normal;
mod ready;
mod serverless;

use std::io::{IsTerminal, stderr};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use runtime::process::block_on;
use runtime::signals::{Signal, Signals};
use sdk::Application;
use sdk::application::Mode;
use tracing_subscriber::EnvFilter;

use args::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // Colours for people only. On a terminal the subscriber itself heeds `NO_COLOR`.
    let subscriber = if stderr().is_terminal() { subscriber } else { subscriber.with_ansi(false) };
    subscriber.init();
    match block_on(None, run(args)) {
        Ok(Ok(None)) => ExitCode::SUCCESS,
        Ok(Ok(Some(signal))) => signal.end_process(),
        Ok(Err(error)) => fail(&error),
        Err(error) => fail(&error.into()),
    }
}

/// One line, every cause of it.
fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("rehearsal-demo: {error:#}");
    ExitCode::FAILURE
}

/// Runs to the end. Returns the signal that asked for it.
async fn run(args: Args) -> anyhow::Result<Option<Signal>> {
    let signals = Signals::new()?;
    let (app, mode) = match args.command {
        None => (embedded::application(args.embedded)?, Mode::Runner),
        Some(Command::Normal(engine)) => (normal::application(engine)?, Mode::Runner),
        Some(Command::Serverless(serverless)) => (serverless::application(serverless)?, Mode::Serverless),
    };
    let announce = runtime::spawn("announce", announce(app.clone(), mode));
    let ended = app.run(mode, signals).await;
    announce.abort();
    ended.context("the application ended")
}

/// Prints what to try, once it can be.
async fn announce(app: Application, mode: Mode) {
    match app.ready().await {
        Ok(()) => ready::print(&app, mode),
        // Whoever runs it says so.
        Err(error) => tracing::debug!(err = %error, "never ready"),
    }
}
