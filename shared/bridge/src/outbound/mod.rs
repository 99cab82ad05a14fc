//! Outbound: from a conversation in Intercom to a topic in Telegram.

mod mark;
mod opened;
mod part;
mod plan;
mod posting;
mod redaction;
mod relay;
mod sweep;
mod watch;
mod webhook;
mod worker;

pub use sweep::{Order, Sweep, SweepError, Swept, Tell};
pub use watch::Watch;
pub use webhook::OutboundWebhook;
pub use worker::OutboundWorker;
