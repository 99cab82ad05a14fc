#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
pub mod aws;
pub mod check;
pub mod demo;
pub mod doctor;
pub mod findings;
pub mod install;
pub mod reconcile;
mod region;
pub mod serve;
pub mod settings;
pub mod setup;
pub mod stage;
