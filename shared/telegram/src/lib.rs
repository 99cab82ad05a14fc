#![doc = include_str!("../README.md")]

mod classify;
mod client;
mod compose;
mod content;
mod decode;
mod download;
mod entities;
mod fields;
mod files;
mod http;
mod message;
mod quote;
mod rich_message;
mod split;
mod upload;
mod webhook;
mod wire;

pub use client::{ALLOWED_UPDATES, TelegramClient, WebhookInfo};
pub use compose::compose;
pub use http::{Timeouts, http_client};
pub use webhook::{TelegramUpdates, VerifiedUpdate};
