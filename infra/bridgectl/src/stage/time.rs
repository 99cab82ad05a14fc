//! Time and chance on the stage: the simulators' clock, and chance that comes again with the same seed.

use mapping::{Clock, Entropy, Timestamp};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use simulators::SimClock;
use std::sync::{Mutex, PoisonError};

pub(super) struct StageClock(pub(super) SimClock);

impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_ms())
    }
}

pub(super) struct StageEntropy(Mutex<SmallRng>);

impl StageEntropy {
    pub(super) fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }
}

impl Entropy for StageEntropy {
    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }
}
