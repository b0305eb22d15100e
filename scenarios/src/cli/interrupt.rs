//! Ctrl-C and SIGTERM: the first asks to end soon, the second ends at once.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use runtime::signals::Signals;

/// Set when the process was asked to end.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Takes over the process's signals; what it returns becomes true with the first of them.
///
/// # Errors
/// What the system says.
pub(super) fn watch() -> io::Result<&'static AtomicBool> {
    let (taken, wait) = sync_channel(1);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || listen(&taken))?;
    // A signal that came before they are taken over would end the process without a word.
    wait.recv().map_err(io::Error::other)??;
    Ok(&ASKED)
}

#[expect(clippy::disallowed_methods, reason = "a second Ctrl-C means at once: nobody is left to return to")]
fn listen(taken: &SyncSender<io::Result<()>>) {
    let told = "watch() waits for the answer";
    let heard = runtime::process::block_on(NonZeroUsize::new(1), async {
        let mut signals = Signals::new()?;
        taken.send(Ok(())).expect(told);
        signals.terminate().await;
        ASKED.store(true, Ordering::Relaxed);
        signals.terminate().await;
        io::Result::Ok(())
    });
    match heard.flatten() {
        Ok(()) => std::process::exit(i32::from(super::INTERRUPTED)),
        Err(error) => taken.send(Err(error)).expect(told),
    }
}
