//! An actor as the API shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::page::Pagination;
use crate::error::ActorError;
use crate::id::{ActorId, NamespaceId};
use crate::time::Wall;

/// What becomes of an actor whose generation ended by a failure.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CrashPolicy {
    /// It starts again, with backoff.
    Restart,
    /// It sleeps until it is needed. What RivetKit asks for.
    Sleep,
    /// It is destroyed. What the API takes when nothing is said.
    #[default]
    Destroy,
}

/// An actor. All fields are always there; times are wall clock milliseconds or null.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Actor {
    /// Its id.
    pub actor_id: ActorId,
    /// Which of the application's actors it is.
    pub name: String,
    /// Its key, unique with namespace and name.
    pub key: Option<String>,
    /// Its namespace.
    pub namespace_id: NamespaceId,
    /// Where it lives.
    pub datacenter: String,
    /// The pool that hosts it.
    pub runner_name_selector: String,
    /// What a failure leads to.
    pub crash_policy: CrashPolicy,
    /// When it was created.
    pub create_ts: Wall,
    /// When it first started.
    pub start_ts: Option<Wall>,
    /// Since when it waits for a runner; null when it does not.
    pub pending_allocation_ts: Option<Wall>,
    /// Since when it can be reached; null when it cannot.
    pub connectable_ts: Option<Wall>,
    /// Since when it sleeps; null when it does not.
    pub sleep_ts: Option<Wall>,
    /// When its next start is tried; null when none is due.
    pub reschedule_ts: Option<Wall>,
    /// When it was destroyed.
    pub destroy_ts: Option<Wall>,
    /// Why it does not run although it should; left out if nothing is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ActorError>,
}

/// The answer of create and get-or-create.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActorAnswer {
    /// The actor.
    pub actor: Actor,
    /// Whether this call created it; only in the answer of get-or-create.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<bool>,
}

/// The answer of `GET /actors`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Actors {
    /// The actors.
    pub actors: Vec<Actor>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// The answer of `GET /actors/names`, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Names {
    /// What runners told about each name.
    pub names: BTreeMap<String, NameMetadata>,
    /// Where the next page begins.
    pub pagination: Pagination,
}

/// What a runner told about an actor name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NameMetadata {
    /// JSON, shown and never read.
    pub metadata: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_are_there_and_the_error_only_when_set() {
        let mut actor = Actor {
            actor_id: ActorId::from_entropy([1; 16]),
            name: "counter".into(),
            key: None,
            namespace_id: NamespaceId::from_entropy([2; 16]),
            datacenter: "default".into(),
            runner_name_selector: "default".into(),
            crash_policy: CrashPolicy::Sleep,
            create_ts: Wall(5),
            start_ts: None,
            pending_allocation_ts: None,
            connectable_ts: None,
            sleep_ts: None,
            reschedule_ts: None,
            destroy_ts: None,
            error: None,
        };
        let json = serde_json::to_value(&actor).unwrap();
        let object = json.as_object().unwrap();
        assert_eq!(object.len(), 14, "{json}");
        assert_eq!((&object["key"], &object["create_ts"]), (&Value::Null, &Value::from(5)));
        assert_eq!(object["crash_policy"], "sleep");
        actor.error = Some(ActorError::NoCapacity);
        let json = serde_json::to_value(&actor).unwrap();
        assert_eq!(json["error"], "no_capacity");
        assert_eq!(serde_json::from_value::<Actor>(json).unwrap(), actor);
    }
}
