//! The URL under which others reach the engine.

use url::Url;

use super::OpenError;

/// The same URL without its final slash.
///
/// # Errors
/// [`OpenError::PublicUrl`] for what applications and clients could not dial, or not put paths behind.
pub(super) fn normal(text: &str) -> Result<String, OpenError> {
    let refuse = |reason: &str| OpenError::PublicUrl { text: masked(text), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| refuse(&error.to_string()))?;
    // A proxy in front may speak TLS; the engine itself does not.
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("its scheme is neither http nor https"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse("it carries a query or a fragment"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it carries credentials"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The same text without what may be a password in it, to be shown.
#[must_use]
pub fn masked(text: &str) -> String {
    let begin = text.find("//").map_or(0, |slashes| slashes + 2);
    let authority = text[begin..].split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rfind('@') {
        Some(at) => format!("{}***{}", &text[..begin], &text[begin + at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_without_its_final_slash_and_what_is_none_is_refused() {
        for (text, expected) in [
            ("http://engine:6420/", "http://engine:6420"),
            ("http://ENGINE/base/", "http://engine/base"),
            ("https://engine.example", "https://engine.example"),
            ("http://bücher.example", "http://xn--bcher-kva.example"),
        ] {
            assert_eq!(normal(text).unwrap(), expected);
        }
        for text in ["engine:6420", "ws://a", "http://", "http://a/?b", "http://a/#b", "http://a@b", "/a", ""]
        {
            let error = normal(text).unwrap_err().to_string();
            assert!(error.starts_with("the public URL"), "{text}: {error}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let error = normal("http://me:s3cret@engine/").unwrap_err().to_string();
        assert!(error.contains("http://***@engine/") && !error.contains("s3cret"), "{error}");
        assert_eq!(masked("http://engine/a@b"), "http://engine/a@b");
        assert_eq!(masked("me:s3cret@engine"), "***@engine");
    }
}
