//! A Telegram Bot API server.
//!
//! [`TelegramSim::start`] opens it on 127.0.0.1; the rest of [`TelegramSim`] is the world behind it: people write, edit, react,
//! open and close topics, and see what the bot wrote. Updates go out when [`TelegramSim::pump`] is called, or by themselves after
//! [`TelegramSim::run_in_background`].
//!
//! What the real server refuses is refused with its own words. What a correct client would never send is also kept in
//! [`TelegramSim::violations`]; a test is expected to fail when that list is not empty.

#![expect(clippy::expect_used, reason = "a simulator that is used wrongly stops the test")]

mod actions;
mod args;
mod call;
mod compose;
mod delivery;
mod entities;
mod files;
mod groups;
mod image;
mod markup;
mod methods;
mod people;
mod post;
mod refusal;
mod seen;
mod server;
mod sim;
mod table;
mod unsettled;
mod updates;
mod world;

pub use call::{Call, Outcome};
pub use compose::{Compose, Media, MediaKind, Voice};
pub use people::{Bot, Right, Rights, UserId};
pub use seen::{Seen, SeenMedia, SeenTopic};
pub use sim::TelegramSim;
pub use unsettled::Unsettled;
pub use world::Place;
