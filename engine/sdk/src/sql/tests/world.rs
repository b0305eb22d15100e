//! Databases in a simulated world.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::{Cupboard, on};

/// Everything in SQLite that could ask somebody else for time or chance: its clock, its generator, row ids where the
/// largest is taken, and names of columns.
const SCRIPT: &str = "
    CREATE TABLE chance (id INTEGER PRIMARY KEY, a, b, c);
    INSERT INTO chance (a, b, c) VALUES (random(), randomblob(20), datetime('now', 'subsec'));
    INSERT INTO chance (id) VALUES (9223372036854775807);
    INSERT INTO chance (a) VALUES ('an id that was drawn');
    CREATE TABLE names AS SELECT a, a, a, a, a, a, a FROM chance;
    CREATE VIRTUAL TABLE words USING fts5 (word);
    INSERT INTO words SELECT hex(b) FROM chance;
    ANALYZE;
";

fn stored(seed: u64) -> BTreeMap<Bytes, Bytes> {
    let report = sim::Sim::seed(seed).run(async |world: sim::World| {
        let cupboard = Arc::new(Cupboard::default());
        for _ in 0..3 {
            world.sleep(std::time::Duration::from_millis(1234)).await;
            let db = on(&cupboard);
            db.transaction(|tx| tx.execute_batch("DROP TABLE IF EXISTS chance; DROP TABLE IF EXISTS names"))
                .await
                .unwrap();
            db.transaction(|tx| tx.execute_batch("DROP TABLE IF EXISTS words")).await.unwrap();
            db.transaction(|tx| tx.execute_batch(SCRIPT)).await.unwrap();
        }
        cupboard.stored()
    });
    report.expect_ok()
}

#[test]
fn its_clock_is_the_worlds() {
    let report = sim::Sim::seed(7).run(async |world: sim::World| {
        let db = on(&Arc::new(Cupboard::default()));
        let mut read = Vec::new();
        for _ in 0..2 {
            let now =
                db.query("SELECT unixepoch('subsec') * 1000", (), |row| row.get::<_, f64>(0)).await.unwrap();
            let wall = runtime::wall().0;
            assert!(now[0].round() as u64 == wall, "{now:?} at {wall}");
            read.push(wall);
            world.sleep(std::time::Duration::from_hours(1)).await;
        }
        read[1] - read[0]
    });
    assert_eq!(report.expect_ok(), 3_600_000);
}

#[test]
fn two_runs_of_a_seed_store_the_same_bytes() {
    let first = stored(7);
    assert!(first == stored(7), "the same run");
    assert!(first != stored(8), "another one, by its chance");
}
