//! Namespaces: created and listed.

use std::ops::Bound;

use protocol::error::ApiError;
use protocol::id::NamespaceId;

use super::Control;
use super::effect::Answer;
use super::input::Page;
use super::record::{Key, Namespace};
use super::show;
use super::step::Step;

impl Control {
    pub(super) fn create_namespace(
        &mut self,
        step: &mut Step,
        fresh: NamespaceId,
        name: String,
        display_name: String,
    ) -> Result<Answer, ApiError> {
        if self.namespace_names.contains_key(&name) {
            return Err(ApiError::NamespaceNameNotUnique);
        }
        let namespace = Namespace { id: fresh, name, display_name, created: self.now.wall };
        let answer = Answer::Namespace(show::namespace(&namespace));
        step.changed(Key::Namespace(fresh));
        let former = self.add_namespace(namespace);
        assert!(former, "a fresh id is not in use, and the name was free");
        Ok(answer)
    }

    /// Enters a namespace; false, and nothing entered, if its id or name is taken.
    pub(super) fn add_namespace(&mut self, namespace: Namespace) -> bool {
        if self.namespaces.contains_key(&namespace.id) || self.namespace_names.contains_key(&namespace.name) {
            return false;
        }
        self.namespace_names.insert(namespace.name.clone(), namespace.id);
        self.namespaces.insert(namespace.id, namespace);
        true
    }

    /// A page of namespaces, in alphabetical order.
    pub(super) fn list_namespaces(&self, name: Option<&str>, ids: &[NamespaceId], page: &Page) -> Answer {
        let after = page.cursor.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self
            .namespace_names
            .range((after, Bound::Unbounded))
            .filter(|(known, id)| {
                name.is_none_or(|name| name == known.as_str()) && (ids.is_empty() || ids.contains(id))
            })
            .map(|(_, id)| show::namespace(&self.namespaces[id]));
        let namespaces: Vec<_> = rest.by_ref().take(page.limit).collect();
        let more = rest.next().is_some();
        let next = namespaces.last().filter(|_| more).map(|last| last.name.clone());
        Answer::Namespaces(namespaces, next)
    }
}
