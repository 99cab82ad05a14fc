#![doc = include_str!("../README.md")]

pub mod config;
pub mod content_words;
mod context;
mod delivering;
pub mod envelope;
pub mod failure;
pub mod files;
pub mod inbound;
pub mod intercom_message;
pub mod letter;
mod looking;
pub mod media;
pub mod notices;
pub mod outbound;
pub mod ports;
pub mod rich_text;
pub mod rotation;
pub mod secrets;
mod sending;
mod stop;
mod tally;
pub mod telegram_message;
mod topic_state;
mod topics;
mod unbegun;
pub mod webhook;
pub mod words;

pub use context::{Context, Known, Queues};
pub use stop::{Received, Verdict};
