#![doc = include_str!("../README.md")]

mod admin;
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
mod live_location;
mod message;
pub mod multipart;
mod quote;
mod reaction;
mod registrar;
mod rich_message;
mod split;
mod upload;
mod webhook;
mod wire;

pub use admin::{BotAccount, ChatInfo, Rights, Sighting, Standing, UPDATES_AT_A_TIME};
pub use client::{ALLOWED_UPDATES, MAX_CONNECTIONS, TelegramClient, WebhookInfo};
pub use compose::compose;
pub use http::{Timeouts, http_client};
pub use webhook::{TelegramUpdates, VerifiedUpdate};
