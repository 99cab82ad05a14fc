#![doc = include_str!("../README.md")]
#![expect(clippy::panic, reason = "a worker that dies is what is played here")]

mod broken;
mod chance;
mod chaos;
mod judge;
mod run;
mod sabotage;
mod scene;
mod suite;
mod table;
mod tap;

pub use chaos::{Chaos, Report, Size, run};
pub use judge::Verdict;
pub use run::{Outcome, is_played_elsewhere, play, points};
pub use sabotage::{SABOTAGES, Sabotage};
pub use scene::{SCENES, Scene};
pub use suite::{Played, every_point};
pub use table::Ground;
pub use tap::{Call, Crash, Mode, be_quiet_about_crashes};
