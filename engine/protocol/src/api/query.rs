//! The query of a request, read field by field and then closed: what was not asked for is refused.

use std::str::FromStr;

use url::form_urlencoded;

use crate::error::ApiError;
use crate::id::IdError;

/// The fields of a query that have not been read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the text behind the `?`.
    pub fn new(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Takes a field that may come once.
    ///
    /// # Errors
    /// `api.bad_request` when it comes twice.
    pub fn take(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut values = self.take_all(name);
        match values.len() {
            0 | 1 => Ok(values.pop()),
            _ => Err(bad(format!("query field `{name}` comes twice"))),
        }
    }

    /// Takes a field that must come once.
    ///
    /// # Errors
    /// `api.bad_request` when it does not.
    pub fn require(&mut self, name: &str) -> Result<String, ApiError> {
        self.take(name)?.ok_or_else(|| bad(format!("missing query field `{name}`")))
    }

    /// Takes a field that may come any number of times.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        self.0.extract_if(.., |(known, _)| known == name).map(|(_, value)| value).collect()
    }

    /// Takes a field of values, written as one with commas, or under its singular as many.
    ///
    /// # Errors
    /// `api.bad_request` when the one with commas comes twice.
    pub fn take_list(&mut self, plural: &str, singular: &str) -> Result<Vec<String>, ApiError> {
        let mut values = self.take_all(singular);
        if let Some(joined) = self.take(plural)? {
            values.extend(joined.split(',').filter(|value| !value.is_empty()).map(str::to_owned));
        }
        Ok(values)
    }

    /// Takes a field that is a number or a boolean, or any other type that reads itself.
    ///
    /// # Errors
    /// `api.bad_request` when it comes twice or does not read.
    pub fn take_parsed<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.take(name)? else { return Ok(None) };
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(bad(format!("query field `{name}`: cannot read {text:?}"))),
        }
    }

    /// Closes the query.
    ///
    /// # Errors
    /// `api.bad_request` when a field is left over.
    pub fn finish(self) -> Result<(), ApiError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(bad(format!("unknown query field `{name}`"))),
        }
    }
}

fn bad(reason: String) -> ApiError {
    ApiError::ApiBadRequest { reason }
}

/// Reads an id.
///
/// # Errors
/// `api.bad_request` when it is malformed.
pub(super) fn parse_id<T: FromStr<Err = IdError>>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|error: IdError| bad(error.to_string()))
}

/// Reads ids.
///
/// # Errors
/// As [`parse_id`].
pub(super) fn parse_ids<T: FromStr<Err = IdError>>(texts: &[String]) -> Result<Vec<T>, ApiError> {
    texts.iter().map(|text| parse_id(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn fields_are_decoded_once_each_and_leftovers_refused() {
        let mut query = Query::new("namespace=a%20b&actor_id=1&actor_id=2&actor_ids=3,4&n=7&x");
        assert_eq!(query.take("namespace"), Ok(Some("a b".into())));
        assert_eq!(query.take("namespace"), Ok(None));
        assert_eq!(query.take_list("actor_ids", "actor_id").unwrap(), ["1", "2", "3", "4"]);
        assert_eq!(query.take_parsed::<u8>("n"), Ok(Some(7)));
        let error = query.finish().unwrap_err();
        assert_eq!(error, ApiError::ApiBadRequest { reason: "unknown query field `x`".into() });
    }

    #[test]
    fn doubled_missing_and_unreadable_fields_are_bad_requests() {
        assert_eq!(Query::new("a=1&a=2").take("a").unwrap_err().kind(), Code::ApiBadRequest);
        assert_eq!(Query::new("").require("a").unwrap_err().kind(), Code::ApiBadRequest);
        assert_eq!(Query::new("a=x").take_parsed::<u8>("a").unwrap_err().kind(), Code::ApiBadRequest);
    }
}
