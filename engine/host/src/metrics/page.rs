//! The page that Prometheus reads: what was counted, and how things stand.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use protocol::error::ApiError;
use protocol::view::{ControlCounts, GatewayView, PoolCounts};

use super::Metrics;
use crate::engine::core::Core;
use crate::store::Size;
use crate::{control, gateway};

/// What the page is made of, by its standard.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Pools that are shown one by one; the others are in the sums. Ours: a few rows each, in every scrape.
const POOLS_MAX: usize = 1000;

/// How things stand.
struct Standing {
    control: ControlCounts,
    store: Option<Size>,
    gateway: GatewayView,
}

/// The page.
///
/// # Errors
/// `guard.service_unavailable` when the machines do not answer.
pub(crate) async fn page(core: &Core) -> Result<String, ApiError> {
    let asked = async {
        let (control, store) = core.control.ask(control::Letter::Count).await?;
        let gateway = core.gateway.ask(gateway::Letter::View).await?;
        Some(Standing { control, store, gateway })
    };
    match runtime::timeout(core.limits.health_timeout, asked).await {
        Ok(Some(standing)) => Ok(write(&core.metrics, standing)),
        Ok(None) | Err(runtime::Elapsed) => Err(ApiError::GuardServiceUnavailable),
    }
}

fn write(metrics: &Metrics, standing: Standing) -> String {
    let mut registry = Registry::with_prefix("rehearsal");
    counted(&mut registry, metrics);
    standing_of_actors(&mut registry, &standing.control);
    standing_of_pools(&mut registry, standing.control.pools);
    let GatewayView { waiting, forwarded, websockets, watched } = standing.gateway;
    let rows = [("waiting", waiting), ("forwarded", forwarded)];
    registry.register("gateway_requests", "Requests in flight", Gauge::by("state", rows));
    registry.register("gateway_websockets", "WebSockets that are open", Gauge::one(websockets));
    registry.register("gateway_watched_actors", "Actors that requests wait for", Gauge::one(watched));
    if let Some(Size { file_bytes, stored_bytes, records, kv, inputs }) = standing.store {
        let rows = Gauge::by("kind", [("file", file_bytes), ("stored", stored_bytes)]);
        registry.register_with_unit("store", "Size of the store", Unit::Bytes, rows);
        let rows = [("records", records), ("kv", kv), ("inputs", inputs)];
        registry.register("store_entries", "Entries in the store", Gauge::by("kind", rows));
    }
    let mut page = String::new();
    text::encode(&mut page, &registry).expect("a string takes everything");
    page
}

fn counted(registry: &mut Registry, metrics: &Metrics) {
    let all = &*metrics.0;
    registry.register("requests", "Requests answered", all.requests.clone());
    registry.register("errors", "Errors answered, by code", all.errors.clone());
    registry.register("kv_operations", "KV requests of runners", all.kv.clone());
    registry.register("actor_placements", "Generations given to a runner", all.placements.clone());
    registry.register("actor_starts", "Generations that run", all.starts.clone());
    registry.register("actor_ends", "Generations that ended", all.ends.clone());
    registry.register("actors_destroyed", "Actors destroyed", all.destroyed.clone());
    registry.register("runner_events", "What happened to runners", all.runners.clone());
    registry.register("runner_drains_begun", "Drains begun", all.drains_begun.clone());
    registry.register("runner_drains_finished", "Drains finished", all.drains_finished.clone());
    registry.register("streams_opened", "Serverless streams requested", all.streams_opened.clone());
    registry.register("streams_ended", "Serverless streams ended", all.streams_ended.clone());
    registry.register("gateway_forwards", "Requests given to a runner", all.forwards.clone());
    registry.register("core_restarts", "Times the engine began anew from its store", all.restarts.clone());
    let seconds = all.commit_seconds.clone();
    registry.register_with_unit("commit_duration", "Time until a commit is durable", Unit::Seconds, seconds);
    registry.register("commit_steps", "Steps that became durable together", all.commit_steps.clone());
}

fn standing_of_actors(registry: &mut Registry, counts: &ControlCounts) {
    registry.register("actors", "Actors, by state", Gauge::by("state", counts.actors.iter().copied()));
    let runners = [("connected", counts.runners_connected), ("awaited", counts.runners_awaited)];
    registry.register("runners", "Runners, by whether their socket is open", Gauge::by("state", runners));
    registry.register("draining_runners", "Drains under way", Gauge::one(counts.runners_draining));
    let slots = [("used", counts.slots_used), ("free", counts.slots_free)];
    registry.register("runner_slots", "Slots of runners", Gauge::by("state", slots));
    registry.register("runner_sockets", "Runner sockets, without Init included", Gauge::one(counts.sockets));
    let pending: usize = counts.pools.iter().map(|pool| pool.pending).sum();
    registry.register("pending_actors", "Actors that wait for a slot", Gauge::one(pending));
}

