//! Slows down before Intercom has to refuse: <https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting>.

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::Instant;

/// How long a call waits in place for the next window; a longer wait is the queue's.
const SHORT: Duration = Duration::from_secs(1);

/// Intercom's windows last ten seconds. A reset that is further away than this is a mistake.
const LONGEST_WINDOW: Duration = Duration::from_mins(1);

/// What Intercom may ask for at most with a 429.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// What is left of the current window, as this process knows it.
#[derive(Default)]
pub(crate) struct Pace(Mutex<Option<Window>>);

#[derive(Clone, Copy)]
struct Window {
    remaining: u32,
    ends: Instant,
}

impl Pace {
    /// Takes one call out of the window; waits for the next one where that is near, else says how far it is.
    pub(crate) async fn take(&self) -> Result<(), Duration> {
        let wait = self.wait();
        if wait > SHORT {
            return Err(wait);
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn wait(&self) -> Duration {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match window.as_mut().filter(|window| window.ends > now) {
            Some(window) if window.remaining == 0 => window.ends - now,
            Some(window) => {
                window.remaining -= 1;
                Duration::ZERO
            }
            None => Duration::ZERO,
        }
    }

    /// Reads what an answer says about the window.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let remaining = number(headers, "x-ratelimit-remaining").and_then(|left| u32::try_from(left).ok());
        let (Some(remaining), Some(until)) = (remaining, until_reset(headers)) else {
            return;
        };
        let ends = Instant::now() + until.min(LONGEST_WINDOW);
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers overtake each other: within one window the smallest number is the newest, and the one that counts our calls
        // that are still on their way.
        let same = window.filter(|known| known.ends > Instant::now() && ends <= known.ends + SHORT);
        *window = Some(same.map_or(Window { remaining, ends }, |known| Window {
            remaining: known.remaining.min(remaining),
            ..known
        }));
    }

    /// Stops all calls of this process for a while, after a 429.
    pub(crate) fn stop(&self, wait: Duration) {
        let ends = Instant::now() + wait.min(LONGEST_WINDOW);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Window { remaining: 0, ends });
    }
}

/// How long a 429 asks us to wait: `Retry-After`, which is not documented but what Intercom's own clients look for first, else the
/// time until the window ends.
pub(crate) fn wait_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = number(headers, RETRY_AFTER.as_str()).and_then(|seconds| u64::try_from(seconds).ok());
    seconds
        .map(Duration::from_secs)
        .or_else(|| until_reset(headers))
        .filter(|wait| !wait.is_zero())
        .map(|wait| wait.min(LONGEST_WAIT))
}

/// The time until the window ends. Measured by Intercom's own clock where the answer tells it, for ours may be wrong.
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let reset = number(headers, "x-ratelimit-reset")?;
    let now = theirs(headers).or_else(ours)?;
    Some(Duration::from_secs(
        u64::try_from(reset.saturating_sub(now)).unwrap_or(0),
    ))
}

fn theirs(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let parsed = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(parsed.timestamp().as_second())
}

fn ours() -> Option<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn window(remaining: &str, reset: &str) -> HeaderMap {
        headers(&[
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("x-ratelimit-remaining", remaining),
            ("x-ratelimit-reset", reset),
        ])
    }

    /// The second in which the header above was written.
    const THEN: i64 = 784_111_777;

    #[tokio::test(start_paused = true)]
    async fn calls_stop_when_the_window_is_empty_and_go_on_with_the_next() {
        let pace = Pace::default();
        pace.observe(&window("2", &(THEN + 8).to_string()));
        assert_eq!(pace.take().await, Ok(()));
        assert_eq!(pace.take().await, Ok(()));
        assert_eq!(pace.take().await, Err(Duration::from_secs(8)));
        tokio::time::advance(Duration::from_millis(7_500)).await;
        let began = Instant::now();
        assert_eq!(pace.take().await, Ok(()));
        assert_eq!(began.elapsed(), Duration::from_millis(500));
        assert_eq!(pace.take().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_overtaken_does_not_give_calls_back() {
        let pace = Pace::default();
        pace.observe(&window("0", &(THEN + 8).to_string()));
        pace.observe(&window("5", &(THEN + 8).to_string()));
        assert!(pace.take().await.is_err());
        pace.observe(&window("5", &(THEN + 18).to_string()));
        assert_eq!(pace.take().await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_cannot_be_is_not_waited_for() {
        let pace = Pace::default();
        pace.observe(&window("0", "99999999999"));
        assert_eq!(pace.take().await, Err(LONGEST_WINDOW));
        pace.stop(Duration::from_secs(3));
        assert_eq!(pace.take().await, Err(Duration::from_secs(3)));
    }

    #[test]
    fn a_429_says_how_long() {
        let cases = [
            (headers(&[("retry-after", "7")]), Some(7)),
            (window("0", &(THEN + 4).to_string()), Some(4)),
            (headers(&[("retry-after", "soon")]), None),
            (headers(&[("retry-after", "86400")]), Some(900)),
            (window("0", &(THEN - 4).to_string()), None),
            (headers(&[]), None),
        ];
        for (headers, seconds) in cases {
            assert_eq!(wait_after(&headers), seconds.map(Duration::from_secs), "{headers:?}");
        }
    }
}
