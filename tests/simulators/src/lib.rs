//! A Telegram Bot API server and an Intercom server for tests and the demo: stateful, strict, over real HTTP on 127.0.0.1, with
//! faults to switch on. They share no type with the bridge: a mistake of ours about a vendor's JSON cannot hide on both sides.

mod clock;
mod faults;
pub mod intercom;
pub mod telegram;

pub use clock::SimClock;
pub use faults::{Fault, Faults};
