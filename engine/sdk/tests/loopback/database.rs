//! An actor's database, over the engine's side of a socket.

use std::sync::Arc;

use protocol::wire::{ActorState, Event, KvRequestData};
use sdk::{Action, Actions, Actor, ActorError, Context, Registry, RunnerOptions};

use crate::engine::{Engine, actor};
use crate::keeper::Keeper;
use crate::test;

const NOTE: Action<String, ()> = Action::new("note");
const NOTES: Action<(), Vec<String>> = Action::new("notes");
const WRONG: Action<(), ()> = Action::new("wrong");

/// Keeps notes in its database.
struct Notes;

impl Actor for Notes {
    type State = ();

    fn actions(on: &mut Actions<Self>) {
        on.action(NOTE, Self::note).action(NOTES, Self::notes).action(WRONG, Self::wrong);
    }
}

impl Notes {
    async fn note(self: Arc<Self>, ctx: Context<()>, text: String) -> Result<(), ActorError> {
        let note = move |tx: &sdk::sql::Transaction<'_>| {
            tx.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)", ())?;
            tx.execute("INSERT INTO note VALUES (?1)", [text])
        };
        ctx.sql().transaction(note).await?;
        Ok(())
    }

    async fn notes(self: Arc<Self>, ctx: Context<()>, (): ()) -> Result<Vec<String>, ActorError> {
        Ok(ctx.sql().query("SELECT text FROM note ORDER BY rowid", (), |row| row.get(0)).await?)
    }

    async fn wrong(self: Arc<Self>, ctx: Context<()>, (): ()) -> Result<(), ActorError> {
        ctx.sql().execute("SELECT secret", ()).await?;
        Ok(())
    }
}

async fn notes() -> (Engine, Keeper) {
    let engine = Engine::listen().await;
    let registry = Registry::builder().actor("notes", || Notes).build().unwrap();
    let (_, shutdown) = sdk::shutdown();
    let options = RunnerOptions::new(engine.endpoint());
    drop(runtime::spawn("runner under test", async move { registry.run(options, shutdown).await }));
    let mut keeper = Keeper::greet(&engine).await;
    start(&mut keeper, 1).await;
    (engine, keeper)
}

async fn start(keeper: &mut Keeper, generation: u32) {
    keeper.start(actor(1), "notes", generation).await;
    assert_eq!(keeper.events().await, [Event::ActorStateUpdate { state: ActorState::Running }]);
}

#[test]
fn a_database_is_made_by_its_first_call_and_outlives_its_instance() {
    test(async {
        let (_engine, mut keeper) = notes().await;
        assert!(keeper.puts == 0 && keeper.stored.is_empty(), "nothing is stored for who asks for nothing");
        let answer = keeper.call(1, actor(1), "note", r#"{"args":"a"}"#).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(keeper.call(2, actor(1), "note", r#"{"args":"b"}"#).await.status, 200);
        keeper.stop(actor(1), 1).await;
        keeper.events().await;
        start(&mut keeper, 2).await;
        assert_eq!(keeper.call(3, actor(1), "notes", "").await.body, r#"{"output":["a","b"]}"#);
    });
}

#[test]
fn a_commit_whose_answer_was_cut_off_is_committed_once() {
    test(async {
        let (engine, mut keeper) = notes().await;
        keeper.call(1, actor(1), "note", r#"{"args":"a"}"#).await;
        keeper.ask(2, actor(1), "note", r#"{"args":"b"}"#).await;
        let put = keeper.socket.kv().await;
        assert!(matches!(put.data, KvRequestData::Put { .. }), "{put:?}");
        keeper.carry_out(actor(1), put.data.clone());
        let mut keeper = keeper.reconnected(&engine).await;
        let again = keeper.socket.kv().await;
        assert_eq!(again, put, "it is asked again, and nothing of it anew");
        let answer = keeper.carry_out(actor(1), again.data);
        keeper.socket.kv_answer(again.request_id, answer).await;
        assert_eq!(keeper.answer(2).await.status, 200);
        let answer = keeper.call(3, actor(1), "notes", "").await;
        assert_eq!(answer.body, r#"{"output":["a","b"]}"#);
    });
}

#[test]
fn what_storage_did_not_take_is_told_and_what_sqlite_says_is_not() {
    test(async {
        let (_engine, mut keeper) = notes().await;
        keeper.call(1, actor(1), "note", r#"{"args":"a"}"#).await;
        keeper.refuses = 1;
        let answer = keeper.call(2, actor(1), "note", r#"{"args":"b"}"#).await;
        assert_eq!(answer.status, 503);
        assert!(answer.body.contains(r#""group":"sql","code":"not_committed""#), "{}", answer.body);
        let answer = keeper.call(3, actor(1), "wrong", "").await;
        assert!(answer.status == 500 && !answer.body.contains("secret"), "{}", answer.body);
        assert_eq!(keeper.call(4, actor(1), "notes", "").await.body, r#"{"output":["a"]}"#);
    });
}
