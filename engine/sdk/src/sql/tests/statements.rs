//! What statements do and may not do.

use super::{Cupboard, insert, notes, on, run, texts};
use crate::sql::{SqlError, Transaction};

#[test]
fn what_is_committed_is_there_for_the_next_process() {
    run(async {
        let (cupboard, db) = notes().await;
        let left = db
            .transaction(|tx| {
                tx.execute("INSERT INTO note (text) VALUES ('a'), ('b')", ())?;
                tx.execute("DELETE FROM note WHERE text = ?1", ["a"])?;
                tx.query("SELECT text FROM note", (), |row| row.get::<_, String>(0))
            })
            .await;
        assert_eq!(left, Ok(vec!["b".to_owned()]), "a transaction sees what it wrote");
        assert_eq!(texts(&on(&cupboard.copy())).await, ["b"]);
    });
}

#[test]
fn what_changes_nothing_sends_nothing() {
    run(async {
        let (cupboard, db) = notes().await;
        insert(&db, "a").await.unwrap();
        cupboard.puts();
        assert_eq!(texts(&db).await, ["a"]);
        let given_up: Result<(), _> = db
            .transaction(|tx| {
                tx.execute("DELETE FROM note", ())?;
                Err(SqlError::aborted("not that"))
            })
            .await;
        assert_eq!(given_up, Err(SqlError::aborted("not that")));
        assert_eq!(cupboard.puts(), Vec::<usize>::new());
        assert_eq!(texts(&db).await, ["a"]);
    });
}

#[test]
fn nothing_reaches_past_a_transaction() {
    run(async {
        let (cupboard, db) = notes().await;
        for sql in [
            "BEGIN",
            "COMMIT",
            "END",
            "ROLLBACK",
            "ATTACH ':memory:' AS other",
            "PRAGMA journal_mode = OFF",
            "PRAGMA locking_mode = NORMAL",
            "PRAGMA page_size = 512",
            "PRAGMA writable_schema = ON",
            "PRAGMA threads = 4",
            "CREATE TEMP TABLE scratch (a)",
        ] {
            let work = move |tx: &Transaction<'_>| {
                tx.execute("INSERT INTO note (text) VALUES ('lost')", ())?;
                tx.execute_batch(sql)
            };
            let refused = db.transaction(work).await;
            assert!(matches!(refused, Err(SqlError::Forbidden { .. })), "{sql}: {refused:?}");
        }
        db.execute("VACUUM", ()).await.unwrap_err();
        assert_eq!(texts(&on(&cupboard.copy())).await, Vec::<String>::new());

        let work = |tx: &Transaction<'_>| {
            tx.execute_batch(
                "SAVEPOINT a; INSERT INTO note (text) VALUES ('kept'); RELEASE a; \
                 SAVEPOINT b; INSERT INTO note (text) VALUES ('lost'); ROLLBACK TO b; RELEASE b; \
                 PRAGMA user_version = 7;",
            )
        };
        db.transaction(work).await.unwrap();
        let next = on(&cupboard.copy());
        assert_eq!(texts(&next).await, ["kept"]);
        let version = next.query("PRAGMA user_version", (), |row| row.get::<_, i64>(0)).await;
        assert_eq!(version, Ok(vec![7]));
    });
}

#[test]
fn a_statement_that_rolls_back_ends_the_transaction_and_its_work() {
    run(async {
        let (cupboard, db) = notes().await;
        let work = |tx: &Transaction<'_>| {
            tx.execute("INSERT INTO note (id, text) VALUES (1, 'a')", ())?;
            tx.execute("INSERT OR ROLLBACK INTO note (id, text) VALUES (1, 'b')", ()).unwrap_err();
            Ok(())
        };
        assert_eq!(db.transaction(work).await, Err(SqlError::RolledBack));
        let work = move |tx: &Transaction<'_>| {
            work(tx)?;
            tx.execute("INSERT INTO note (text) VALUES ('a transaction of its own')", ())
        };
        assert_eq!(db.transaction(work).await, Err(SqlError::RolledBack));
        assert_eq!(texts(&on(&cupboard.copy())).await, Vec::<String>::new());
        insert(&db, "c").await.unwrap();
        assert_eq!(texts(&db).await, ["c"]);
    });
}

