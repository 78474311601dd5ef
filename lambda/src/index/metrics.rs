//! What the service counts, for Prometheus.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::collections::Collections;
use crate::observe::Answered;

/// The media type of [`Metrics::text`].
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCollection {
    collection: String,
}

/// Counts of requests and sizes of collections.
#[derive(Clone)]
pub(super) struct Metrics {
    registry: Arc<Registry>,
    answers: Family<Answer, Counter>,
    durations: Family<Route, Histogram>,
    vectors: Family<OfCollection, Gauge<u64, AtomicU64>>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("index");
        let answers = Family::default();
        registry.register("requests", "Answered requests", answers.clone());
        // From a tenth of a millisecond to 13 s.
        let durations: Family<Route, Histogram> =
            Family::new_with_constructor(|| Histogram::new(exponential_buckets(1e-4, 2.0, 18)));
        registry.register_with_unit(
            "request_duration",
            "From the head of a request to the head of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        let vectors = Family::default();
        registry.register("vectors", "Vectors in a collection", vectors.clone());
        Self { registry: Arc::new(registry), answers, durations, vectors }
    }

    /// Counts an answer.
    pub(super) fn count(&self, answered: &Answered<'_>) {
        let (method, route) = (answered.method.to_owned(), answered.route.to_owned());
        let of = Route { method: method.clone(), route: route.clone() };
        self.durations.get_or_create(&of).observe(answered.took.as_secs_f64());
        self.answers.get_or_create(&Answer { method, route, status: answered.status }).inc();
    }

    /// All counts, in the OpenMetrics text format.
    pub(super) fn text(&self, collections: Option<&Collections>) -> String {
        self.vectors.clear();
        for (name, collection) in collections.map(Collections::all).unwrap_or_default() {
            // One that was deleted meanwhile is left out.
            if let Ok(len) = collection.with(name.as_str(), |store| store.len()) {
                let of = OfCollection { collection: name.to_string() };
                self.vectors.get_or_create(&of).set(len as u64);
            }
        }
        let mut text = String::new();
        // Writing to memory does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
