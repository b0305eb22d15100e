//! An actor's relational database: SQLite, whose pages stand in the actor's storage.
//!
//! All pages are in memory. What a transaction changed is sent to the engine when it commits, and the call resolves when
//! the engine has it durably; a crash at any moment leaves all of a transaction or nothing. Which pages are sent how,
//! and what a failure means, is decided in `machines::pager`; [`drive`] obeys it. `docs/sql.md` tells what is promised.
//!
//! What durability costs is the engine's affair, so SQLite is told to care for none: its journal is in memory, for
//! rollbacks only, it never syncs, locks nothing, and keeps what is temporary in memory.
//!
//! | file | |
//! |---|---|
//! | [`transaction`] | what a caller does within one, and how one is run |
//! | [`error`] | how it fails |
//! | [`connection`], [`rules`] | SQLite as it is set up, and what statements may not do |
//! | [`pages`], [`vfs`], [`generator`], [`native`] | the file it sees: its pages, its clock, its chance |
//! | [`shelf`], [`layout`] | storage, and how pages stand in it |

mod connection;
mod drive;
pub mod error;
mod generator;
mod layout;
mod native;
mod pages;
mod rules;
mod shelf;
#[cfg(test)]
mod tests;
pub mod transaction;
mod vfs;

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, oneshot};

pub use error::SqlError;
pub use layout::{COMMIT_BYTES_MAX, DATABASE_BYTES_MAX, PREFIX};
pub use rusqlite::{Error as RowError, Params, Row, ToSql, named_params, params, types};
pub use transaction::Transaction;

use crate::instance::Voice;
use connection::Opened;
use drive::Drive;
use shelf::Shelf;
use transaction::{Outcome, Ran};

/// Most calls that wait for the one before them. Upstream's.
pub const WAITING_MAX: usize = 128;

/// An actor's database. Clones are cheap and mean the same one.
///
/// It is loaded by the first call. Each call is a transaction of its own; calls are carried out one after the other, in
/// the order they were made. A call that is dropped before its turn does nothing; one that is dropped later is carried
/// out to its end.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    shelf: Arc<dyn Shelf>,
    /// None: to be loaded, since nobody needed it yet or what is in memory may not be what is stored.
    opened: Arc<Mutex<Option<Opened>>>,
    waiting: Arc<Semaphore>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

impl Database {
    /// The database of the actor that `voice` speaks for. There must be one only: what it holds in memory is right
    /// because nobody else writes.
    pub(crate) fn open(voice: Voice) -> Self {
        Self::on(Arc::new(voice))
    }

    fn on(shelf: Arc<dyn Shelf>) -> Self {
        let waiting = Arc::new(Semaphore::new(WAITING_MAX));
        Self(Arc::new(Inner { shelf, opened: Arc::default(), waiting }))
    }

    /// Carries out one statement, and answers with how many rows it changed.
    ///
    /// # Errors
    /// As [`Database::transaction`].
    pub async fn execute<P>(&self, sql: impl Into<String>, params: P) -> Result<usize, SqlError>
    where
        P: Params + Send + 'static,
    {
        let sql = sql.into();
        self.transaction(move |tx| tx.execute(&sql, params)).await
    }

    /// Carries out one statement, and answers with what `row` makes of each row of its result.
    ///
    /// # Errors
    /// As [`Database::transaction`].
    pub async fn query<T, P, F>(&self, sql: impl Into<String>, params: P, row: F) -> Result<Vec<T>, SqlError>
    where
        T: Send + 'static,
        P: Params + Send + 'static,
        F: FnMut(&Row<'_>) -> Result<T, RowError> + Send + 'static,
    {
        let sql = sql.into();
        self.transaction(move |tx| tx.query(&sql, params, row)).await
    }

    /// Carries out `work` as one transaction: it sees what it wrote, and commits when it returns. If it fails,
    /// everything it did is rolled back. It runs where CPU work stops nobody else, and cannot wait for anything.
    ///
    /// ```
    /// # async fn example(db: &sdk::sql::Database) -> Result<(), sdk::sql::SqlError> {
    /// let left = db
    ///     .transaction(|tx| {
    ///         tx.execute("UPDATE stock SET count = count - 1 WHERE item = ?1", ["cup"])?;
    ///         let left = tx.query("SELECT count FROM stock WHERE item = ?1", ["cup"], |row| row.get::<_, i64>(0))?;
    ///         match left.first() {
    ///             Some(0..) => Ok(left[0]),
    ///             _ => Err(sdk::sql::SqlError::aborted("sold out")),
    ///         }
    ///     })
    ///     .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`SqlError`]. Only after [`SqlError::Indeterminate`] may the transaction have been committed.
    ///
    /// # Panics
    /// Where `work` does, after its transaction was rolled back.
    pub async fn transaction<T, F>(&self, work: F) -> Result<T, SqlError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, SqlError> + Send + 'static,
    {
        let Ok(place) = Arc::clone(&self.0.waiting).try_acquire_owned() else {
            protocol::mark!("sdk_sql_queue_full");
            return Err(SqlError::QueueFull);
        };
        let turn = Arc::clone(&self.0.opened).lock_owned().await;
        drop(place);
        let (tell, told) = oneshot::channel();
        // A task of its own, which the caller's end does not end.
        drop(runtime::spawn("sql", perform(Arc::clone(&self.0.shelf), turn, work, tell)));
        match told.await {
            Ok(Outcome::Ended(outcome)) => outcome,
            Ok(Outcome::Panicked(panic)) => resume_unwind(panic),
            // Its process is ending.
            Err(_) => Err(SqlError::Indeterminate),
        }
    }
}

/// One transaction. `turn` is left empty until everything is known to be as it is stored.
async fn perform<T, F>(
    shelf: Arc<dyn Shelf>,
    mut turn: OwnedMutexGuard<Option<Opened>>,
    work: F,
    tell: oneshot::Sender<Outcome<T>>,
) where
    T: Send + 'static,
    F: FnOnce(&Transaction<'_>) -> Result<T, SqlError> + Send + 'static,
{
    let opened = match turn.take() {
        Some(opened) => Ok(opened),
        None => drive::load(&*shelf).await,
    };
    // Whoever waits no more does not want to know, here and below.
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => return drop(tell.send(Outcome::Ended(Err(error)))),
    };
    let (opened, ran) = runtime::blocking(move || transaction::run(opened, work)).await;
    let (mut opened, value) = match (opened, ran) {
        (Some(opened), Ran::Done(value)) => (opened, value),
        (opened, Ran::Failed(outcome)) => {
            *turn = opened;
            return drop(tell.send(outcome));
        }
        (None, Ran::Done(_)) => unreachable!("what was done is to be committed"),
    };
    let mut waits = Some((tell, value));
    let mut drive = Drive::new(&*shelf, &mut opened);
    drive
        .commit(|ended| {
            let (tell, value) = waits.take().expect("a commit ends once");
            drop(tell.send(Outcome::Ended(ended.map(|()| value))));
        })
        .await;
    if opened.pager.is_ready() {
        *turn = Some(opened);
    }
}
