//! A Telegram Bot API server.
