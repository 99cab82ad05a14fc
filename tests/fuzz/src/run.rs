//! Drives a target so many times, from a seed.

use crate::Target;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// How far an input that fails is made smaller.
const SMALLER: u32 = 10_000;

/// How a target ran.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Which.
    pub name: &'static str,
    /// How many inputs were checked.
    pub executions: u32,
    /// How long that took.
    pub time: Duration,
    /// The smallest input that was found to fail, and how.
    pub failure: Option<String>,
}

/// Checks so many inputs; the same ones for the same seed.
pub fn run<T: Target>(executions: u32, seed: u64) -> Ran {
    let began = Instant::now();
    let config = Config {
        cases: executions,
        max_shrink_iters: SMALLER,
        failure_persistence: None,
        ..Config::default()
    };
    let seed = u128::from(seed) << 64 | 1;
    let chance = TestRng::from_seed(RngAlgorithm::XorShift, &seed.to_le_bytes());
    let executed = Cell::new(0);
    let result = TestRunner::new_with_rng(config, chance).run(&T::inputs(), |input| {
        executed.set(executed.get() + 1);
        T::check(&input)
    });
    Ran {
        name: T::NAME,
        executions: executed.get(),
        time: began.elapsed(),
        failure: result.err().map(|error| match error {
            TestError::Fail(reason, input) => format!("{reason}\n{input:#?}"),
            TestError::Abort(reason) => reason.to_string(),
        }),
    }
}
