//! The JSON body of every error answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::api_error::{Code, UnknownCode};

/// An error as it travels: what a client reads when it knows no more than that.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// Who says it.
    pub group: String,
    /// What is said, within the group.
    pub code: String,
    /// For people.
    pub message: String,
    /// What the error carries; left out if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

impl ErrorBody {
    /// The code, if it is one of this platform's; an application may answer its own.
    ///
    /// # Errors
    /// When it is not.
    pub fn kind(&self) -> Result<Code, UnknownCode> {
        format!("{}.{}", self.group, self.code).parse()
    }
}
