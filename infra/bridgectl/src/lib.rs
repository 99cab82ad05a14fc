#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
pub mod aws;
pub mod check;
pub mod demo;
pub mod reconcile;
pub mod serve;
pub mod settings;
pub mod stage;
