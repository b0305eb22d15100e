//! The one line printed when the application is up: something to copy.

use sdk::Application;
use sdk::application::Mode;

/// Prints it.
pub(crate) fn print(app: &Application, mode: Mode) {
    let Some(endpoint) = app.endpoint() else { return };
    let options = app.options();
    let (namespace, pool) = (&options.namespace, &options.pool);
    let create = format!(
        r#"curl -sX PUT '{endpoint}/actors?namespace={namespace}' -H 'content-type: application/json' -d '{{"name":"counter","key":"demo","runner_name_selector":"{pool}","crash_policy":"sleep"}}'"#
    );
    let id = r#"sed 's/.*"actor_id":"\([^"]*\)".*/\1/'"#;
    let mode = match mode {
        Mode::Runner => "normal",
        Mode::Serverless => "serverless",
    };
    println!(
        "ready ({mode}): A=$({create} | {id}); curl -sX POST {endpoint}/gateway/$A/action/increment -d '{{\"args\":1}}'"
    );
}
