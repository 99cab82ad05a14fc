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

use proptest::{strategy::BoxedStrategy, test_runner::TestCaseError};
use std::fmt::Debug;

/// What is fuzzed: how its inputs are made, and what must be true of each.
pub trait Target {
    /// What is given to it.
    type Input: Debug;

    /// What it is called.
    const NAME: &'static str;

    /// Makes inputs.
    fn inputs() -> BoxedStrategy<Self::Input>;

    /// The input that these bytes of libFuzzer's stand for; none if they stand for none.
    fn read(bytes: &[u8]) -> Option<Self::Input>;

    /// Whether all is as it must be.
    fn check(input: &Self::Input) -> Result<(), TestCaseError>;
}

/// The parts of an input that has several: what stands between bytes that are in no text.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0xff)
}

/// A part as text.
fn text(part: &[u8]) -> String {
    String::from_utf8_lossy(part).into_owned()
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
