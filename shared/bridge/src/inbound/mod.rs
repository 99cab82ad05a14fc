//! Inbound: from a topic in Telegram to a conversation in Intercom.

mod album;
mod contact;
mod conversation;
mod correction;
mod healing;
mod opening;
mod plan;
mod reaction;
mod saying;
mod scope;
mod staff;
mod topic;
mod webhook;
mod whereabouts;
mod worker;

pub use scope::link_of_opening;
pub use webhook::InboundWebhook;
pub use worker::InboundWorker;

pub use contact::customer_of;
pub(crate) use opening::adopt;
pub(crate) use staff::echo_key;
pub(crate) use worker::delivery_key;
