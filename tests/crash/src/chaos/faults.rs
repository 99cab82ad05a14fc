//! What goes wrong, from the seed and from when it is asked.

use super::plan::Vendor;
use crate::chance::Chance;
use simulators::{Fault, Faults, SimClock};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Of a thousand calls to a vendor so many go wrong.
const FAULTY: u64 = 200;

/// How long a vendor is out.
const OUTAGE: Duration = Duration::from_mins(2);

/// The kinds and how likely each is. What is never answered takes (real) time, so there is less of it.
const KINDS: &[(u64, Fault)] = &[
    (15, Fault::Refuse(500)),
    (10, Fault::Refuse(503)),
    (15, Fault::TooManyRequests(Duration::from_secs(7))),
    (15, Fault::FailAfter(500)),
    (10, Fault::FailAfter(504)),
    (15, Fault::LoseAnswer),
    (12, Fault::CutBefore),
    (5, Fault::Garble),
    (1, Fault::Hang),
    (2, Fault::CommitLate),
];

/// How faults are called that an outage makes.
pub(super) const IN_THE_OUTAGE: &str = "in the outage";

/// What goes wrong at one vendor.
#[derive(Clone)]
pub(super) struct Trouble(Arc<Mutex<State>>);

struct State {
    chance: Chance,
    clock: SimClock,
    out_until_ms: i64,
    calls: usize,
    struck: BTreeMap<String, usize>,
}

impl Trouble {
    /// Begins to trouble a vendor.
    pub(super) fn begin(seed: u64, vendor: Vendor, faults: &Faults, clock: &SimClock) -> Self {
        let purpose = match vendor {
            Vendor::Telegram => 2,
            Vendor::Intercom => 3,
        };
        let trouble = Self(Arc::new(Mutex::new(State {
            chance: Chance::new(seed, purpose),
            clock: clock.clone(),
            out_until_ms: 0,
            calls: 0,
            struck: BTreeMap::new(),
        })));
        let asked = trouble.clone();
        faults.decide(move |_| asked.state().strike());
        trouble
    }

    /// The vendor is out from now on, for two minutes.
    pub(super) fn outage(&self) {
        let mut state = self.state();
        state.out_until_ms = state.clock.now_ms() + i64::try_from(OUTAGE.as_millis()).unwrap_or(i64::MAX);
    }

    /// The kinds of fault of which a run with so many calls has some, whatever chance says.
    pub(super) fn to_be_expected(calls: usize) -> Vec<String> {
        const SEVERAL: u64 = 8;
        let all: u64 = KINDS.iter().map(|(weight, _)| weight).sum();
        let faulty = u64::try_from(calls).unwrap_or(u64::MAX).saturating_mul(FAULTY) / 1000;
        let expected = KINDS.iter().filter(|(weight, _)| faulty * weight / all >= SEVERAL);
        expected.map(|(_, fault)| format!("{fault:?}")).collect()
    }

    /// How many calls there were, and how many of each kind went wrong.
    pub(super) fn told(&self) -> (usize, BTreeMap<String, usize>) {
        let state = self.state();
        (state.calls, state.struck.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn strike(&mut self) -> Option<Fault> {
        self.calls += 1;
        if self.clock.now_ms() < self.out_until_ms {
            self.count(IN_THE_OUTAGE);
            return Some(Fault::CutBefore);
        }
        let fault = self.chance.happens(FAULTY).then(|| self.chance.one_of(KINDS)).flatten();
        if let Some(fault) = fault {
            self.count(&format!("{fault:?}"));
        }
        fault.cloned()
    }

    fn count(&mut self, kind: &str) {
        *self.struck.entry(kind.to_owned()).or_default() += 1;
    }
}
