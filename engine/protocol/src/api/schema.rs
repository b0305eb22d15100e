//! How types that spell themselves look in the API's description.

/// Describes a type that is spelt as text, in place, with a pattern if it has one.
macro_rules! text {
    ($name:ident, $what:literal, $pattern:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let pattern: Option<&str> = $pattern;
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($what))
                    .pattern(pattern)
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// Describes a type that is spelt as a number, in place.
macro_rules! number {
    ($name:ident, $kind:ident, $what:literal) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::$kind)
                    .description(Some($what))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use {number, text};
