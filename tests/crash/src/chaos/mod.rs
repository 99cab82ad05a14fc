//! The chaos run: many messages both ways while everything goes wrong, by chance that comes again with its seed.

mod arrivals;
mod faults;
mod judgement;
mod plan;
mod report;
mod run;
mod world;

pub use plan::Size;
pub use report::Report;
pub use run::{Chaos, run};
