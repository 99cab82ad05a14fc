//! Logs: one line of JSON for each event, with its fields beside the sentence; beside it, the metrics that the event counts.

use crate::{
    metrics::{self, Metrics},
    time::SystemClock,
};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer as _,
    filter::{self, LevelFilter},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Whose events are written from `info` on; of libraries, warnings and errors are.
const OURS: [&str; 7] = [
    "bridge",
    "host",
    "intercom",
    "intercom_replies",
    "mapping",
    "telegram",
    "telegram_ingress",
];

/// Begins to write logs to standard output, from the level on that `RUST_LOG` names. What is finer than `info` is compiled out of
/// released functions: libraries tell of URLs and headers there, and so of tokens.
pub(crate) fn start() {
    let asked = asked(&std::env::var("RUST_LOG").unwrap_or_default());
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        // The sentence and the fields tell what happened; where in the code, whoever has it finds by the sentence. Logs are paid by size.
        .with_target(false)
        .with_filter(filter::filter_fn(may_be_written))
        .with_filter(asked);
    let metrics = metrics().map(|metrics| metrics.with_filter(filter::filter_fn(metrics::may_count)));
    // A second host in the same process, which only a test has, keeps the first one's.
    let _ = tracing_subscriber::registry().with(lines).with(metrics).try_init();
}

/// The level that is asked for; where none can be read, `info`.
fn asked(level: &str) -> LevelFilter {
    let level = Some(level.trim()).filter(|level| !level.is_empty());
    level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO)
}

/// Metrics, where the environment says whose they are: `METRICS_NAMESPACE`, and Lambda's own `AWS_LAMBDA_FUNCTION_NAME`.
fn metrics() -> Option<Metrics<SystemClock>> {
    Some(Metrics {
        namespace: std::env::var("METRICS_NAMESPACE").ok()?,
        function: std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok()?,
        clock: SystemClock,
    })
}

fn may_be_written(event: &Metadata<'_>) -> bool {
    let origin = event.target().split("::").next().unwrap_or_default();
    OURS.contains(&origin) || *event.level() <= Level::WARN
}

#[cfg(test)]
mod tests {
    use super::asked;
    use tracing_subscriber::filter::LevelFilter;

    #[test]
    fn where_no_level_can_be_read_it_is_info() {
        for (level, expected) in [
            ("", LevelFilter::INFO),
            (" ", LevelFilter::INFO),
            ("warn", LevelFilter::WARN),
            ("ERROR ", LevelFilter::ERROR),
            ("no such level?!=", LevelFilter::INFO),
        ] {
            assert_eq!(asked(level), expected, "{level}");
        }
    }
}
