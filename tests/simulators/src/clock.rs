//! The time that the simulators live in: the machine's, or one that a test moves by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A clock that both simulators and, in tests, the bridge read. Milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct SimClock(Option<Arc<AtomicI64>>);

impl SimClock {
    /// The machine's own time: what the demo runs on.
    pub fn real() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`SimClock::advance`] moves it.
    pub fn manual(now_ms: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now_ms))))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(now) => now.load(Ordering::SeqCst),
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// Seconds since the Unix epoch: the unit of both vendors' JSON.
    pub fn now_s(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// On the machine's clock, which nobody moves.
    #[expect(clippy::expect_used, reason = "a test that moves the machine's clock is wrong")]
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).expect("a step that fits a clock");
        let now = self.0.as_ref().expect("only a manual clock is moved");
        now.fetch_add(by, Ordering::SeqCst);
    }

    /// Moves a manual clock to `at_ms`, if that is ahead.
    ///
    /// # Panics
    /// On the machine's clock, which nobody moves.
    #[expect(clippy::expect_used, reason = "a test that moves the machine's clock is wrong")]
    pub fn advance_to(&self, at_ms: i64) {
        self.0
            .as_ref()
            .expect("only a manual clock is moved")
            .fetch_max(at_ms, Ordering::SeqCst);
    }
}
