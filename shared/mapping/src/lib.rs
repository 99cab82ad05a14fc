//! The mapping: which topic is which conversation, who is who, and what became of every message.

mod ids;
mod store;
mod time;

pub use ids::*;
pub use store::*;
pub use time::*;