fn standing_of_pools(registry: &mut Registry, mut pools: Vec<PoolCounts>) {
    let failing = pools.iter().filter(|pool| pool.failing).count();
    registry.register("failing_pools", "Pools whose runners cannot be started", Gauge::one(failing));
    pools.truncate(POOLS_MAX);
    let by_pool = |count: fn(&PoolCounts) -> usize| {
        let labels = |pool: &PoolCounts| {
            vec![("namespace".to_owned(), pool.namespace.clone()), ("pool".to_owned(), pool.pool.clone())]
        };
        Gauge(pools.iter().map(|pool| (labels(pool), count(pool) as u64)).collect())
    };
    registry.register("pool_desired_streams", "Streams a pool shall have", by_pool(|pool| pool.desired));
    registry.register("pool_open_streams", "Streams a pool has", by_pool(|pool| pool.streams));
    registry.register("pool_pending_actors", "Actors that wait in a pool", by_pool(|pool| pool.pending));
    registry.register("pool_runners", "Runners of a pool", by_pool(|pool| pool.runners));
}

/// How many there are, by label; made for one page.
#[derive(Debug)]
struct Gauge(Vec<(Vec<(String, String)>, u64)>);

impl Gauge {
    fn one(count: usize) -> Self {
        Self(vec![(Vec::new(), count as u64)])
    }

    fn by<N: TryInto<u64>>(label: &str, rows: impl IntoIterator<Item = (&'static str, N)>) -> Self {
        let row = |(value, count): (&str, N)| {
            let count = count.try_into().unwrap_or(u64::MAX);
            (vec![(label.to_owned(), value.to_owned())], count)
        };
        Self(rows.into_iter().map(row).collect())
    }
}

impl EncodeMetric for Gauge {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, count) in &self.0 {
            if labels.is_empty() {
                encoder.encode_gauge(count)?;
            } else {
                encoder.encode_family(labels)?.encode_gauge(count)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Gauge
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use protocol::id::{ActorId, RunnerId, StreamId};
    use protocol::view::{Fact, GenerationEnd, Nobody, Witness as _};

    use super::super::Counting;
    use super::*;

    fn page(metrics: &Metrics, pools: Vec<PoolCounts>) -> String {
        let control = ControlCounts { pools, ..ControlCounts::default() };
        write(metrics, Standing { control, store: None, gateway: GatewayView::default() })
    }

    #[test]
    fn facts_are_counted_under_their_names() {
        let metrics = Metrics::default();
        let witness = Counting::new(metrics.clone(), Arc::new(Nobody));
        let runner = |byte| RunnerId::from_entropy([byte; 16]);
        let actor = ActorId::from_entropy([1; 16]);
        let generation = protocol::id::Generation::FIRST;
        for fact in [
            Fact::RunnerDrains { runner: runner(1) },
            Fact::RunnerDrains { runner: runner(2) },
            Fact::RunnerLost { runner: runner(1) },
            Fact::RunnerLost { runner: runner(3) },
            Fact::RunnerLost { runner: runner(4) },
            Fact::Ended { actor, generation, how: GenerationEnd::Crashed },
            Fact::StreamEnded { stream: StreamId(1), reason: "lifespan" },
            Fact::Destroyed { actor },
        ] {
            witness.tell(&fact);
        }
        metrics.restarted();
        metrics.commit(3, Duration::from_millis(2));
        metrics.commit(300, Duration::from_secs(9));
        let page = page(&metrics, Vec::new());
        for line in [
            "rehearsal_runner_drains_begun_total 2",
            "rehearsal_runner_drains_finished_total 1",
            "rehearsal_runner_events_total{event=\"lost\"} 3",
            "rehearsal_actor_ends_total{how=\"crashed\"} 1",
            "rehearsal_actor_ends_total{how=\"stopped\"} 0",
            "rehearsal_streams_ended_total{reason=\"lifespan\"} 1",
            "rehearsal_actors_destroyed_total 1",
            "rehearsal_core_restarts_total 1",
            "rehearsal_commit_duration_seconds_sum 9.002",
            "rehearsal_commit_duration_seconds_bucket{le=\"0.001\"} 0",
            "rehearsal_commit_duration_seconds_bucket{le=\"0.0025\"} 1",
            "rehearsal_commit_duration_seconds_bucket{le=\"+Inf\"} 2",
            "rehearsal_commit_steps_bucket{le=\"4.0\"} 1",
            "rehearsal_commit_steps_bucket{le=\"256.0\"} 1",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
    }

    #[test]
    fn no_number_of_pools_makes_the_page_endless() {
        let pool = |number: usize| PoolCounts {
            namespace: "default".to_owned(),
            pool: format!("p\"{number:04}"),
            desired: 2,
            streams: 1,
            pending: 3,
            runners: 0,
            failing: number < 7,
        };
        let page = page(&Metrics::default(), (0..1500).map(pool).collect());
        let rows = |name: &str| page.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(rows("rehearsal_pool_desired_streams{"), 1000);
        assert!(page.contains("{namespace=\"default\",pool=\"p\\\"0999\"} 2"), "names are escaped");
        assert!(page.contains("rehearsal_pending_actors 4500\n"), "sums are of all");
        assert!(page.contains("rehearsal_failing_pools 7\n"));
    }
}
