//! Namespaces: created and listed.

use std::collections::BTreeMap;
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
        let after = page.cursor.clone().unwrap_or_default();
        let (namespaces, next) = if name.is_none() && ids.is_empty() {
            let behind = self.namespace_names.range((Bound::Excluded(after), Bound::Unbounded));
            page.cut(behind.map(|(_, id)| &self.namespaces[id]), |last| last.name.clone())
        } else {
            let named = name.map(|name| self.namespace_names.get(name).copied());
            let among = |id: &NamespaceId| ids.is_empty() || ids.contains(id);
            let asked = match named {
                Some(named) => named.into_iter().filter(among).collect(),
                None => ids.to_vec(),
            };
            let known = asked.iter().filter_map(|id| self.namespaces.get(id));
            let fresh = known.filter(|namespace| namespace.name > after);
            let by_name: BTreeMap<&str, _> = fresh.map(|it| (it.name.as_str(), it)).collect();
            page.cut(by_name.into_values(), |last| last.name.clone())
        };
        Answer::Namespaces(namespaces.into_iter().map(show::namespace).collect(), next)
    }
}
