#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
pub mod aws;
pub mod check;
pub mod demo;
pub mod doctor;
pub mod erase;
pub mod export;
pub mod findings;
pub mod import;
pub mod install;
pub mod live_check;
mod map_file;
pub mod place;
mod rebuild;
pub mod reconcile;
pub mod redrive;
mod region;
pub mod rotate;
pub mod serve;
pub mod settings;
pub mod setup;
pub mod stage;
mod times;
