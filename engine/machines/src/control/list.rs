//! Listing actors: newest first, actors of one millisecond by their ids, so that pages neither skip nor repeat one.

use std::cmp::Reverse;
use std::ops::{Bound, RangeBounds as _};

use protocol::api::ActorCursor;
use protocol::error::ApiError;
use protocol::id::ActorId;

use super::Control;
use super::effect::Answer;
use super::input::Page;

impl Control {
    /// The actors of these ids that exist in the namespace, newest first.
    pub(super) fn list_actors_by_id(&self, namespace: &str, ids: &[ActorId]) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let known = ids.iter().filter_map(|id| self.actors.get(*id));
        let mut actors: Vec<_> = known.filter(|actor| actor.namespace == namespace).collect();
        actors.sort_by_key(|actor| (Reverse(actor.created), actor.id));
        actors.dedup_by_key(|actor| actor.id);
        Ok(Answer::Actors(actors.into_iter().map(|actor| self.show_actor(actor)).collect(), None))
    }

    /// The one living actor that holds the key.
    pub(super) fn list_actor_by_key(
        &self,
        namespace: &str,
        name: &str,
        key: &str,
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = cursor(page)?;
        let holder = self.actors.by_key(namespace, name, key).map(|id| self.actors.known(id));
        let fresh =
            holder.filter(|actor| after.is_none_or(|after| (Reverse(actor.created), actor.id) > after));
        Ok(Answer::Actors(fresh.map(|actor| self.show_actor(actor)).into_iter().collect(), None))
    }

    /// A page of the actors of a name.
    pub(super) fn list_actors_by_name(
        &self,
        namespace: &str,
        name: &str,
        key: Option<&str>,
        include_destroyed: bool,
        page: &Page,
    ) -> Result<Answer, ApiError> {
        let namespace = self.namespace(namespace)?;
        let after = cursor(page)?.map_or(Bound::Unbounded, Bound::Excluded);
        let Some(kind) = self.actors.kind(namespace, name) else {
            return Ok(Answer::Actors(Vec::new(), None));
        };
        // One more than asked for tells whether there is another page.
        let most = page.limit.saturating_add(1);
        let rows = match key {
            None => kind.page(after, include_destroyed, most),
            Some(key) => {
                let holder = self.actors.by_key(namespace, name, key).map(|id| self.actors.known(id));
                let holder = holder.map(|actor| (Reverse(actor.created), actor.id));
                let mut rows: Vec<_> = kind.page_of_dead(key, after, most).collect();
                rows.extend(holder.filter(|position| (after, Bound::Unbounded).contains(position)));
                rows.sort_unstable();
                rows
            }
        };
        let (rows, next) = page.cut(rows.into_iter(), |(created, id)| {
            ActorCursor { create_ts: created.0, actor_id: *id }.to_string()
        });
        let actors = rows.iter().map(|(_, id)| self.show_actor(self.actors.known(*id))).collect();
        Ok(Answer::Actors(actors, next))
    }
}

fn cursor(page: &Page) -> Result<Option<super::actors::ListPosition>, ApiError> {
    let cursor = page.cursor.as_deref().map(str::parse::<ActorCursor>).transpose()?;
    Ok(cursor.map(|cursor| (Reverse(cursor.create_ts), cursor.actor_id)))
}
