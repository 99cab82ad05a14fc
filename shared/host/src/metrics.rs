//! Metrics: what a line of the log counts in a field `metric.…` is written once more, in the form in which CloudWatch makes metrics of
//! what is logged: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! Such a line holds numbers and the function's name, nothing else. It is written whatever `RUST_LOG` says.

use mapping::Clock;
use serde_json::{Map, Value, json};
use std::{
    fmt::Debug,
    io::{self, Write as _},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

/// A field that counts, the metric's name, and its unit.
type Metric = (&'static str, &'static str, &'static str);

/// Every line of the level ERROR: somebody has to act.
const ERROR: Metric = ("", "Errors", "Count");

const METRICS: [Metric; 23] = [
    ("metric.cold_start", "ColdStarts", "Count"),
    ("metric.delivered", "Delivered", "Count"),
    ("metric.lag", "Lag", "Milliseconds"),
    ("metric.lost", "Lost", "Count"),
    ("metric.missed_parts", "MissedParts", "Count"),
    ("metric.not_carried", "NotCarried", "Count"),
    ("metric.pace_wait", "PaceWaits", "Count"),
    ("metric.possible_duplicate", "PossibleDuplicates", "Count"),
    ("metric.received", "Received", "Count"),
    ("metric.retry", "Retries", "Count"),
    ("metric.skipped_staff", "SkippedStaff", "Count"),
    ("metric.stranger", "Strangers", "Count"),
    ("metric.throttled", "Throttled", "Count"),
    ("metric.token_refused", "TokenRefused", "Count"),
    ("metric.unauthorized", "Unauthorized", "Count"),
    ("metric.undeliverable", "Undeliverable", "Count"),
    ("metric.unread_parts", "UnreadParts", "Count"),
    ("metric.unreadable", "Unreadable", "Count"),
    ("metric.webhook_backlog", "WebhookBacklog", "Count"),
    ("metric.webhook_failing", "WebhookFailing", "Count"),
    ("metric.webhook_misconfigured", "WebhookMisconfigured", "Count"),
    ("metric.wrong_workspace", "WrongWorkspace", "Count"),
    ERROR,
];

/// Where metrics are kept, and whose they are.
pub(crate) struct Metrics<C> {
    /// The stack that they are of.
    pub(crate) namespace: String,
    /// The function that they are of.
    pub(crate) function: String,
    /// CloudWatch wants to know when it was.
    pub(crate) clock: C,
}

impl<C: Clock + 'static, S: Subscriber> Layer<S> for Metrics<C> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if let Some(line) = self.line(&Counted::of(event)) {
            // Nothing can be done about a log that cannot be written, and nobody be told.
            let _ = io::stdout().lock().write_all(line.as_bytes());
        }
    }
}

impl<C: Clock> Metrics<C> {
    fn line(&self, counted: &Counted) -> Option<String> {
        if counted.0.is_empty() {
            return None;
        }
        let definitions: Vec<Value> = counted
            .0
            .iter()
            .map(|((_, name, unit), _)| json!({"Name": name, "Unit": unit}))
            .collect();
        let directive = json!({"Namespace": self.namespace, "Dimensions": [["Function"]], "Metrics": definitions});
        let mut line = Map::new();
        line.insert(
            "_aws".into(),
            json!({"Timestamp": self.clock.now().as_millis(), "CloudWatchMetrics": [directive]}),
        );
        line.insert("Function".into(), self.function.as_str().into());
        for ((_, name, _), value) in &counted.0 {
            line.insert((*name).into(), (*value).into());
        }
        Some(format!("{}\n", Value::Object(line)))
    }
}

/// Whether an event may count something.
pub(crate) fn may_count(event: &Metadata<'_>) -> bool {
    let counts = || event.fields().iter().any(|field| field.name().starts_with("metric."));
    event.is_event() && (*event.level() == Level::ERROR || counts())
}

/// What one event counts.
#[derive(Debug, Default)]
struct Counted(Vec<(Metric, u64)>);

impl Counted {
    fn of(event: &Event<'_>) -> Self {
        let mut counted = Self::default();
        if *event.metadata().level() == Level::ERROR {
            counted.0.push((ERROR, 1));
        }
        event.record(&mut counted);
        counted
    }
}

impl Visit for Counted {
    fn record_u64(&mut self, field: &Field, value: u64) {
        let metric = METRICS.into_iter().find(|(name, _, _)| *name == field.name());
        self.0.extend(metric.map(|metric| (metric, value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, u64::try_from(value).unwrap_or_default());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::Timestamp;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::{filter, layer::SubscriberExt as _};

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_700_000_000_000)
        }
    }

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<Value>>>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let metrics = Metrics {
                namespace: "bridge".into(),
                function: "bridge-worker".into(),
                clock: Noon,
            };
            let line = metrics.line(&Counted::of(event));
            let line = line.map(|line| serde_json::from_str(&line).unwrap());
            self.0.lock().unwrap().extend(line);
        }
    }

    fn lines_of(happen: impl FnOnce()) -> Vec<Value> {
        let lines = Lines::default();
        let filtered = lines.clone().with_filter(filter::filter_fn(may_count));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(filtered), happen);
        let lines = lines.0.lock().unwrap();
        lines.clone()
    }

    #[test]
    fn what_a_line_counts_becomes_metrics_and_nothing_else_of_it() {
        let lines = lines_of(|| {
            let none = None::<u64>;
            tracing::info!(
                lane = "1:2",
                metric.delivered = 1,
                metric.lag = 230_u64,
                metric.retry = none,
                "a delivery ends"
            );
        });
        let metrics = json!([{"Name": "Delivered", "Unit": "Count"}, {"Name": "Lag", "Unit": "Milliseconds"}]);
        let directive = json!({"Namespace": "bridge", "Dimensions": [["Function"]], "Metrics": metrics});
        let expected = json!({
            "_aws": {"Timestamp": 1_700_000_000_000_i64, "CloudWatchMetrics": [directive]},
            "Function": "bridge-worker",
            "Delivered": 1,
            "Lag": 230,
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn what_somebody_has_to_act_on_is_an_error() {
        let lines = lines_of(|| tracing::error!(metric.lost = 1, "the queue refuses an update"));
        assert_eq!((&lines[0]["Errors"], &lines[0]["Lost"]), (&json!(1), &json!(1)));
    }

    #[test]
    fn what_counts_nothing_is_no_line() {
        let lines = lines_of(|| {
            tracing::info!(lane = "1:2", "a notification has nothing to carry");
            tracing::warn!(metric.retry = None::<u64>, "waits");
        });
        assert_eq!(lines, Vec::<Value>::new());
    }
}
