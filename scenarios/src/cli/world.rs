//! What a command asks of a world that does not have it: refused before anything is run.

use sim::Schedule;

use crate::play::RunOptions;
use crate::search::Strategy;
use crate::world::WorldKind;

/// Why a command cannot be obeyed in the world that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unoffered {
    /// The build does not have it.
    #[error(
        "--world {world} needs a build with --cfg madsim: an exported RUSTFLAGS replaces the flags in \
         .cargo/config.toml; unset it"
    )]
    NotBuilt {
        /// The world.
        world: WorldKind,
    },
    /// It has nothing of the kind.
    #[error(
        "{what} needs decisions and events with names, which {world} does not have: leave it out, or --world {world}"
    )]
    Missing {
        /// The command or flag.
        what: String,
        /// The world.
        world: WorldKind,
    },
}

/// Whether a command's flags can be obeyed; each is named with whether it was given.
pub(super) fn check(world: WorldKind, flags: &[(&str, bool)]) -> Result<(), Unoffered> {
    match world {
        WorldKind::Sim => Ok(()),
        WorldKind::Madsim if !world.is_built() => Err(Unoffered::NotBuilt { world }),
        WorldKind::Madsim => match flags.iter().find(|(_, given)| *given) {
            Some((what, _)) => Err(Unoffered::Missing { what: (*what).to_owned(), world }),
            None => Ok(()),
        },
    }
}

/// The flags behind what a run is told, each with whether it was given.
pub(super) fn told(options: &RunOptions) -> [(&'static str, bool); 4] {
    [
        ("--pin", !options.overrides.is_empty()),
        ("--strike", !options.strikes.is_empty()),
        ("--branch", !options.recipe.is_empty()),
        ("--schedule", options.schedule != Schedule::default()),
    ]
}

/// Whether a strategy needs what only the simulator's own world has.
pub(super) const fn is_own(strategy: Strategy) -> bool {
    match strategy {
        Strategy::Random | Strategy::Swarm => false,
        Strategy::Pct { .. } | Strategy::Branch | Strategy::Points { .. } => true,
    }
}
