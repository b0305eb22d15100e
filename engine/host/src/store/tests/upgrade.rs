//! A store of an earlier format whose engine falls while it brings it to the present one.

use std::path::Path;

use sim::{Fall, Sim};

use super::layout::unpack;
use crate::store::{FILE_NAME, Store};

#[path = "../../../tests/world/fall.rs"]
mod fall;

/// Opens a store of the first format, falls in the `nth` disk operation, and opens it again. Whether it fell.
fn opens_after_a_fall(nth: u64, how: Fall) -> bool {
    let script = move |world: sim::World| async move {
        let node = world.node("store");
        node.boot(|| async {
            runtime::disk::blocking(|| {
                let file = runtime::disk::open(Path::new("data").join(FILE_NAME)).unwrap();
                file.write(0, &unpack(1)).unwrap();
                file.sync().unwrap();
            })
            .await;
        });
        node.ended().await;
        let opens = || async {
            let (stamp, tables) = runtime::disk::blocking(is_of_the_present).await;
            assert!(stamp || !tables, "an earlier engine would open it");
            Store::open("data").await.unwrap().close().await;
            assert_eq!(runtime::disk::blocking(is_of_the_present).await, (true, true));
        };
        fall::opens_after_a_fall(&node, nth, how, opens).await
    };
    Sim::seed(nth).run(script).expect_ok()
}

/// Whether stamp and tables are of the present format.
fn is_of_the_present() -> (bool, bool) {
    let file = runtime::disk::open(Path::new("data").join(FILE_NAME)).unwrap();
    let mut content = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read(0, &mut content).unwrap();
    // Names of tables, which stand in their order.
    let tables = content.windows(6).any(|names| names == b"kvmeta");
    (content.starts_with(b"rehearsal store, format 2\n"), tables)
}

#[test]
fn no_earlier_engine_opens_what_is_brought_to_the_present_format_wherever_it_falls() {
    for how in [Fall::Kill, Fall::PowerOff] {
        let moments = (1..).take_while(|nth| opens_after_a_fall(*nth, how)).count();
        assert!(moments > 5, "only {moments} disk operations bring it there");
    }
}
