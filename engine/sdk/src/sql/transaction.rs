//! What a caller does within a transaction, and how one is run.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, Connection, Params, Row};

use super::SqlError;
use super::connection::Opened;
use super::generator;

/// A transaction under way. What it wrote it sees; nobody else does before it is committed.
#[derive(Debug)]
pub struct Transaction<'a> {
    connection: &'a Connection,
}

impl Transaction<'_> {
    /// Carries out one statement that has no rows, and answers with how many it changed.
    ///
    /// # Errors
    /// [`SqlError::Sqlite`], [`SqlError::Forbidden`], [`SqlError::RolledBack`].
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, SqlError> {
        Ok(self.open()?.execute(sql, params)?)
    }

    /// Carries out statements without parameters, such as those of a schema, and ignores their rows.
    ///
    /// # Errors
    /// As [`Transaction::execute`].
    pub fn execute_batch(&self, sql: &str) -> Result<(), SqlError> {
        let mut batch = Batch::new(self.open()?, sql);
        while let Some(mut statement) = batch.next()? {
            // Some do their work a row at a time.
            let mut rows = statement.query(())?;
            while rows.next()?.is_some() {}
            drop(rows);
            drop(statement);
            self.open()?;
        }
        Ok(())
    }

    /// Carries out one statement, and answers with what `row` makes of each of its rows.
    ///
    /// # Errors
    /// As [`Transaction::execute`].
    pub fn query<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, SqlError> {
        let mut statement = self.open()?.prepare(sql)?;
        let rows = statement.query_map(params, row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The id of the row that was inserted last.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// The connection, while the transaction is open: after a statement rolled it back, every other one would be a
    /// transaction of its own.
    fn open(&self) -> Result<&Connection, SqlError> {
        if self.connection.is_autocommit() {
            protocol::mark!("sdk_sql_rolled_back");
            return Err(SqlError::RolledBack);
        }
        Ok(self.connection)
    }
}

/// What a caller gets.
pub(super) enum Outcome<T> {
    /// How it went.
    Ended(Result<T, SqlError>),
    /// The work panicked, with this.
    Panicked(Box<dyn Any + Send>),
}

/// How a transaction went within SQLite.
pub(super) enum Ran<T> {
    /// It is committed there, and nowhere else yet.
    Done(T),
    /// It is rolled back.
    Failed(Outcome<T>),
}

/// Runs a transaction. Afterwards nothing is left open: no database means that it must be loaded again.
pub(super) fn run<T>(
    opened: Opened,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, SqlError>,
) -> (Option<Opened>, Ran<T>) {
    let _generator = generator::hold();
    if let Err(error) = opened.connection.execute_batch("BEGIN") {
        return roll_back(opened, error.into());
    }
    let worked = opened.inside(|connection| {
        catch_unwind(AssertUnwindSafe(|| {
            let tx = Transaction { connection };
            let value = work(&tx)?;
            tx.open()?;
            Ok(value)
        }))
    });
    match worked {
        Ok(Ok(value)) => match opened.connection.execute_batch("COMMIT") {
            Ok(()) => (Some(opened), Ran::Done(value)),
            Err(error) => roll_back(opened, error.into()),
        },
        Ok(Err(error)) => roll_back(opened, error),
        Err(panic) => {
            protocol::mark!("sdk_sql_panicked");
            let (opened, _) = undo(opened);
            (opened, Ran::Failed(Outcome::Panicked(panic)))
        }
    }
}

fn roll_back<T>(opened: Opened, first: SqlError) -> (Option<Opened>, Ran<T>) {
    let full = matches!(&first, SqlError::Sqlite { code, .. } if *code == rusqlite::ffi::SQLITE_FULL);
    // SQLite itself keeps the database within its bound, the file all others.
    let beyond = opened.pages.lock().beyond().or_else(|| full.then_some("100 MiB a database"));
    let first = beyond.map_or(first, |bound| SqlError::TooLarge { bound });
    let (opened, rollback) = undo(opened);
    (opened, Ran::Failed(Outcome::Ended(Err(first.rolled_back(rollback)))))
}

/// Undoes what the transaction did, however it ended. A connection is not trusted again that could not, found its file
/// refusing what it wrote, or has another file than what is stored, as one has that just made the database.
fn undo(opened: Opened) -> (Option<Opened>, Result<(), SqlError>) {
    // SQLite rolls some failures back by itself, and says of a second rollback that it fails.
    let rollback = match opened.connection.is_autocommit() {
        true => Ok(()),
        false => opened.connection.execute_batch("ROLLBACK").map_err(SqlError::from),
    };
    let sound = {
        let mut pages = opened.pages.lock();
        let sound = rollback.is_ok() && pages.beyond().is_none() && pages.is_as_stored();
        pages.discard();
        sound
    };
    if sound {
        return (Some(opened), rollback);
    }
    protocol::mark!("sdk_sql_reconnected");
    (opened.again().ok(), rollback)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use machines::pager::Pager;
    use parking_lot::Mutex;
    use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};

    use super::*;
    use crate::sql::layout::OPTIONS;
    use crate::sql::pages::Pages;

    fn empty() -> Opened {
        let _generator = generator::hold();
        let pages = Arc::new(Mutex::new(Pages::default()));
        let opened = Opened::new(Arc::clone(&pages), Pager::new(OPTIONS)).unwrap();
        pages.lock().keep();
        opened
    }

    #[test]
    fn a_rollback_that_fails_hides_nothing_and_leaves_nothing() {
        let mut opened = empty();
        let unwilling = |context: AuthContext<'_>| match context.action {
            AuthAction::Transaction { operation: TransactionOperation::Rollback } => Authorization::Deny,
            _ => Authorization::Allow,
        };
        opened.connection.authorizer(Some(unwilling)).unwrap();
        let (opened, ran) = run(opened, |tx| {
            tx.execute_batch("CREATE TABLE lost (a)")?;
            Err::<(), _>(SqlError::aborted("not that"))
        });
        let Ran::Failed(Outcome::Ended(Err(SqlError::Rollback { first, second }))) = ran else {
            panic!("both are told")
        };
        assert_eq!(*first, SqlError::aborted("not that"));
        assert!(matches!(*second, SqlError::Forbidden { .. }), "{second:?}");
        let tables = |tx: &Transaction<'_>| {
            tx.query("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0))
        };
        let (_, ran) = run(opened.expect("it was connected again"), tables);
        assert!(matches!(ran, Ran::Done(tables) if tables == [0]), "the transaction is gone");
    }
}
