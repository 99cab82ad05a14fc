#![doc = include_str!("../README.md")]

mod clock;
mod faults;
pub mod intercom;
pub mod telegram;

pub use clock::SimClock;
pub use faults::{Fault, Faults};
