#![doc = include_str!("../README.md")]

mod album;
mod claim;
#[cfg(feature = "contract")]
pub mod contract;
mod delivery;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "emulator")]
pub mod emulator;
mod ids;
pub mod keys;
mod ledger;
mod limits;
mod link;
mod record;
mod records;
mod store;
mod tended;
#[cfg(feature = "contract")]
pub mod testing;
mod time;
mod topic;
mod trial;

pub use album::*;
pub use claim::*;
pub use delivery::*;
pub use ids::*;
pub use keys::{AlbumKey, LinkKey, Subject, TopicKey};
pub use ledger::*;
pub use limits::*;
pub use link::*;
pub use record::*;
pub use records::*;
pub use store::*;
pub use time::*;
pub use topic::*;
pub use trial::*;
