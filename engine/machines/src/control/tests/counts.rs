//! How much there is of everything.

use std::collections::BTreeMap;

use super::plane::Plane;

#[test]
fn everything_is_counted_where_it_stands() {
    let mut plane = Plane::new();
    plane.normal().create("a").create("b").create("c").create("d").delete("d").runner("r", 2);
    plane.running("r", "a").running("r", "b").sleeps("r", "b").stopping("r");
    let counts = plane.control.counts();
    let actors: BTreeMap<_, _> = counts.actors.iter().copied().filter(|(_, count)| *count > 0).collect();
    let expected = [("destroyed", 1), ("pending", 1), ("stopping", 2)];
    assert_eq!(actors, BTreeMap::from(expected));
    assert_eq!((counts.runners_connected, counts.runners_awaited, counts.runners_draining), (1, 0, 1));
    assert_eq!((counts.slots_used, counts.slots_free, counts.sockets), (2, 0, 1));
    let [pool] = counts.pools.as_slice() else { panic!("there is one pool: {counts:?}") };
    assert_eq!((pool.namespace.as_str(), pool.pool.as_str()), ("default", "default"));
    assert_eq!((pool.pending, pool.runners, pool.desired, pool.failing), (1, 1, 0, false));
    plane.drop_socket("r");
    assert_eq!((plane.control.counts().runners_connected, plane.control.counts().runners_awaited), (0, 1));
}
