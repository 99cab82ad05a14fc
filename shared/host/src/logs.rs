//! Logs: one line of JSON for each event, with its fields beside the sentence; beside it, the metrics that the event counts.

use crate::{
    metrics::{self, Metrics},
    time::SystemClock,
};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer as _,
    filter::{self, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Whose finer events may be written. Those of libraries tell of URLs and headers, and so of tokens, whatever `RUST_LOG` asks for.
const OURS: [&str; 7] = [
    "bridge",
    "host",
    "intercom",
    "intercom_replies",
    "mapping",
    "telegram",
    "telegram_ingress",
];

/// Begins to write logs to standard output, as `RUST_LOG` asks for (`debug`, or `info,host=debug`); by default from `info` on.
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

/// What is asked for; of what is not named, and where nothing can be read, from `info` on.
fn asked(levels: &str) -> Targets {
    let asked = Some(levels).filter(|levels| !levels.trim().is_empty());
    let asked = asked.and_then(|levels| format!("info,{levels}").parse().ok());
    asked.unwrap_or_else(|| Targets::new().with_default(Level::INFO))
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
    use tracing::Level;

    #[test]
    fn what_is_not_asked_for_is_written_from_info_on() {
        for (levels, host, bridge) in [
            ("", Level::INFO, Level::INFO),
            ("debug", Level::DEBUG, Level::DEBUG),
            ("warn", Level::WARN, Level::WARN),
            ("host=debug", Level::DEBUG, Level::INFO),
            ("no such level?!=", Level::INFO, Level::INFO),
        ] {
            let asked = asked(levels);
            for (target, most) in [("host", host), ("bridge", bridge)] {
                for level in [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
                    assert_eq!(
                        asked.would_enable(target, &level),
                        level <= most,
                        "{levels}: {target} {level}"
                    );
                }
            }
        }
    }
}
