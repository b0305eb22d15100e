//! What can be said against options before anything is opened.

use super::{OpenError, public_url};
use crate::Options;
use crate::access::Door;
use crate::outbound::Dialler;

/// Everything that keeps an engine from being opened with these options, as far as it can be told without opening it.
pub async fn examine(options: &Options) -> Vec<OpenError> {
    let tokens = Door::new(options.tokens.as_ref()).await;
    let dialler = dialler(options).await;
    [bind(options).err(), public_url(options).err(), tokens.err().map(OpenError::from), dialler.err()]
        .into_iter()
        .flatten()
        .collect()
}

/// Whoever is listened to beyond this machine must say who he is.
pub(super) fn bind(options: &Options) -> Result<(), OpenError> {
    if !options.bind.ip().is_loopback() && !options.insecure && options.tokens.is_none() {
        return Err(OpenError::Insecure { bind: options.bind });
    }
    Ok(())
}

/// The URL under which others reach the engine, if one is given.
pub(super) fn public_url(options: &Options) -> Result<Option<String>, OpenError> {
    match &options.public_url {
        Some(text) => public_url::normal(text).map(Some),
        None if options.bind.ip().is_unspecified() => Err(OpenError::NoPublicUrl { bind: options.bind }),
        None => Ok(None),
    }
}

/// What applications are dialled with. An engine that only this machine can reach may reach this machine.
pub(super) async fn dialler(options: &Options) -> Result<Dialler, OpenError> {
    let private = options.private_targets.unwrap_or_else(|| options.bind.ip().is_loopback());
    Ok(Dialler::new(private, options.ca_file.as_deref()).await?)
}
