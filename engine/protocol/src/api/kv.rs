//! `GET /actors/{id}/kv/keys/{key}`: one entry of an actor's KV.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::limits::KV_KEY_BYTES_MAX;

/// Padding may be left out: it says nothing, and `=` is a nuisance in paths.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KvValue {
    /// Base64 of the value.
    pub value: String,
    /// When it was written, wall clock milliseconds.
    pub update_ts: i64,
}

impl KvValue {
    /// The answer that shows this value.
    pub fn new(value: &[u8], update_ts: i64) -> Self {
        Self { value: STANDARD.encode(value), update_ts }
    }
}

/// Reads a key out of a path: base64, in the standard alphabet or that of URLs, whose `/` a path cannot hold as it is.
///
/// # Errors
/// `api.bad_request` for what is no base64, or longer than a key.
pub fn parse_kv_key(text: &str) -> Result<Vec<u8>, ApiError> {
    let bad = |reason: String| ApiError::ApiBadRequest { reason };
    let alphabet =
        if text.contains(['-', '_']) { base64::alphabet::URL_SAFE } else { base64::alphabet::STANDARD };
    let engine = GeneralPurpose::new(&alphabet, LENIENT);
    let key = engine.decode(text).map_err(|error| bad(format!("the key is not base64: {error}")))?;
    if key.len() > KV_KEY_BYTES_MAX {
        return Err(bad(format!("a key of {} bytes: at most {KV_KEY_BYTES_MAX}", key.len())));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_key_is_read_in_either_alphabet() {
        for text in ["+/8=", "-_8=", "-_8", "+/8"] {
            assert_eq!(parse_kv_key(text).unwrap(), [0xfb, 0xff], "{text}");
        }
        assert_eq!(parse_kv_key("").unwrap(), b"");
        for text in ["+_8=", "é", "a", &STANDARD.encode([0; 2049])] {
            assert_eq!(parse_kv_key(text).unwrap_err().kind(), Code::ApiBadRequest, "{text}");
        }
        assert_eq!(parse_kv_key(&STANDARD.encode([7; 2048])).unwrap().len(), 2048);
    }
}
