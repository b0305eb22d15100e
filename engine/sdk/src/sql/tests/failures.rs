//! What a caller is told when storage fails, and what it finds then.

use super::cupboard::Fate;
use super::{insert, notes, on, run, texts};
use crate::actor::KvError;
use crate::sql::{Database, SqlError};

/// More than one put takes.
async fn insert_much(db: &Database) -> Result<usize, SqlError> {
    db.execute("INSERT INTO note (text) SELECT hex(zeroblob(400000))", ()).await
}

async fn lengths(db: &Database) -> Vec<usize> {
    texts(db).await.iter().map(String::len).collect()
}

#[test]
fn a_commit_that_was_refused_is_not_there() {
    run(async {
        let (cupboard, db) = notes().await;
        insert(&db, "a").await.unwrap();
        cupboard.fates([Fate::NotDone]);
        let refused = insert(&db, "b").await;
        assert_eq!(refused, Err(SqlError::NotCommitted { cause: KvError::NotDone }));
        assert_eq!(texts(&db).await, ["a"]);
        insert(&db, "c").await.unwrap();
        assert_eq!(texts(&on(&cupboard.copy())).await, ["a", "c"]);
    });
}

#[test]
fn a_commit_whose_answer_was_lost_is_looked_for() {
    run(async {
        for (done, found) in [(false, &["a", "c"][..]), (true, &["a", "b", "c"])] {
            let (cupboard, db) = notes().await;
            insert(&db, "a").await.unwrap();
            cupboard.fates([Fate::Lost(done)]);
            assert_eq!(insert(&db, "b").await, Err(SqlError::Indeterminate));
            insert(&db, "c").await.unwrap();
            assert_eq!(texts(&db).await, found);
            assert_eq!(texts(&on(&cupboard.copy())).await, found);
        }
    });
}

#[test]
fn a_large_commit_is_there_whole_or_not_at_all() {
    run(async {
        let (cupboard, db) = notes().await;
        insert_much(&db).await.unwrap();
        cupboard.puts();
        db.execute("UPDATE note SET text = replace(text, '0', '1')", ()).await.unwrap();
        let puts = cupboard.puts().len();
        assert!(puts > 1, "{puts} puts");
        for which in 0..puts {
            for fate in [Fate::NotDone, Fate::Lost(false), Fate::Lost(true)] {
                let cupboard = cupboard.copy();
                let db = on(&cupboard);
                assert_eq!(lengths(&db).await, [800_000]);
                cupboard.fates((0..which).map(|_| Fate::Answered).chain([fate]));
                let failed = insert_much(&db).await;
                let last = which == puts - 1;
                match fate {
                    Fate::Lost(_) if last => assert_eq!(failed, Err(SqlError::Indeterminate)),
                    _ => assert!(matches!(failed, Err(SqlError::NotCommitted { .. })), "{failed:?}"),
                }
                let there = if last && fate == Fate::Lost(true) { 2 } else { 1 };
                assert_eq!(lengths(&on(&cupboard.copy())).await.len(), there);
                assert_eq!(lengths(&db).await.len(), there);
                let next = cupboard.copy();
                assert_eq!(lengths(&on(&next)).await.len(), there);
                assert_eq!(next.stored(), cupboard.stored(), "no garbage was left");
            }
        }
    });
}

#[test]
fn a_database_that_cannot_be_read_is_read_by_the_next_call() {
    run(async {
        let (cupboard, db) = notes().await;
        insert(&db, "a").await.unwrap();
        let cupboard = cupboard.copy();
        let db = on(&cupboard);
        for which in 0..2 {
            cupboard.fates((0..which).map(|_| Fate::Answered).chain([Fate::NotDone]));
            assert_eq!(insert(&db, "b").await, Err(SqlError::Unread { cause: KvError::NotDone }));
        }
        assert_eq!(texts(&db).await, ["a"]);
    });
}
