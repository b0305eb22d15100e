//! Counters of one name, one for each of its labels' values, which are known from the start.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Counters with `L` labels. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Tally<const L: usize> {
    labels: [&'static str; L],
    rows: Arc<[([&'static str; L], AtomicU64)]>,
}

impl<const L: usize> Tally<L> {
    pub(super) fn new(labels: [&'static str; L], rows: impl IntoIterator<Item = [&'static str; L]>) -> Self {
        Self { labels, rows: rows.into_iter().map(|values| (values, AtomicU64::new(0))).collect() }
    }

    /// Counts one in this row.
    pub(super) fn add(&self, row: usize) {
        // Nothing is derived from two counters at one time.
        self.rows[row].1.fetch_add(1, Ordering::Relaxed);
    }
}

impl<const L: usize> EncodeMetric for Tally<L> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (values, count) in &*self.rows {
            let count = count.load(Ordering::Relaxed);
            let labels: Vec<(&str, &str)> = self.labels.into_iter().zip(*values).collect();
            if labels.is_empty() {
                encoder.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            } else {
                encoder.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}
