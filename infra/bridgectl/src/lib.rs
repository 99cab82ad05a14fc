//! `bridgectl`: the one command-line tool.

pub mod check;
pub mod reconcile;
pub mod serve;
pub mod settings;
pub mod stage;
