//! The mapping: which topic is which conversation, who is who, and what became of every message.

mod delivery;
mod ids;
pub mod keys;
mod ledger;
mod link;
mod record;
mod records;
mod store;
mod time;

pub use delivery::*;
pub use ids::*;
pub use keys::LinkKey;
pub use ledger::*;
pub use link::*;
pub use record::*;
pub use records::*;
pub use store::*;
pub use time::*;
