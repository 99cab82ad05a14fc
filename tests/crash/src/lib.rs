//! The crash suite: every call through a port, taken from a recorded run, is a point at which a worker dies.
#![expect(clippy::panic, reason = "a worker that dies is what is played here")]

mod judge;
mod run;
mod sabotage;
mod scene;
mod tap;

pub use judge::Verdict;
pub use run::{Outcome, play, points};
pub use sabotage::{SABOTAGES, Sabotage};
pub use scene::SCENES;
pub use tap::{Crash, Mode, be_quiet_about_crashes};
