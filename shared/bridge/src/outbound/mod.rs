//! Outbound: from a conversation in Intercom to a topic in Telegram.

mod opened;
mod part;
mod redaction;
mod relay;
mod sweep;
mod webhook;
mod worker;

pub use sweep::{Sweep, SweepError, Swept};
pub use webhook::OutboundWebhook;
pub use worker::OutboundWorker;
