//! Slows down before Intercom has to refuse: <https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting>.

use mapping::{Clock, Timestamp};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Ends that lie no further apart than this are those of one window: both are rounded to seconds.
const ROUNDED: Duration = Duration::from_secs(1);

/// Intercom's windows last ten seconds. A reset that is further away than this is a mistake.
const LONGEST_WINDOW: Duration = Duration::from_mins(1);

/// What Intercom may ask for at most with a 429.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// Their clock and ours tell whole seconds.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// What is left of the current window, as this process knows it.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    /// How far away the next window may be to be waited for in place.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    window: Option<Window>,
    on_their_way: u32,
}

#[derive(Clone, Copy)]
struct Window {
    remaining: u32,
    ends: Timestamp,
}

/// A call on its way, until this is dropped.
pub(crate) struct OnItsWay<'p>(&'p Pace);

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.state().on_their_way -= 1;
    }
}

impl Pace {
    /// Nothing is known of a window yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, patience: Duration) -> Self {
        Self {
            clock,
            patience,
            state: Mutex::default(),
        }
    }

    /// Takes one call out of the window; waits for the next one where that is near, else says how far it is.
    pub(crate) async fn take(&self) -> Result<OnItsWay<'_>, Duration> {
        loop {
            match self.take_now() {
                Ok(taken) => return Ok(taken),
                Err(wait) if wait > self.patience => return Err(wait),
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn take_now(&self) -> Result<OnItsWay<'_>, Duration> {
        let mut state = self.state();
        let now = self.clock.now();
        if let Some(window) = state.window.as_mut().filter(|window| window.ends > now) {
            if window.remaining == 0 {
                return Err(window.ends.since(now));
            }
            window.remaining -= 1;
        }
        state.on_their_way += 1;
        Ok(OnItsWay(self))
    }

    /// Reads what the answer to a call that is still on its way says about the window.
    pub(crate) fn observe(&self, headers: &HeaderMap) {
        let remaining = number(headers, "x-ratelimit-remaining").and_then(|left| u32::try_from(left).ok());
        let now = self.clock.now();
        let (Some(remaining), Some(until)) = (remaining, until_reset(headers, now)) else {
            return;
        };
        let ends = now + until.min(LONGEST_WINDOW);
        let mut state = self.state();
        // Answers overtake each other: within one window the smallest number is the newest, and the one that counts our calls
        // that are still on their way.
        let same = state
            .window
            .filter(|known| known.ends > now && ends <= known.ends + ROUNDED);
        // Those that set out before anything was known of a window may fall into it.
        let others = state.on_their_way.saturating_sub(1);
        let fresh = Window {
            remaining: remaining.saturating_sub(others),
            ends,
        };
        state.window = Some(same.map_or(fresh, |known| Window {
            remaining: known.remaining.min(remaining),
            ..known
        }));
    }

    /// Stops all calls of this process for a while, after a 429.
    pub(crate) fn stop(&self, wait: Duration) {
        let ends = self.clock.now() + wait.min(LONGEST_WINDOW);
        self.state().window = Some(Window { remaining: 0, ends });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a 429 asks us to wait: `Retry-After`, which is not documented but what Intercom's own clients look for first, else the
/// time until the window ends. One that ends this very second is still a wait.
pub(crate) fn wait_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let seconds = number(headers, RETRY_AFTER.as_str()).and_then(|seconds| u64::try_from(seconds).ok());
    seconds
        .map(Duration::from_secs)
        .or_else(|| until_reset(headers, now))
        .map(|wait| wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

/// The time until the window ends. Measured by Intercom's own clock where the answer tells it, for ours may be wrong.
fn until_reset(headers: &HeaderMap, ours: Timestamp) -> Option<Duration> {
    let reset = number(headers, "x-ratelimit-reset")?;
    let now = theirs(headers).unwrap_or_else(|| ours.as_seconds());
    Some(Duration::from_secs(
        u64::try_from(reset.saturating_sub(now)).unwrap_or(0),
    ))
}

fn theirs(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get(DATE)?.to_str().ok()?;
    let parsed = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(parsed.timestamp().as_second())
}

fn number(headers: &HeaderMap, name: &str) -> Option<i64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::testing::ManualClock;
    use reqwest::header::{HeaderName, HeaderValue};
    use tokio::time::Instant;

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

    /// A clock of ours that is some years ahead of theirs, and moves only by hand.
    fn by_hand() -> (Pace, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_000_000_000)));
        (Pace::new(Arc::clone(&clock) as Arc<dyn Clock>, Duration::ZERO), clock)
    }

    /// One that moves by itself.
    struct Ticking(Instant);

    impl Clock for Ticking {
        fn now(&self) -> Timestamp {
            Timestamp::EPOCH + self.0.elapsed()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_stop_when_the_window_is_empty_and_go_on_with_the_next() {
        let pace = Pace::new(Arc::new(Ticking(Instant::now())), Duration::from_secs(1));
        pace.observe(&window("2", &(THEN + 8).to_string()));
        assert_eq!(take(&pace).await, Ok(()));
        assert_eq!(take(&pace).await, Ok(()));
        assert_eq!(take(&pace).await, Err(Duration::from_secs(8)));
        tokio::time::advance(Duration::from_millis(7_500)).await;
        let began = Instant::now();
        assert_eq!(take(&pace).await, Ok(()));
        assert_eq!(began.elapsed(), Duration::from_millis(500));
        assert_eq!(take(&pace).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_no_patience_is_told_how_long_to_wait() {
        let (pace, clock) = by_hand();
        pace.observe(&window("0", &(THEN + 8).to_string()));
        clock.advance(Duration::from_millis(7_500));
        assert_eq!(take(&pace).await, Err(Duration::from_millis(500)));
        clock.advance(Duration::from_millis(500));
        assert_eq!(take(&pace).await, Ok(()));
    }

    /// Takes a call that is answered at once.
    async fn take(pace: &Pace) -> Result<(), Duration> {
        pace.take().await.map(drop)
    }

    #[tokio::test]
    async fn calls_that_set_out_before_the_window_was_known_count_in_it() {
        let (pace, _) = by_hand();
        let first = [pace.take().await.ok(), pace.take().await.ok(), pace.take().await.ok()];
        pace.observe(&window("3", &(THEN + 8).to_string()));
        assert_eq!(take(&pace).await, Ok(()));
        assert_eq!(take(&pace).await, Err(Duration::from_secs(8)));
        assert!(first.iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn an_answer_that_was_overtaken_does_not_give_calls_back() {
        let (pace, _) = by_hand();
        pace.observe(&window("0", &(THEN + 8).to_string()));
        pace.observe(&window("5", &(THEN + 8).to_string()));
        assert!(pace.take().await.is_err());
        pace.observe(&window("5", &(THEN + 18).to_string()));
        assert_eq!(take(&pace).await, Ok(()));
    }

    #[tokio::test]
    async fn a_reset_that_cannot_be_is_not_waited_for() {
        let (pace, _) = by_hand();
        pace.observe(&window("0", "99999999999"));
        assert_eq!(take(&pace).await, Err(LONGEST_WINDOW));
        pace.stop(Duration::from_secs(3));
        assert_eq!(take(&pace).await, Err(Duration::from_secs(3)));
    }

    #[test]
    fn a_429_says_how_long() {
        let ours = Timestamp::from_seconds(1_000_000_000);
        let own_clock = (ours.as_seconds() + 9).to_string();
        let cases = [
            (headers(&[("retry-after", "7")]), Some(7)),
            (window("0", &(THEN + 4).to_string()), Some(4)),
            (headers(&[("x-ratelimit-reset", &own_clock)]), Some(9)),
            (headers(&[("retry-after", "soon")]), None),
            (headers(&[("retry-after", "86400")]), Some(900)),
            (window("0", &THEN.to_string()), Some(1)),
            (window("0", &(THEN - 4).to_string()), Some(1)),
            (headers(&[]), None),
        ];
        for (headers, seconds) in cases {
            assert_eq!(
                wait_after(&headers, ours),
                seconds.map(Duration::from_secs),
                "{headers:?}"
            );
        }
    }
}
