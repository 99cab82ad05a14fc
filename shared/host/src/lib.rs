#![doc = include_str!("../README.md")]

mod time;

pub use time::{SystemClock, SystemEntropy};
