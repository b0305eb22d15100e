//! SQLite as it is set up for an actor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use machines::pager::Pager;
use parking_lot::Mutex;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::SqlError;
use super::layout::DATABASE_BYTES_MAX;
use super::pages::Pages;
use super::{native, rules, vfs};

/// How a connection is set up. No page is ever written twice for durability's sake: the journal is in memory and serves
/// rollbacks, there is nothing to sync, nobody to lock out, and no second file.
const SETUP: &str = "
    PRAGMA journal_mode = MEMORY;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA temp_store = MEMORY;
    PRAGMA max_page_count = 25600;
";

/// How a database is made: with pages of the size that is stored under a key, and so that `PRAGMA incremental_vacuum` can
/// give room back. It writes the first page, which the first transaction commits.
const MAKE: &str = "
    PRAGMA page_size = 4096;
    PRAGMA auto_vacuum = INCREMENTAL;
";

/// A database in memory, the same as the stored one between two calls.
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// Whether statements are a caller's.
    inside: Arc<AtomicBool>,
    pub(super) pages: Arc<Mutex<Pages>>,
    pub(super) pager: Pager,
}

impl Opened {
    /// Opens what was loaded. It runs statements: hold the generator.
    ///
    /// # Errors
    /// What SQLite says; what is no database shows with the first statement only.
    pub(super) fn new(pages: Arc<Mutex<Pages>>, pager: Pager) -> Result<Self, SqlError> {
        let inside = Arc::new(AtomicBool::new(false));
        let connection = connect(&pages, Arc::clone(&inside))?;
        Ok(Self { connection, inside, pages, pager })
    }

    /// The same with a connection that has seen nothing yet.
    ///
    /// # Errors
    /// As [`Opened::new`].
    pub(super) fn again(self) -> Result<Self, SqlError> {
        let Self { connection, pages, pager, .. } = self;
        drop(connection);
        Self::new(pages, pager)
    }

    /// Runs what a caller wants, who may do less than we.
    pub(super) fn inside<T>(&self, run: impl FnOnce(&Connection) -> T) -> T {
        self.inside.store(true, Ordering::Relaxed);
        let done = run(&self.connection);
        self.inside.store(false, Ordering::Relaxed);
        done
    }
}

fn connect(pages: &Arc<Mutex<Pages>>, inside: Arc<AtomicBool>) -> Result<Connection, SqlError> {
    native::register().expect("a file system is registered once");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = vfs::holding_out(pages, || {
        Connection::open_with_flags_and_vfs("actor", flags, native::NAME).map_err(SqlError::from)
    })?;
    let longest = i32::try_from(DATABASE_BYTES_MAX).expect("a database is below 2 GiB");
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    connection.execute_batch(SETUP)?;
    if pages.lock().len() == 0 {
        connection.execute_batch(MAKE)?;
    }
    connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
        if inside.load(Ordering::Relaxed) {
            rules::authorize(context)
        } else {
            rusqlite::hooks::Authorization::Allow
        }
    }))?;
    Ok(connection)
}
