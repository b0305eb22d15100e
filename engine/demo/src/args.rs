//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand};

/// The demo application of Rehearsal: one actor, `counter`.
///
/// Without a command it runs an engine in its own process and connects to it. With one, start an engine first
/// (`cargo serve`). Then ask a counter through the engine's gateway; the line printed at the start can be copied.
///
/// The first SIGTERM or Ctrl-C ends it in order, the second one at once.
#[derive(Debug, Parser)]
#[command(name = "rehearsal-demo", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) embedded: Embedded,
}

#[derive(Clone, Debug, Group)]
pub(crate) struct Embedded {
    /// Folder of the engine's store.
    #[arg(long, value_name = "DIR", env = "REHEARSAL_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
    /// Address of the engine; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", env = "REHEARSAL_BIND", default_value = "127.0.0.1:6420")]
    pub(crate) bind: SocketAddr,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Connect to the engine and host actors until stopped.
    ///
    /// The process dials the engine, so the engine need not reach it. While the engine is away it dials again. The
    /// first SIGTERM or Ctrl-C lets the engine move the actors away, the second one stops at once.
    Normal(Engine),
    /// Listen, and let the engine start runners by requests.
    ///
    /// The engine calls GET /api/rivet/start once per runner it wants and holds the answer open, so it must reach the
    /// address given here. The pool is configured with it, unless --no-configure is given.
    Serverless(Serverless),
}

#[derive(Clone, Debug, Group)]
pub(crate) struct Engine {
    /// Base URL of the engine, which may carry namespace and token: http://namespace:token@host.
    #[arg(
        long,
        value_name = "URL",
        env = "REHEARSAL_ENDPOINT",
        hide_env_values = true,
        default_value = "http://127.0.0.1:6420"
    )]
    pub(crate) endpoint: String,
    /// Namespace to work in; `default` if it is not in the URL either.
    #[arg(long, value_name = "NAME", env = "REHEARSAL_NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// Pool to belong to: what an actor's runner_name_selector names.
    #[arg(long, value_name = "NAME", env = "REHEARSAL_POOL", default_value = "default")]
    pub(crate) pool: String,
    /// Credentials for the engine, where it asks for some.
    #[arg(long, value_name = "TOKEN", env = "REHEARSAL_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
}

#[derive(Clone, Debug, Group)]
pub(crate) struct Serverless {
    #[command(flatten)]
    pub(crate) engine: Engine,
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6440")]
    pub(crate) listen: SocketAddr,
    /// URL under which the engine reaches this process, if it is not the listening address.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Leave the pool's configuration in the engine as it is.
    #[arg(long)]
    pub(crate) no_configure: bool,
}
