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
pub struct SimClock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// The machine's, and how far behind it this one is.
    Real {
        behind_ms: Arc<AtomicI64>,
    },
    Manual(Arc<AtomicI64>),
}

impl SimClock {
    /// The machine's own time: what the demo runs on.
    pub fn real() -> Self {
        Self::behind(Duration::ZERO)
    }

    /// A clock that runs as the machine's and is so far behind it, until [`SimClock::catch_up`] lets time pass that nobody waits for.
    pub fn behind(by: Duration) -> Self {
        let behind_ms = Arc::new(AtomicI64::new(millis(by)));
        Self(Kind::Real { behind_ms })
    }

    /// A clock that stands still until [`SimClock::advance`] moves it.
    pub fn manual(now_ms: i64) -> Self {
        Self(Kind::Manual(Arc::new(AtomicI64::new(now_ms))))
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Real { behind_ms } => machine_ms() - behind_ms.load(Ordering::SeqCst),
            Kind::Manual(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Seconds since the Unix epoch: the unit of both vendors' JSON.
    pub fn now_s(&self) -> i64 {
        self.now_ms() / 1000
    }

    /// Moves a clock that is behind forward, at most to the machine's time; any other stays as it is.
    pub fn catch_up(&self, by: Duration) {
        if let Kind::Real { behind_ms } = &self.0 {
            let less = |behind: i64| Some(behind.saturating_sub(millis(by)).max(0));
            let _ = behind_ms.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        }
    }

    /// Moves a manual clock forward.
    ///
    /// # Panics
    /// On the machine's clock, which nobody moves.
    pub fn advance(&self, by: Duration) {
        self.manual_ms().fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Moves a manual clock to `at_ms`, if that is ahead.
    ///
    /// # Panics
    /// On the machine's clock, which nobody moves.
    pub fn advance_to(&self, at_ms: i64) {
        self.manual_ms().fetch_max(at_ms, Ordering::SeqCst);
    }

    fn manual_ms(&self) -> &AtomicI64 {
        match &self.0 {
            Kind::Manual(now) => now,
            Kind::Real { .. } => panic!("only a manual clock is moved"),
        }
    }
}

fn machine_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, millis)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_catches_up_and_never_gets_ahead() {
        let hour = Duration::from_hours(1);
        let (clock, real) = (SimClock::behind(hour), SimClock::real());
        let lag = |clock: &SimClock| (real.now_ms() - clock.now_ms()) / 60_000;
        assert_eq!(lag(&clock), 60);
        clock.catch_up(Duration::from_mins(20));
        assert_eq!(lag(&clock.clone()), 40);
        clock.catch_up(2 * hour);
        assert_eq!(lag(&clock), 0);
    }
}
