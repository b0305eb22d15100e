//! Names of actors, as creation and runners make them known.

use std::collections::BTreeMap;
use std::ops::Bound;

use protocol::error::ApiError;
use protocol::id::NamespaceId;
use protocol::mark;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::record::Key;
use super::step::Step;

/// Names kept, over all namespaces; further ones work, and are not listed. Ours: what lists them is for people.
const NAMES_MAX: usize = 10_000;

/// Metadata of a name that no runner has told about.
const NO_METADATA: &str = "{}";

impl Control {
    /// An actor of this name is created.
    pub(super) fn learn_name(&mut self, step: &mut Step, namespace: NamespaceId, name: &str) {
        if !self.actor_names.contains_key(&(namespace, name.to_owned())) {
            self.store_name(step, namespace, name, NO_METADATA);
        }
    }

    /// A runner can host these.
    pub(super) fn learn_names(
        &mut self,
        step: &mut Step,
        namespace: NamespaceId,
        names: &BTreeMap<String, String>,
    ) {
        for (name, metadata) in names {
            self.store_name(step, namespace, name, metadata);
        }
    }

    fn store_name(&mut self, step: &mut Step, namespace: NamespaceId, name: &str, metadata: &str) {
        let key = (namespace, name.to_owned());
        let full = self.actor_names.len() >= NAMES_MAX;
        match self.actor_names.get_mut(&key) {
            Some(known) if known == metadata => return,
            Some(known) => metadata.clone_into(known),
            None if full => {
                mark!("control.actor_names_max");
                return;
            }
            None => {
                self.actor_names.insert(key, metadata.to_owned());
            }
        }
        step.changed(Key::ActorName(namespace, name.to_owned()));
    }

    /// A page of names, in alphabetical order.
    pub(super) fn list_actor_names(&self, namespace: &str, page: &Page) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = page.cursor.clone().unwrap_or_default();
        let start = Bound::Excluded((namespace, after));
        let behind = self
            .actor_names
            .range((start, Bound::Unbounded))
            .take_while(|((of, _), _)| *of == namespace)
            .map(|((_, name), metadata)| (name.clone(), metadata.clone()));
        let (names, next) = page.cut(behind, |(name, _)| name.clone());
        Ok(Answer::ActorNames(names.into_iter().collect(), next))
    }
}
