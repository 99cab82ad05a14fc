#![doc = include_str!("../README.md")]

mod entities;
mod flat;
mod html;
mod json;
mod multipart;
mod notification;
mod run;
mod signature;
mod update;
mod view;

pub use entities::Entities;
pub use html::Html;
pub use multipart::Multipart;
pub use notification::Notification;
pub use run::{Ran, run};
pub use signature::Signature;
pub use update::Update;

use proptest::{
    strategy::{BoxedStrategy, Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use std::fmt::Debug;

/// What is fuzzed: how its inputs are made, and what must be true of each.
pub trait Target {
    /// What is given to it.
    type Input: Debug;

    /// What it is called.
    const NAME: &'static str;

    /// Makes inputs.
    fn inputs() -> BoxedStrategy<Self::Input>;

    /// The input that these bytes stand for; none if they stand for none.
    fn read(bytes: &[u8]) -> Option<Self::Input> {
        by_chance(&Self::inputs(), bytes)
    }

    /// Whether all is as it must be.
    fn check(input: &Self::Input) -> Result<(), TestCaseError>;
}

/// The input that a strategy makes where chance is these bytes.
fn by_chance<T: Debug>(strategy: &BoxedStrategy<T>, bytes: &[u8]) -> Option<T> {
    let chance = TestRng::from_seed(RngAlgorithm::PassThrough, bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), chance);
    strategy.new_tree(&mut runner).ok().map(|tree| tree.current())
}

/// Checks what libFuzzer made.
///
/// # Panics
///
/// If something is not as it must be: that is how libFuzzer is told.
pub fn check_bytes<T: Target>(bytes: &[u8]) {
    if let Some(input) = T::read(bytes)
        && let Err(error) = T::check(&input)
    {
        panic!("{error}\n{input:#?}");
    }
}

/// The libFuzzer program of a target; outside `cargo fuzz` it says so.
#[macro_export]
macro_rules! libfuzzer {
    ($target:ty) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::check_bytes::<$target>(bytes));

        #[cfg(not(fuzzing))]
        fn main() {
            let name = <$target as $crate::Target>::NAME;
            unreachable!("tests/fuzz/long {name} runs this");
        }
    };
}
