//! The ground that the scenarios play on: both simulated vendors, the bridge between them, a few people, and a clock that only the
//! play moves.
//!
//! A scenario says what people do and asserts what the others see. It ends with [`World::finish`], which fails on whatever was left
//! behind: a queued message, an open claim, a dead letter, an update or a notification that was not taken, a fault that never
//! struck, a call that the real service would refuse.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a scenario that cannot be played has failed"
)]

mod leftovers;
mod recorder;
mod scene;
mod views;
mod wire;
mod world;

pub use leftovers::Left;
pub use recorder::{Recorder, Recording};
pub use scene::{SCOPES, Scene};
pub use wire::{BadWire, Wire};
pub use world::World;

/// The secret token of the bridge's Telegram webhook on the stage.
pub const WEBHOOK_SECRET: &str = bridgectl::stage::WEBHOOK_SECRET;