#[test]
fn a_commit_that_sqlite_refuses_is_rolled_back() {
    run(async {
        let (_, db) = notes().await;
        db.execute("CREATE TABLE of (id REFERENCES note DEFERRABLE INITIALLY DEFERRED)", ()).await.unwrap();
        let refused = db.execute("INSERT INTO of VALUES (1)", ()).await;
        let foreign_key = rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY;
        assert!(
            matches!(&refused, Err(SqlError::Sqlite { code, .. }) if *code == foreign_key),
            "{refused:?}"
        );
        insert(&db, "a").await.unwrap();
        assert_eq!(db.execute("INSERT INTO of VALUES (1)", ()).await, Ok(1));
    });
}

#[test]
fn a_panic_is_passed_on_and_leaves_nothing() {
    run(async {
        let (_, db) = notes().await;
        let work = |tx: &Transaction<'_>| -> Result<(), SqlError> {
            tx.execute("INSERT INTO note (text) VALUES ('lost')", ())?;
            panic!("in the middle of it")
        };
        let panicking = db.clone();
        let ended = runtime::spawn("test", async move { panicking.transaction(work).await }).await;
        assert_eq!(ended, Err(runtime::JoinError::Panicked));
        assert_eq!(texts(&db).await, Vec::<String>::new());
        insert(&db, "a").await.unwrap();
    });
}

#[test]
fn the_first_error_wins_over_that_of_its_rollback() {
    let first = SqlError::aborted("sold out");
    let second = SqlError::RolledBack;
    assert_eq!(first.clone().rolled_back(Ok(())), first);
    let both = first.rolled_back(Err(second));
    assert_eq!(both.code(), "aborted");
    let said = "sold out (and its rollback failed: the transaction was rolled back by one of its statements)";
    assert_eq!(both.to_string(), said);
}

#[test]
fn what_is_no_database_is_damage() {
    run(async {
        let (cupboard, _) = notes().await;
        for (key, value) in [
            (&b"\x08\x02\x00"[..], Some(&b"\x02of another layout"[..])),
            (b"\x08\x02\x01", Some(&[0; 4000])),
            (b"\x08\x02\x02\x00\x00\x00\x00\x00", None),
            (b"\x08\x02\x02\x00\x00\x00\x00\x00", Some(b"not a page")),
            (b"\x08\x02\x02\x00\x00\x00\x00\x00\x00", Some(b"not a key")),
        ] {
            let spoilt = cupboard.copy();
            spoilt.spoil(key, value);
            assert_eq!(insert(&on(&spoilt), "a").await, Err(SqlError::Damaged), "{key:?}");
        }
        let spoilt = cupboard.copy();
        spoilt.spoil(b"\x08\x02\x02\x00\x00\x00\x00\x00", Some(&[7; 4096]));
        let not_a_database = insert(&on(&spoilt), "a").await;
        assert!(matches!(not_a_database, Err(SqlError::Sqlite { .. })), "{not_a_database:?}");
    });
}

#[test]
fn a_first_call_that_fails_makes_no_database() {
    run(async {
        let cupboard = std::sync::Arc::new(Cupboard::default());
        let db = on(&cupboard);
        for _ in 0..2 {
            assert_eq!(insert(&db, "a").await.unwrap_err().code(), "sqlite", "there is no table");
            assert!(cupboard.stored().is_empty());
        }
        db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)", ()).await.unwrap();
        insert(&db, "a").await.unwrap();
        let next = on(&cupboard.copy());
        assert_eq!(texts(&next).await, ["a"]);
    });
}

#[test]
fn a_database_keeps_to_its_own_keys() {
    run(async {
        let cupboard = std::sync::Arc::new(Cupboard::default());
        for key in [&b"\x08\x01\xff"[..], b"\x08\x02\x03", b"\x08\x03", b"a"] {
            cupboard.spoil(key, Some(b"another's"));
        }
        let db = on(&cupboard);
        db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)", ()).await.unwrap();
        insert(&db, "a").await.unwrap();
        assert_eq!(cupboard.stored().values().filter(|value| *value == "another's").count(), 4);
        assert_eq!(texts(&on(&cupboard)).await, ["a"]);
    });
}
