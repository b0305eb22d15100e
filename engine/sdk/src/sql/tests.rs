//! Databases over a storage that a test holds in its hands.

mod cupboard;
mod failures;
mod random;
mod size;
mod statements;
mod turns;
mod voice;
mod world;

use std::sync::Arc;
use std::time::Duration;

use super::{Database, SqlError};
use cupboard::Cupboard;

/// Runs a test that is a future, on threads of its own. One that hangs fails.
fn run<T>(test: impl Future<Output = T>) -> T {
    let test = async { runtime::timeout(Duration::from_secs(60), test).await.expect("a test ends") };
    runtime::process::block_on(None, test).expect("threads for a test")
}

/// A database with a table of numbered notes, and its storage.
async fn notes() -> (Arc<Cupboard>, Database) {
    let cupboard = Arc::new(Cupboard::default());
    let db = on(&cupboard);
    db.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)", ()).await.unwrap();
    (cupboard, db)
}

fn on(cupboard: &Arc<Cupboard>) -> Database {
    Database::on(Arc::clone(cupboard) as _)
}

async fn insert(db: &Database, text: &str) -> Result<usize, SqlError> {
    db.execute("INSERT INTO note (text) VALUES (?1)", [text.to_owned()]).await
}

async fn texts(db: &Database) -> Vec<String> {
    db.query("SELECT text FROM note ORDER BY id", (), |row| row.get(0)).await.unwrap()
}
