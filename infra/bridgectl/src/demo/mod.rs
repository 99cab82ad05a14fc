//! `bridgectl demo`: the bridge between a simulated Telegram and a simulated Intercom, on one page.
//!
//! The vendors live in the program's own runtime. The bridge has one to itself, so that it can be killed as a process is killed:
//! with whatever it was doing. What the page says about a message is read from the bridge's records, beside the bridge.

mod actions;
mod bridge;
mod cast;
mod faults;
mod gate;
mod markup;
mod page;
mod picture;
mod records;
mod scene;
mod snapshot;
mod state;
mod why;
mod world;

pub use page::Demo;
