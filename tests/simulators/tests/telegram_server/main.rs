//! The Bot API server as its callers see it: over HTTP, with no client but plain requests.
#![expect(clippy::expect_used, reason = "a test may fail anywhere")]

mod faults;
mod files;
mod groups;
mod people;
mod strict;
mod support;
mod topics;
mod webhooks;
