//! Who suffered from a fault, read from the evidence: clients that failed with a code that it explains, and sessions,
//! streams and generations that ended as it ends them, from its stroke until its effects have come out.

use std::time::Duration;

use model::code::Failure;
use model::evidence::Evidence;
use model::fault::{Active, Family};
use model::history::{Op, Outcome};
use protocol::time::Mono;
use protocol::view::{Fact, GenerationEnd};

/// How long after the repair of a loud fault its effects may come out. Ours: the round trips of the longest path.
const LOUD: Duration = Duration::from_secs(1);

/// The same for a silent one: 15 s until a session is given up by either side, and one more ping.
const SILENT: Duration = Duration::from_secs(18);

/// How a request for a runner ends that its application has spoilt, by the engine's names.
const SPOILT: [&str; 5] = ["http", "payload", "connection", "clean", "timeout"];

/// How many suffered from it.
pub(super) fn count(evidence: &Evidence, fault: &Active) -> u64 {
    let until = fault.until.unwrap_or(evidence.end) + tail(fault.family);
    let within = |at: Mono| fault.from <= at && at <= until;
    let failed = |op: &&Op| op.ended.is_some_and(within) && explains(fault.family, op);
    let ops = evidence.history.ops().iter().filter(failed).count();
    let told = evidence.told.iter();
    let facts = told.filter(|told| within(told.at) && ends(fault.family, &told.fact)).count();
    (ops + facts) as u64
}

const fn tail(family: Family) -> Duration {
    match family {
        Family::StreamSilent
        | Family::SocketSilent
        | Family::Partition
        | Family::InstancePaused
        | Family::EnginePaused
        | Family::EnginePowerLost => SILENT,
        Family::EngineKilled
        | Family::EngineFellInCommit
        | Family::EngineStopped
        | Family::InstanceKilled
        | Family::ActorDawdles
        | Family::StreamCut
        | Family::SocketCut
        | Family::ClientCut
        | Family::Slow
        | Family::EndpointFails
        | Family::ApiFails
        | Family::ApiHangs
        | Family::ApiCut
        | Family::DiskFails
        | Family::DiskSlow
        | Family::ActorDestroyed => LOUD,
    }
}

fn explains(family: Family, op: &Op) -> bool {
    let Outcome::Failed { code, .. } = &op.outcome else { return false };
    code.parse::<Failure>().is_ok_and(|failure| failure.causes().contains(&family))
}

/// Whether a fault of this family ends things so.
fn ends(family: Family, fact: &Fact) -> bool {
    let stream = matches!(fact, Fact::StreamEnded { .. } | Fact::EventStreamEnded { .. });
    let session = matches!(fact, Fact::RunnerDisconnected { .. } | Fact::RunnerLost { .. });
    match family {
        Family::StreamCut | Family::StreamSilent => stream,
        Family::SocketCut | Family::SocketSilent => session,
        Family::EngineKilled
        | Family::EnginePowerLost
        | Family::EngineFellInCommit
        | Family::EngineStopped
        | Family::EnginePaused
        | Family::InstanceKilled
        | Family::InstancePaused
        | Family::Partition
        | Family::Slow
        | Family::DiskFails => stream || session,
        Family::ActorDawdles => {
            matches!(fact, Fact::Ended { how: GenerationEnd::NoResponse, .. })
        }
        // Held requests need not notice it.
        Family::EndpointFails => {
            matches!(fact, Fact::StreamEnded { reason, .. } if SPOILT.contains(reason))
        }
        Family::ClientCut | Family::ApiFails | Family::ApiHangs | Family::ApiCut | Family::DiskSlow => false,
        Family::ActorDestroyed => matches!(fact, Fact::Destroyed { .. }),
    }
}
