//! Random work under random failures, beside a database in memory that does what was committed, and nothing else.

use std::sync::Arc;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::cupboard::{Cupboard, Fate};
use super::{on, run};
use crate::sql::{Database, SqlError, generator};

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a)";

/// Statements of one transaction.
type Work = Vec<String>;

fn statement() -> impl Strategy<Value = String> {
    let row = 0..40_u32;
    prop_oneof![
        4 => (row.clone(), 0..3000_u32)
            .prop_map(|(id, bytes)| format!("INSERT OR REPLACE INTO t (id, a) VALUES ({id}, hex(zeroblob({bytes})))")),
        2 => row.clone().prop_map(|id| format!("UPDATE t SET a = a || 'x' WHERE id >= {id}")),
        2 => row.clone().prop_map(|id| format!("DELETE FROM t WHERE id < {id}")),
        1 => (row, 0..400_000_u32).prop_map(|(id, bytes)| {
            format!("INSERT OR REPLACE INTO t (id, a) VALUES ({id}, zeroblob({bytes}))")
        }),
        1 => (0..3_u32).prop_map(|index| format!("CREATE INDEX IF NOT EXISTS i{index} ON t (a, id)")),
        1 => (0..3_u32).prop_map(|index| format!("DROP INDEX IF EXISTS i{index}")),
        1 => (0..4_u32).prop_map(|column| format!("ALTER TABLE t ADD COLUMN c{column} DEFAULT {column}")),
        1 => Just("PRAGMA incremental_vacuum".to_owned()),
        1 => Just("DELETE FROM t; DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a)".to_owned()),
    ]
}

#[derive(Clone, Debug)]
struct Op {
    work: Work,
    fates: Vec<Fate>,
    /// The process ends before it.
    restarts: bool,
}

fn op() -> impl Strategy<Value = Op> {
    let fate = prop_oneof![
        8 => Just(Fate::Answered),
        1 => Just(Fate::NotDone),
        1 => any::<bool>().prop_map(Fate::Lost),
    ];
    let work = proptest::collection::vec(statement(), 1..6);
    (work, proptest::collection::vec(fate, 0..6), proptest::bool::weighted(0.2))
        .prop_map(|(work, fates, restarts)| Op { work, fates, restarts })
}

/// Everything in a database, schema included.
fn contents(connection: &Connection) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut all = Vec::new();
    for sql in ["SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2", "SELECT * FROM t ORDER BY id"] {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map((), |row| (0..columns).map(|column| row.get(column)).collect())?;
        for row in rows {
            all.push(row?);
        }
    }
    Ok(all)
}

async fn found(db: &Database) -> Result<Vec<Vec<Value>>, SqlError> {
    let all = db.transaction(|tx| {
        tx.query("PRAGMA integrity_check", (), |row| row.get::<_, String>(0))
            .map(|said| assert_eq!(said, ["ok"]))?;
        let schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2";
        let mut all = tx.query(schema, (), |row| (0..3).map(|column| row.get(column)).collect())?;
        let rows = tx.query("SELECT * FROM t ORDER BY id", (), |row| {
            (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
        })?;
        all.extend(rows);
        Ok(all)
    });
    all.await
}

/// What these transactions make, one after the other; none if SQLite refuses the last of them.
fn replayed(works: &[Work]) -> Option<Vec<Vec<Value>>> {
    // It draws from the generator of the process, as every connection does: not while a world has it.
    let _generator = generator::hold();
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLE).unwrap();
    let (last, committed) = works.split_last()?;
    for work in committed {
        connection.execute_batch(&work.join(";")).unwrap();
    }
    let refused = connection.execute_batch(&format!("BEGIN; {}; COMMIT", last.join(";"))).is_err();
    (!refused).then(|| contents(&connection).unwrap())
}

async fn live(ops: Vec<Op>) -> Result<(), TestCaseError> {
    let mut cupboard = Arc::new(Cupboard::default());
    let mut db = on(&cupboard);
    let mut committed = vec![vec![TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")]];
    db.execute(TABLE, ()).await.unwrap();
    for Op { work, fates, restarts } in ops {
        if restarts {
            cupboard = cupboard.copy();
            db = on(&cupboard);
        }
        let old = replayed(&committed).expect("it was committed");
        committed.push(work.clone());
        let new = replayed(&committed);
        cupboard.fates(fates);
        let ended = db.transaction(move |tx| tx.execute_batch(&work.join(";"))).await;
        cupboard.fates([]);
        let found = found(&db).await.unwrap();
        let there = match ended {
            Ok(()) => true,
            // If it does not show, it is all the same.
            Err(SqlError::Indeterminate) => found != old,
            Err(SqlError::NotCommitted { .. } | SqlError::Unread { .. }) => false,
            Err(SqlError::Sqlite { .. }) if new.is_none() => false,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        if !there {
            committed.pop();
        }
        prop_assert_eq!(Some(&found), if there { new.as_ref() } else { Some(&old) });
        prop_assert_eq!(self::found(&on(&cupboard.copy())).await.unwrap(), found);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_database_holds_what_was_committed_and_nothing_else(ops in proptest::collection::vec(op(), 1..10)) {
        run(live(ops))?;
    }
}
