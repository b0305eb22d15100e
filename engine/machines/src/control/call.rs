//! API calls: each goes to its command, and each is answered once, though not each in its own step.

use protocol::error::ApiError;
use protocol::id::{NamespaceId, Ticket};

use super::Control;
use super::effect::Answer;
use super::input::{ActorFilter, Call};
use super::step::Step;

impl Control {
    /// Carries a call out and answers it after the commit.
    pub(super) fn call(&mut self, step: &mut Step, ticket: Ticket, call: Call) {
        let answer = match call {
            // Answered when the application was asked.
            Call::CheckEndpoint { url, headers } => return self.check_endpoint(step, ticket, url, headers),
            Call::RefreshMetadata { namespace, pool } => {
                return self.refresh_metadata(step, ticket, &namespace, pool);
            }
            // Answered from the transaction.
            Call::ReadKv { namespace, actor, body } => {
                return self.read_kv(step, ticket, namespace.as_deref(), actor, body);
            }
            Call::CreateActor(new) => self.create_actor(step, new),
            Call::GetOrCreateActor(new) => self.get_or_create_actor(step, new),
            Call::FindActor { new, refusal } => self.find_actor(step, new, refusal),
            Call::ListActors { namespace, filter } => match filter {
                ActorFilter::Ids(ids) => self.list_actors_by_id(&namespace, &ids),
                ActorFilter::Name { name, key: Some(key), include_destroyed, page } if !include_destroyed => {
                    self.list_actor_by_key(&namespace, &name, &key, &page)
                }
                ActorFilter::Name { name, key, include_destroyed, page } => {
                    self.list_actors_by_name(&namespace, &name, key.as_deref(), include_destroyed, &page)
                }
            },
            Call::DeleteActor { namespace, actor } => self.delete_actor(step, namespace.as_deref(), actor),
            Call::SleepActor { namespace, actor } => self.sleep_actor(step, namespace.as_deref(), actor),
            Call::RescheduleActor { namespace, actor } => {
                self.reschedule_actor(step, namespace.as_deref(), actor)
            }
            Call::ListActorNames { namespace, page } => self.list_actor_names(&namespace, &page),
            Call::UpsertRunnerConfig { namespace, pool, config } => {
                self.upsert_runner_config(step, &namespace, pool, config)
            }
            Call::ListRunnerConfigs { namespace, pools, variant, page } => {
                self.list_runner_configs(&namespace, &pools, variant, &page)
            }
            Call::DeleteRunnerConfig { namespace, pool } => self.delete_runner_config(step, &namespace, pool),
            Call::ListRunners { namespace, pool, ids, page } => {
                self.list_runners(&namespace, pool.as_deref(), &ids, &page)
            }
            Call::ListRunnerNames { namespace, page } => self.list_runner_names(&namespace, &page),
            Call::ListNamespaces { name, ids, page } => {
                Ok(self.list_namespaces(name.as_deref(), &ids, &page))
            }
            Call::CreateNamespace { fresh, name, display_name } => {
                self.create_namespace(step, fresh, name, display_name)
            }
            Call::Health => Ok(Answer::Healthy),
        };
        step.answer(ticket, answer);
    }

    /// The namespace of this name.
    pub(super) fn namespace(&self, name: &str) -> Result<NamespaceId, ApiError> {
        self.namespace_names.get(name).copied().ok_or(ApiError::NamespaceNotFound)
    }
}
