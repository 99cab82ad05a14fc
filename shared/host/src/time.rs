//! The machine's clock and its chance.

use mapping::{Clock, Entropy, Timestamp};
use rand::Rng as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        timestamp(SystemTime::now())
    }
}

/// A moment as the bridge writes it.
pub(crate) fn timestamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Chance that nobody can foresee.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u64 {
        rand::rng().next_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_are_milliseconds_since_the_epoch() {
        let at = UNIX_EPOCH + Duration::from_micros(1_500_999);
        assert_eq!(timestamp(at), Timestamp::from_millis(1500));
        assert!(SystemClock.now() > Timestamp::from_seconds(1_700_000_000));
    }

    #[test]
    fn chance_does_not_repeat_itself() {
        assert_ne!(SystemEntropy.bits(), SystemEntropy.bits());
    }
}
