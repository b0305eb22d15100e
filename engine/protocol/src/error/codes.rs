//! The macro behind the table of codes: one line a code, and everything derived from it.

/// Defines `Code`, the closed set of codes, and `ApiError`, the same with what each carries, from lines of
/// `Name { field: Type } = "group" "code" status "message";`. The fields are the error's metadata, by their names.
macro_rules! codes {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? })?
            = $group:literal $code:literal $status:literal $message:literal;
    )+) => {
        /// A code that can leave the platform: `group.code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        /// An error as an HTTP caller gets it: a [`Code`] with what it carries.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum ApiError {
            $(
                $(#[$doc])*
                #[error($message)]
                $name $({ $($(#[$field_doc])* $field: $type),+ })?,
            )+
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Who says it: `actor`, `guard` (the gateway), `api`, …
            pub const fn group(self) -> &'static str {
                match self { $(Self::$name => $group,)+ }
            }

            /// What is said, within the group.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// Both, as in `x-rivet-error`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!($group, ".", $code),)+ }
            }

            /// The HTTP status it travels with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }
        }

        impl ApiError {
            /// The code without what it carries.
            pub const fn kind(&self) -> Code {
                match self { $(Self::$name $({ $($field: _),+ })? => Code::$name,)+ }
            }

            /// What the error carries, by name; none if nothing.
            pub fn metadata(&self) -> Option<serde_json::Value> {
                match self {
                    $(Self::$name $({ $($field),+ })? => codes!(@metadata $($($field)+)?),)+
                }
            }
        }
    };
    (@metadata) => { None };
    (@metadata $($field:ident)+) => { Some(serde_json::json!({ $(stringify!($field): $field),+ })) };
}

pub(super) use codes;
