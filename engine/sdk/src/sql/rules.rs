//! What statements may not do: end the transaction they are in, reach another database, or change how this one is set
//! up.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Pragmas that read, or that change something that is stored or ends with the transaction.
const ANY: [&str; 18] = [
    "application_id",
    "data_version",
    "defer_foreign_keys",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "page_count",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Pragmas that say how it is set up, where they do not set it.
const READ: [&str; 5] = ["compile_options", "encoding", "foreign_keys", "page_size", "schema_version"];

/// Judges an action of a statement within a transaction.
pub(super) fn judge(action: AuthAction<'_>) -> Authorization {
    let allowed = match action {
        AuthAction::Transaction { .. } | AuthAction::Attach { .. } | AuthAction::Detach { .. } => false,
        // They would be gone after the next load.
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => false,
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is = |name: &&'static str| name.eq_ignore_ascii_case(pragma_name);
            ANY.iter().any(is) || pragma_value.is_none() && READ.iter().any(is)
        }
        _ => true,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// As SQLite asks.
pub(super) fn authorize(context: AuthContext<'_>) -> Authorization {
    judge(context.action)
}
