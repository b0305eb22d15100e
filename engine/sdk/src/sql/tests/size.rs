//! Databases that are not small.

use super::{notes, on, run};
use crate::sql::{Database, SqlError};

/// Adds so many MiB of rows of 400 bytes, in transactions of 4.
async fn fill(db: &Database, mebibytes: u32) {
    for _ in 0..mebibytes / 4 {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9600) \
                   INSERT INTO note (text) SELECT printf('%0400d', i) FROM n";
        db.execute(sql, ()).await.unwrap();
    }
}

async fn pages(db: &Database) -> u32 {
    db.query("PRAGMA page_count", (), |row| row.get(0)).await.unwrap()[0]
}

#[test]
fn a_row_of_a_large_database_costs_its_pages() {
    run(async {
        let (cupboard, db) = notes().await;
        fill(&db, 8).await;
        assert!(pages(&db).await > 2000);
        let db = on(&cupboard.copy());
        assert_eq!(db.query("SELECT count(*) FROM note", (), |row| row.get(0)).await, Ok(vec![19_200]));
        drop(db);
        let db = on(&cupboard);
        db.execute("UPDATE note SET text = 'short' WHERE id = 10000", ()).await.unwrap();
        cupboard.puts();
        for id in [5, 10_000, 19_000] {
            db.execute("UPDATE note SET text = 'other' WHERE id = ?1", [id]).await.unwrap();
        }
        assert_eq!(cupboard.puts(), [2, 2, 2], "the row's page and the head");
    });
}

#[test]
fn a_transaction_beyond_its_bound_is_rolled_back_and_the_next_is_not() {
    run(async {
        let (cupboard, db) = notes().await;
        fill(&db, 4).await;
        let before = pages(&db).await;
        cupboard.puts();
        let refused = db.execute("INSERT INTO note (text) VALUES (zeroblob(36000000))", ()).await;
        assert_eq!(refused, Err(SqlError::TooLarge { bound: "32 MiB of changed pages a transaction" }));
        assert_eq!(cupboard.puts(), Vec::<usize>::new(), "nothing was sent");
        assert_eq!(pages(&db).await, before);
        db.execute("INSERT INTO note (text) VALUES ('a')", ()).await.unwrap();
        assert_eq!(db.query("PRAGMA integrity_check", (), |row| row.get(0)).await, Ok(vec!["ok".to_owned()]));
    });
}

#[test]
fn room_is_given_back() {
    run(async {
        let (cupboard, db) = notes().await;
        fill(&db, 4).await;
        let stored = cupboard.stored().len();
        db.execute("DELETE FROM note", ()).await.unwrap();
        db.transaction(|tx| tx.execute_batch("PRAGMA incremental_vacuum")).await.unwrap();
        let pages = pages(&db).await;
        assert!(pages < 10, "{pages} pages");
        assert!(stored > 1000 && cupboard.stored().len() < 15, "{stored}, then {}", cupboard.stored().len());
    });
}

/// Some seconds: fills a database to its bound, finds it there, and loads it.
#[test]
#[ignore = "takes seconds, and is for its numbers"]
fn a_database_of_100_mib_is_loaded() {
    run(async {
        let (cupboard, db) = notes().await;
        fill(&db, 88).await;
        let full = loop {
            let more = db.execute("INSERT INTO note (text) VALUES (zeroblob(2000000))", ()).await;
            if let Err(full) = more {
                break full;
            }
        };
        assert_eq!(full, SqlError::TooLarge { bound: "100 MiB a database" });
        println!("{} pages", pages(&db).await);
        let db = on(&cupboard.copy());
        let start = runtime::now();
        pages(&db).await;
        println!("loaded within {:?}", runtime::now() - start);
        let start = runtime::now();
        db.execute("UPDATE note SET text = 'other' WHERE id = 5000", ()).await.unwrap();
        println!("a row within {:?}", runtime::now() - start);
    });
}
