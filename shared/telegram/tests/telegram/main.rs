//! The crate as the bridge sees it: updates in, messages out, errors that say what to do.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod client;
mod compose;
mod content;
mod decode;
mod entities;
mod failures;
mod files;
mod fixtures;
mod peek;
mod server;
mod upload;
