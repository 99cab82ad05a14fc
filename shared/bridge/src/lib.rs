//! The use-cases of both directions, and the neutral model that they work on.

pub mod content_words;
pub mod failure;
pub mod intercom_message;
pub mod ports;
pub mod rich_text;
pub mod secrets;
pub mod telegram_message;
pub mod webhook;
