//! The one line printed when the application is up: something to copy.

use crate::args::Engine;

/// Prints it.
pub(crate) fn print(mode: &str, engine: &Engine) {
    let Engine { endpoint, namespace, pool, .. } = engine;
    let create = format!(
        r#"curl -sX PUT '{endpoint}/actors?namespace={namespace}' -H 'content-type: application/json' -d '{{"name":"counter","key":"demo","runner_name_selector":"{pool}","crash_policy":"sleep"}}'"#
    );
    let id = r#"sed 's/.*"actor_id":"\([^"]*\)".*/\1/'"#;
    println!(
        "ready ({mode}): A=$({create} | {id}); curl -sX POST {endpoint}/gateway/$A/action/increment -d '{{\"args\":1}}'"
    );
}
