//! Times as a person in a terminal reads and writes them.

use mapping::Timestamp;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment, to the second.
pub(crate) fn moment(at: Timestamp) -> String {
    let time = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long, in its two largest units.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [("d", DAY, HOUR), ("h", HOUR, MINUTE), ("m", MINUTE, 1)];
    let lesser = |one: &str| match one {
        "d" => "h",
        "h" => "m",
        _ => "s",
    };
    let largest = units.into_iter().find(|(_, unit, _)| seconds >= *unit);
    largest.map_or_else(
        || format!("{seconds}s"),
        |(name, unit, below)| format!("{}{name} {}{}", seconds / unit, seconds % unit / below, lesser(name)),
    )
}

/// Reads `90m`, `2h 30m`, `3d`.
pub(crate) fn read_span(text: &str) -> Result<Duration, String> {
    let problem = || format!("{text:?} is no time such as 90m, 24h or 3d");
    let span: jiff::Span = text.parse().map_err(|_| problem())?;
    let time = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    time.ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_told() {
        for (text, told) in [
            ("45s", "45s"),
            ("90m", "1h 30m"),
            ("3d", "3d 0h"),
            ("2h 30m", "2h 30m"),
            ("61s", "1m 1s"),
        ] {
            assert_eq!(span(read_span(text).unwrap()), told);
        }
        assert!(read_span("soon").is_err() && read_span("-5m").is_err());
    }

    #[test]
    fn moments_are_told_to_the_second() {
        assert_eq!(
            moment(Timestamp::from_millis(1_767_268_800_999)),
            "2026-01-01T12:00:00Z"
        );
    }
}
