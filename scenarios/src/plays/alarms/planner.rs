//! Who tells actors to set their alarms and to fall asleep.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use protocol::id::ActorId;
use serde_json::json;
use sim::Ratio;

use crate::plays::crew::{self, Crew, Over};
use crate::stack::Stack;
use crate::stack::client::{ACTOR_BOUND, Client};
use crate::stack::http::Http;

/// When an alarm is due, in milliseconds: past, while the actor falls asleep, soon, later.
const AFTER: [(u64, u64); 4] = [(0, 0), (0, 30), (30, 2000), (2000, 6000)];

/// How long whoever set an alarm waits beyond it, until it may be judged: longer than the bound, and no longer.
const JUDGED: (Duration, Duration) = (Duration::from_millis(3200), Duration::from_millis(4500));

/// How often the last alarm, if anything was broken since it was set, is given the time for recovery: until then it may
/// not be judged, and as long as anything breaks that time begins anew.
const PATIENT: Ratio = Ratio::new(1, 2);

/// Moments at which alarms of many actors are due at once: each a multiple of this.
const TOGETHER: Duration = Duration::from_secs(4);

/// What is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// An alarm of its own.
    Alone,
    /// One that is due when others are.
    Together,
    /// One that is replaced before it is due.
    Replaced,
    /// One that is cleared before it is due.
    Cleared,
}

const PLANS: [Plan; 6] =
    [Plan::Alone, Plan::Alone, Plan::Alone, Plan::Together, Plan::Replaced, Plan::Cleared];

/// Begins to plan, a client an actor. Who recovers does so within `recovery`.
pub(in crate::plays) fn begin(stack: &Stack, keys: &'static [&'static str], recovery: Duration) -> Crew {
    let stack_of = stack.clone();
    Crew::begin(stack, keys.iter().copied(), move |client, key, over| {
        let planner = Planner { client, stack: stack_of.clone(), key };
        async move { planner.plan(&over, recovery).await }
    })
}

/// Has the actor of a key set one alarm and fall asleep, and waits so long for what becomes of it.
pub(in crate::plays) async fn once(stack: &Stack, key: &'static str, after: Duration, woken: Duration) {
    let stack_of = stack.clone();
    crew::alone(stack, move |client| {
        let planner = Planner { client, stack: stack_of.clone(), key };
        async move {
            let actor = planner.client.make(&mut Http::new(), planner.key).await;
            planner.set(&actor, Some(millis(after))).await;
            runtime::sleep(woken).await;
        }
    })
    .await;
}

#[derive(Clone)]
struct Planner {
    client: Client,
    stack: Stack,
    key: &'static str,
}

impl Planner {
    async fn plan(&self, over: &Over, recovery: Duration) {
        let world = &self.stack.world;
        let decides = |what: &str| world.stream(&format!("operation/{}/{what}", self.client.node().name()));
        let (kind, bucket, after, judged) =
            (decides("plan"), decides("bucket"), decides("after"), decides("judged"));
        let patient = decides("patient").chance(PATIENT);
        let actor = self.client.make(&mut Http::new(), self.key).await;
        let mut stands = None;
        while !over.is_over() {
            let begun = self.stack.ledger.now();
            let bucket = bucket.one_of(&AFTER);
            let after = after.span(Duration::from_millis(bucket.0)..=Duration::from_millis(bucket.1));
            let after = millis(after);
            let judged = judged.span(JUDGED.0..=JUDGED.1);
            let plan = *kind.one_of(&PLANS);
            let after = match plan {
                // Below zero it has passed.
                Plan::Alone if after == 0 => -500,
                Plan::Together => millis(TOGETHER) - millis(world.elapsed()) % millis(TOGETHER),
                Plan::Alone | Plan::Replaced | Plan::Cleared => after,
            };
            if matches!(plan, Plan::Replaced | Plan::Cleared) {
                self.set(&actor, Some(after + 1000)).await;
            }
            let is_set = self.set(&actor, (plan != Plan::Cleared).then_some(after)).await;
            stands = (is_set && plan != Plan::Cleared).then_some(begun);
            runtime::sleep(Duration::from_millis(u64::try_from(after).unwrap_or(0)) + judged).await;
        }
        // Nothing is broken any more: what the last one suffered from is repaired.
        if patient && stands.is_some_and(|since| self.stack.ledger.was_broken(since)) {
            runtime::sleep(recovery + Duration::from_secs(1)).await;
        }
        // Whoever comes next finds no alarm.
        self.set(&actor, None).await;
    }

    /// Has it set its alarm, or clear it, and fall asleep. Returns whether it said that it has.
    async fn set(&self, actor: &str, after: Option<i64>) -> bool {
        let id: ActorId = actor.parse().expect("the platform makes valid ids");
        let setting = self.stack.ledger.sets_alarm(id, after);
        let body = Bytes::from(json!({ "args": { "after": after, "sleep": true } }).to_string());
        let path = format!("/gateway/{actor}/action/plan");
        let call = (Method::POST, path.as_str(), body);
        let answer =
            self.client.ask(&mut Http::new(), (self.key, "plan"), call, ACTOR_BOUND, |_| false).await;
        if answer.is_ok() {
            self.stack.ledger.has_set(&setting);
        }
        answer.is_ok()
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).expect("a run is short")
}
