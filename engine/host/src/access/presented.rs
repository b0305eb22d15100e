//! The tokens that came with a request.

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use percent_encoding::percent_decode_str;

use super::operation::GATEWAY;

/// The header of a token. RivetKit sends it, and so does the engine when it starts a runner.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-rivet-token");
/// What stands before a token in the name of a WebSocket subprotocol: browsers can set no header.
const SUBPROTOCOL: &str = "rivet_token.";
/// Tokens of one request that are looked at. There are four places; a proxy may repeat one.
const PRESENTED_MAX: usize = 8;

/// Every token of a request, wherever it carries it: which of them counts is told by which one is known.
pub(super) fn of(headers: &HeaderMap, path: &str) -> Vec<String> {
    let values = |name: HeaderName| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let bearers = values(AUTHORIZATION).filter_map(bearer);
    let subprotocols = values(SEC_WEBSOCKET_PROTOCOL).flat_map(|line| line.split(','));
    let subprotocols = subprotocols.filter_map(|name| name.trim().strip_prefix(SUBPROTOCOL));
    let in_headers = bearers.chain(values(TOKEN)).chain(subprotocols).map(str::to_owned);
    in_path(path).into_iter().chain(in_headers).take(PRESENTED_MAX).collect()
}

/// The token of an `Authorization` header (RFC 6750 §2.1).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Takes the subprotocols out that carry a token of ours.
pub(super) fn strip_subprotocols(headers: &mut HeaderMap, is_ours: impl Fn(&str) -> bool) {
    let carries = |name: &str| name.trim().strip_prefix(SUBPROTOCOL).is_some_and(&is_ours);
    let lines: Vec<_> = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().cloned().collect();
    if !lines.iter().filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).any(carries) {
        return;
    }
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    for line in lines {
        let kept =
            line.to_str().map(|text| text.split(',').filter(|name| !carries(name)).collect::<Vec<_>>());
        let kept = kept.ok().and_then(|names| HeaderValue::from_str(names.join(",").trim()).ok());
        if let Some(value) = kept.filter(|value| !value.is_empty()) {
            headers.append(SEC_WEBSOCKET_PROTOCOL, value);
        }
    }
}

/// The token behind an actor's id.
fn in_path(path: &str) -> Option<String> {
    let target = path.strip_prefix(GATEWAY)?.split('/').next()?;
    let (_, token) = target.split_once('@')?;
    Some(percent_decode_str(token).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_does_not_see_the_token_among_the_subprotocols() {
        let strip = |offered: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(offered));
            strip_subprotocols(&mut headers, |token| token == "ours");
            headers.get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(strip("rivet, rivet_token.ours, chat").as_deref(), Some("rivet, chat"));
        assert_eq!(strip("rivet_token.theirs").as_deref(), Some("rivet_token.theirs"));
        assert_eq!(strip("rivet_token.ours"), None);
    }

    #[test]
    fn a_token_is_found_in_each_of_its_places() {
        let find = |lines: &[(&'static str, &'static str)], path: &str| {
            let line = |(name, value): &(&'static str, &'static str)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            of(&lines.iter().map(line).collect(), path)
        };
        assert_eq!(find(&[("authorization", "Bearer a")], "/"), ["a"]);
        assert_eq!(find(&[("authorization", "bearer  a ")], "/"), ["a"]);
        assert_eq!(find(&[("authorization", "Basic a")], "/"), Vec::<String>::new());
        assert_eq!(find(&[("x-rivet-token", "b")], "/"), ["b"]);
        assert_eq!(find(&[("sec-websocket-protocol", "rivet, rivet_token.c")], "/"), ["c"]);
        assert_eq!(find(&[], "/gateway/id@d%2De/x@y"), ["d-e"]);
        assert_eq!(find(&[], "/actors/id@d"), Vec::<String>::new());
        let all = [
            ("authorization", "Bearer a"),
            ("x-rivet-token", "b"),
            ("sec-websocket-protocol", "rivet_token.c"),
        ];
        assert_eq!(find(&all, "/gateway/id@d"), ["d", "a", "b", "c"]);
    }
}
