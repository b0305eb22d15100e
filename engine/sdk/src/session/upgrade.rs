//! The HTTP request that becomes a runner socket, and what its refusal means.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Request, StatusCode, Uri};
use machines::runner::input::CloseClass;
use tokio_tungstenite::tungstenite;

use super::Target;

/// The subprotocol of every runner.
const SUBPROTOCOL: &str = "rivet";

/// The upgrade request (RFC 6455 §4.1). Its key comes from our entropy, not from the library's.
///
/// # Panics
/// If the token is none that HTTP can carry: checked when the options were taken.
pub(super) fn request(target: &Target, url: &Uri) -> Request<()> {
    let key: [u8; 16] = runtime::entropy::bytes("runner/websocket key");
    let subprotocols = match &target.token {
        Some(token) => format!("{SUBPROTOCOL}, rivet_token.{token}"),
        None => SUBPROTOCOL.to_owned(),
    };
    let path = url.path_and_query().expect("a joined URL has a path");
    Request::get(format!("ws://{}{path}", target.endpoint.authority()))
        .header(HOST, target.endpoint.authority())
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, STANDARD.encode(key))
        .header(SEC_WEBSOCKET_PROTOCOL, subprotocols)
        .body(())
        .expect("checked parts make a request")
}

/// Whether a token can be part of a subprotocol's name (RFC 6455 §4.1: a token of RFC 9110 §5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// What a failed upgrade means.
pub(super) fn class(error: &tungstenite::Error) -> CloseClass {
    match error {
        tungstenite::Error::Http(response) => match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CloseClass::Refused,
            // Anything else may be an intermediary's, or pass.
            _ => CloseClass::Retry,
        },
        // What answered is no engine, or not now.
        _ => CloseClass::Retry,
    }
}
