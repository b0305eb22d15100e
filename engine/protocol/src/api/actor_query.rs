//! The queries of `GET /actors`, `GET /actors/names` and `DELETE /actors/{id}`.

use crate::api::page::PageQuery;
use crate::api::query::{Query, parse_id, parse_ids};
use crate::error::ApiError;
use crate::id::ActorId;
use crate::limits::LIST_ACTOR_IDS_MAX;

/// Which actors of which namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorsQuery {
    /// Name of the namespace.
    pub namespace: String,
    /// Which of its actors.
    pub filter: ActorsFilter,
    /// Whether destroyed ones too.
    pub include_destroyed: bool,
    /// Which page of them.
    pub page: PageQuery,
}

/// Which actors of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActorsFilter {
    /// These; unknown ones are left out.
    Ids(Vec<ActorId>),
    /// Those of a name, or the one of a name and key.
    Name {
        /// The name.
        name: String,
        /// The key.
        key: Option<String>,
    },
}

/// The actor names of which namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamesQuery {
    /// Name of the namespace.
    pub namespace: String,
    /// Which page of them.
    pub page: PageQuery,
}

impl NamesQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// `api.bad_request` or `validation.invalid_input` for fields that are unknown, doubled, missing or malformed.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut query = Query::new(text);
        let namespace = query.require("namespace")?;
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        Ok(Self { namespace, page })
    }
}

/// Reads a query whose one field may be `namespace`.
///
/// # Errors
/// `api.bad_request` for anything else.
pub fn parse_namespace(text: &str) -> Result<Option<String>, ApiError> {
    let mut query = Query::new(text);
    let namespace = query.take("namespace")?;
    query.finish()?;
    Ok(namespace)
}

/// Reads a query whose one field is `namespace`.
///
/// # Errors
/// `api.bad_request` for anything else.
pub fn require_namespace(text: &str) -> Result<String, ApiError> {
    let mut query = Query::new(text);
    let namespace = query.require("namespace")?;
    query.finish()?;
    Ok(namespace)
}

impl ActorsQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// `api.bad_request` for fields that are unknown, doubled, missing or malformed; `validation.invalid_input` when
    /// neither ids nor a name are given, or both, or too many ids.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut query = Query::new(text);
        let namespace = query.require("namespace")?;
        let ids = query.take_list("actor_ids", "actor_id")?;
        let name = query.take("name")?;
        let key = query.take("key")?;
        let include_destroyed = query.take_parsed("include_destroyed")?.unwrap_or(false);
        let page = PageQuery::take(&mut query)?;
        query.finish()?;
        let filter = match (ids.is_empty(), name, key) {
            (false, None, None) if ids.len() > LIST_ACTOR_IDS_MAX => {
                return Err(invalid(format!("{} actor ids: at most {LIST_ACTOR_IDS_MAX}", ids.len())));
            }
            (false, None, None) => ActorsFilter::Ids(parse_ids(&ids)?),
            (true, Some(name), key) => ActorsFilter::Name { name, key },
            (true, None, _) => return Err(invalid("either `actor_ids` or `name` must be given".into())),
            (false, _, _) => return Err(invalid("`actor_ids` goes with neither `name` nor `key`".into())),
        };
        Ok(Self { namespace, filter, include_destroyed, page })
    }
}

/// Reads an actor id out of a path or a query.
///
/// # Errors
/// `api.bad_request` when it is malformed.
pub fn parse_actor_id(text: &str) -> Result<ActorId, ApiError> {
    parse_id(text)
}

fn invalid(reason: String) -> ApiError {
    ApiError::ValidationInvalidInput { reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    const ID: &str = "9i3halmrv1puua7r2mvi49taqjbl00";

    fn refusal(text: &str) -> Code {
        ActorsQuery::parse(text).unwrap_err().kind()
    }

    #[test]
    fn ids_or_a_name() {
        let query = ActorsQuery::parse(&format!("actor_ids={ID}&namespace=default")).unwrap();
        assert_eq!(query.filter, ActorsFilter::Ids(vec![ID.parse().unwrap()]));
        let query = ActorsQuery::parse("namespace=n&name=counter&key=a%2Fb&include_destroyed=true").unwrap();
        let filter = ActorsFilter::Name { name: "counter".into(), key: Some("a/b".into()) };
        assert_eq!((query.filter, query.include_destroyed), (filter, true));
    }

    #[test]
    fn every_other_query_is_refused() {
        assert_eq!(refusal("namespace=n"), Code::ValidationInvalidInput);
        assert_eq!(refusal("namespace=n&key=k"), Code::ValidationInvalidInput);
        assert_eq!(refusal(&format!("namespace=n&actor_id={ID}&name=c")), Code::ValidationInvalidInput);
        let many = vec![ID; 33].join(",");
        assert_eq!(refusal(&format!("namespace=n&actor_ids={many}")), Code::ValidationInvalidInput);
        assert_eq!(refusal("namespace=n&actor_ids=zzz"), Code::ApiBadRequest);
        assert_eq!(refusal("name=c"), Code::ApiBadRequest);
        assert_eq!(refusal("namespace=n&name=c&nope=1"), Code::ApiBadRequest);
    }
}
