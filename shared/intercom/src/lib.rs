#![doc = include_str!("../README.md")]

mod admin;
mod api;
pub mod body;
mod classify;
mod client;
mod contacts;
mod conversations;
mod decode;
mod download;
mod files;
mod hosts;
pub mod html;
mod http;
mod inbox;
mod lenient;
mod pace;
mod receipt;
pub mod render;
mod search;
mod tending;
#[cfg(test)]
mod testing;
mod webhook;
mod wire;

pub use admin::{Named, Scope, Workspace, sign};
pub use client::IntercomClient;
pub use http::{Timeouts, http_client};
pub use tending::{KnownContact, OpenedPage};
pub use webhook::{IntercomNotifications, VerifiedNotification};
