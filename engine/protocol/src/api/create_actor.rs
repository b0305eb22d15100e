//! The body of create (`POST /actors`) and get-or-create (`PUT /actors`), and what it is turned into.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::api::actor::CrashPolicy;
use crate::api::check_name;
use crate::api::datacenter::check_datacenter;
use crate::error::ApiError;
use crate::limits::{ACTOR_INPUT_BYTES_MAX, ACTOR_KEY_BYTES_MAX};

/// The body as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateActor {
    /// Where it shall live; only one datacenter is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacenter: Option<String>,
    /// Which of the application's actors.
    pub name: String,
    /// Its key; get-or-create needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Base64 of its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The pool that shall host it.
    pub runner_name_selector: String,
    /// What a failure leads to.
    #[serde(default)]
    pub crash_policy: CrashPolicy,
}

/// What to create: within every bound.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorSpec {
    /// Which of the application's actors.
    pub name: String,
    /// Its key.
    pub key: Option<String>,
    /// Its input, decoded.
    pub input: Option<Bytes>,
    /// The pool that shall host it.
    pub pool: String,
    /// What a failure leads to.
    pub crash_policy: CrashPolicy,
}

impl CreateActor {
    /// Checks the body of create.
    ///
    /// # Errors
    /// `datacenter.not_found`, `actor.empty_key`, `actor.key_too_large`, `actor.input_too_large`,
    /// `validation.invalid_input` for names out of bounds and input that is not base64.
    pub fn into_spec(self) -> Result<ActorSpec, ApiError> {
        check_datacenter(self.datacenter.as_deref())?;
        check_name("actor name", &self.name)?;
        check_name("runner_name_selector", &self.runner_name_selector)?;
        if let Some(key) = &self.key {
            check_key(key)?;
        }
        Ok(ActorSpec {
            name: self.name,
            key: self.key,
            input: self.input.as_deref().map(decode_input).transpose()?,
            pool: self.runner_name_selector,
            crash_policy: self.crash_policy,
        })
    }

    /// Checks the body of get-or-create, which needs a key.
    ///
    /// # Errors
    /// Those of [`into_spec`](Self::into_spec); `api.bad_request` without a key.
    pub fn into_keyed_spec(self) -> Result<ActorSpec, ApiError> {
        if self.key.is_none() {
            return Err(ApiError::ApiBadRequest { reason: "missing field `key`".into() });
        }
        self.into_spec()
    }
}

fn check_key(key: &str) -> Result<(), ApiError> {
    match key.len() {
        0 => Err(ApiError::ActorEmptyKey),
        length if length > ACTOR_KEY_BYTES_MAX => Err(ApiError::key_too_large(length)),
        _ => Ok(()),
    }
}

/// The bound is on what was encoded; whatever is too long for it encoded is not decoded first.
fn decode_input(text: &str) -> Result<Bytes, ApiError> {
    if text.len() > ACTOR_INPUT_BYTES_MAX.div_ceil(3) * 4 {
        return Err(ApiError::input_too_large());
    }
    let input = STANDARD.decode(text).map_err(|error| ApiError::ValidationInvalidInput {
        reason: format!("input is not base64: {error}"),
    })?;
    if input.len() > ACTOR_INPUT_BYTES_MAX {
        return Err(ApiError::input_too_large());
    }
    Ok(input.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::read;
    use crate::error::Code;

    const BODY: &[u8] =
        br#"{"name":"counter","key":"k","runner_name_selector":"default","crash_policy":"sleep"}"#;

    fn body() -> CreateActor {
        read(BODY).unwrap()
    }

    #[test]
    fn what_rivetkit_sends_is_taken() {
        let spec = body().into_keyed_spec().unwrap();
        assert_eq!((spec.name.as_str(), spec.key.as_deref()), ("counter", Some("k")));
        assert_eq!((spec.pool.as_str(), spec.crash_policy), ("default", CrashPolicy::Sleep));
        assert_eq!(serde_json::to_vec(&body()).unwrap(), BODY);
    }

    #[test]
    fn unknown_and_missing_fields_are_bad_requests() {
        let unknown = read::<CreateActor>(br#"{"name":"a","runner_name_selector":"b","nope":1}"#);
        let missing = read::<CreateActor>(br#"{"name":"a"}"#);
        let policy = read::<CreateActor>(br#"{"name":"a","runner_name_selector":"b","crash_policy":"die"}"#);
        for refused in [unknown, missing, policy] {
            assert_eq!(refused.unwrap_err().kind(), Code::ApiBadRequest);
        }
        let keyless = CreateActor { key: None, ..body() };
        assert_eq!(keyless.clone().into_spec().unwrap().key, None);
        assert_eq!(keyless.into_keyed_spec().unwrap_err().kind(), Code::ApiBadRequest);
    }

    #[test]
    fn each_bound_is_kept_at_its_edge() {
        let keyed = |bytes: usize| CreateActor { key: Some("k".repeat(bytes)), ..body() }.into_spec();
        assert_eq!(keyed(0), Err(ApiError::ActorEmptyKey));
        assert!(keyed(1024).is_ok());
        assert_eq!(keyed(1025), Err(ApiError::ActorKeyTooLarge { max_size: 1024, key_size: 1025 }));
        let input =
            |bytes: usize| CreateActor { input: Some(STANDARD.encode(vec![7; bytes])), ..body() }.into_spec();
        assert_eq!(input(4 << 20).map(|spec| spec.input.map(|input| input.len())), Ok(Some(4 << 20)));
        assert_eq!(input((4 << 20) + 1), Err(ApiError::input_too_large()));
        assert_eq!(input(8 << 20), Err(ApiError::input_too_large()));
        let named = |name: &str| CreateActor { name: name.into(), ..body() }.into_spec();
        assert_eq!(named("").unwrap_err().kind(), Code::ValidationInvalidInput);
        assert!(named(&"n".repeat(128)).is_ok());
        assert_eq!(named(&"n".repeat(129)).unwrap_err().kind(), Code::ValidationInvalidInput);
    }

    #[test]
    fn elsewhere_and_garbage_are_refused() {
        let elsewhere = CreateActor { datacenter: Some("mars".into()), ..body() };
        assert_eq!(elsewhere.into_spec(), Err(ApiError::DatacenterNotFound));
        let garbage = CreateActor { input: Some("*".into()), ..body() };
        assert_eq!(garbage.into_spec().unwrap_err().kind(), Code::ValidationInvalidInput);
    }
}
