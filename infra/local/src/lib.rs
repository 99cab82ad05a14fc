#![doc = include_str!("../README.md")]

mod database;
mod lanes;
mod listener;
mod machine;
mod store;
mod time;

pub use database::{Database, DatabaseError};
pub use lanes::{DeadLetter, Lanes, LetterId, Lying, QueueName, Taken};
pub use listener::router;
pub use machine::{Heard, Machine};
pub use store::SqliteStore;
pub use time::{SystemClock, SystemEntropy};
