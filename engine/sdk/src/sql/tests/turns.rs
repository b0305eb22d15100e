//! Calls beside each other, and calls that are dropped.

use super::{insert, notes, on, run, texts};
use crate::sql::{SqlError, WAITING_MAX};

use futures_util::FutureExt;
use futures_util::future::join_all;

#[test]
fn calls_are_carried_out_in_the_order_they_were_made() {
    run(async {
        let (_, db) = notes().await;
        let names: Vec<_> = (0..20).map(|index| index.to_string()).collect();
        let inserted = join_all(names.iter().map(|name| insert(&db, name))).await;
        assert!(inserted.iter().all(Result::is_ok));
        assert_eq!(texts(&db).await, names);
    });
}

#[test]
fn too_many_calls_are_refused_and_those_that_wait_are_not() {
    run(async {
        let (cupboard, db) = notes().await;
        let mut calls: Vec<_> = (0..WAITING_MAX + 2).map(|_| Box::pin(insert(&db, "a"))).collect();
        cupboard.stopped(&mut calls[0]).await;
        let ended: Vec<_> = calls.iter_mut().map(|call| call.now_or_never()).collect();
        let refused = ended.iter().flatten().cloned().collect::<Vec<_>>();
        assert_eq!(refused, [Err(SqlError::QueueFull)]);
        cupboard.gate.add_permits(WAITING_MAX + 1);
        let waiting =
            calls.into_iter().zip(&ended).filter(|(_, ended)| ended.is_none()).map(|(call, _)| call);
        assert!(join_all(waiting).await.iter().all(Result::is_ok));
    });
}

#[test]
fn a_call_dropped_in_its_commit_is_carried_out_and_one_dropped_before_is_not() {
    run(async {
        let (cupboard, db) = notes().await;
        let mut first = Box::pin(insert(&db, "first"));
        let mut second = Box::pin(insert(&db, "second"));
        cupboard.stopped(&mut first).await;
        assert!(second.as_mut().now_or_never().is_none());
        drop((first, second));
        cupboard.gate.add_permits(2);
        insert(&db, "third").await.unwrap();
        assert_eq!(texts(&db).await, ["first", "third"]);
        assert_eq!(texts(&on(&cupboard.copy())).await, ["first", "third"]);
    });
}
