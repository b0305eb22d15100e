//! Time on the host's clock: nothing ends early, deadlines end what is late, late ticks move the later ones.

use std::future::{Future, pending, ready};
use std::time::Duration;

use runtime::{Elapsed, Instant, now};

const SHORT: Duration = Duration::from_millis(20);
/// Far above what a busy machine delays a timer by, far below a hang.
const LONG: Duration = Duration::from_secs(20);

fn run<F: Future>(future: F) -> F::Output {
    runtime::process::block_on(None, future).expect("a runtime")
}

#[test]
fn a_sleep_ends_at_its_deadline_not_before() {
    run(async {
        let start = now();
        let sleep = runtime::sleep(SHORT);
        assert!(sleep.deadline() >= start + SHORT);
        assert!(!sleep.is_elapsed());
        sleep.await;
        assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);

        let until = now() + SHORT;
        runtime::sleep_until(until).await;
        assert!(now() >= until);
        let late = now();
        runtime::sleep_until(Instant::from_nanos(0)).await;
        assert!(late.elapsed() < LONG, "a past deadline is ready at once");
    });
}

#[test]
fn a_reset_moves_a_deadline_both_ways() {
    run(async {
        let mut sleep = std::pin::pin!(runtime::sleep(LONG * 100));
        sleep.as_mut().reset(now() + SHORT);
        let start = now();
        sleep.as_mut().await;
        assert!(start.elapsed() < LONG);
        sleep.as_mut().reset(now() + SHORT);
        let start = now();
        sleep.await;
        assert!(start.elapsed() >= SHORT - Duration::from_millis(1));
    });
}

#[test]
fn a_timeout_ends_what_is_late_and_nothing_else() {
    run(async {
        assert_eq!(runtime::timeout(SHORT, pending::<()>()).await, Err(Elapsed));
        assert_eq!(runtime::timeout(LONG, ready(1)).await, Ok(1));
        assert_eq!(runtime::timeout(Duration::ZERO, ready(2)).await, Ok(2), "a ready future wins");
        assert_eq!(runtime::timeout_at(now() + SHORT, pending::<()>()).await, Err(Elapsed));
    });
}

#[test]
fn a_future_that_always_spends_the_budget_is_still_timed_out() {
    run(async {
        let greedy = async {
            loop {
                tokio::task::consume_budget().await;
            }
        };
        assert_eq!(runtime::timeout(SHORT, greedy).await, Err(Elapsed));
    });
}

#[test]
fn a_late_tick_moves_those_after_it() {
    run(async {
        let mut ticks = runtime::interval(SHORT);
        let first = ticks.tick().await;
        assert!(first.elapsed() < LONG, "the first tick is at once");
        let second = ticks.tick().await;
        assert!(second - first >= SHORT);
        runtime::sleep(SHORT * 5).await;
        let missed = ticks.tick().await;
        assert!(missed < now(), "the missed tick comes at once, with the point it was due");
        let taken = now();
        let after = ticks.tick().await;
        // Made-up ticks would come at once; those of a fixed grid sooner than a period.
        assert!(
            after + Duration::from_millis(1) >= taken + SHORT,
            "{after:?} is not a period after {taken:?}"
        );
    });
}

#[test]
#[should_panic(expected = "period above zero")]
fn an_interval_without_period_is_a_bug() {
    run(async { runtime::interval(Duration::ZERO) });
}

#[test]
fn hyper_and_we_see_one_clock() {
    use hyper::rt::Timer as _;
    run(async {
        let timer = runtime::http::Timer;
        let start = now();
        let mut sleep = timer.sleep_until(timer.now() + LONG * 100);
        timer.reset(&mut sleep, timer.now() + SHORT);
        sleep.await;
        assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);
        timer.sleep(SHORT).await;
        assert!(start.elapsed() >= SHORT * 2);
    });
}

#[test]
fn arithmetic_stops_at_both_ends() {
    let (zero, end) = (Instant::from_nanos(0), Instant::from_nanos(u64::MAX));
    assert_eq!(zero - SHORT, zero);
    assert_eq!(end + SHORT, end);
    assert_eq!(zero - end, Duration::ZERO);
    assert_eq!(zero.checked_since(end), None);
    assert_eq!(end.checked_since(zero), Some(Duration::from_nanos(u64::MAX)));
    assert_eq!(runtime::Wall(5) + Duration::from_micros(2500), runtime::Wall(7));
}

#[test]
fn the_wall_clock_is_of_this_century() {
    let year_2020 = 1_577_836_800_000;
    let year_2120 = 4_733_510_400_000;
    assert!((year_2020..year_2120).contains(&runtime::wall().as_millis()));
}
