//! The API's description for machines (OpenAPI 3.1), generated from the calls and their types.
//!
//! Each call says beside its function what it takes and answers; what a type is made of is read from the type. It is
//! served at `/openapi.json`, printed by `rehearsal-engine openapi`, and kept in `docs/openapi.json`; tests compare them
//! with each other and with what the API does. What is not in it: the gateway, whose requests are the actors', and the
//! runner sockets.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use protocol::error::ErrorBody;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi, ToSchema as _};

use super::api::{actors, backup, engine, kv, namespaces, pools, runners};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rehearsal engine",
        description = "Namespaces, pools, actors and runners. Fields that are not known are refused. Errors are told \
                       apart by group and code."
    ),
    paths(
        engine::health,
        engine::fanout,
        engine::metadata,
        engine::datacenters,
        engine::metrics,
        backup::stream,
        namespaces::list,
        namespaces::create,
        pools::list,
        pools::put,
        pools::delete,
        pools::check,
        pools::refresh,
        actors::list,
        actors::create,
        actors::get_or_create,
        actors::names,
        actors::delete,
        actors::sleep,
        actors::reschedule,
        kv::read,
        runners::list,
        runners::names,
    ),
    components(schemas(ErrorBody)),
    modifiers(&Bearer)
)]
struct Description;

/// The namespace that a call is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; queries are read field by field")]
pub(super) struct InNamespace {
    /// Name of the namespace.
    namespace: String,
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; queries are read field by field")]
pub(super) struct InPages {
    /// Items at most; 100 if it is not given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// What the page before said; opaque.
    cursor: Option<String>,
}

/// What every call can be refused with.
pub(super) struct Refusal;

impl IntoResponses for Refusal {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let body = || {
            let schema = utoipa::openapi::Ref::from_schema_name(ErrorBody::name());
            ContentBuilder::new().schema(Some(schema)).build()
        };
        let refusal = |(status, what): (&str, &str)| {
            let response = ResponseBuilder::new().description(what).content("application/json", body());
            (status.to_owned(), response.build().into())
        };
        [("4XX", "Refused"), ("5XX", "Failed; what it was is in the log, under `x-rivet-ray-id`")]
            .map(refusal)
            .into()
    }
}

/// How a caller says who he is, where the engine has tokens.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A token of a scope that allows the call; none where the engine has no tokens",
        ));
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
        let none: [&str; 0] = [];
        description.security = Some(vec![SecurityRequirement::new("token", none)]);
    }
}

/// The description as it is served: made once.
pub(super) fn served() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    &TEXT
}

/// The description, as JSON for people too.
#[must_use]
pub fn text() -> String {
    let mut text = Description::openapi().to_pretty_json().expect("the description is JSON");
    text.push('\n');
    text
}
