#![doc = include_str!("../README.md")]

pub mod check;
pub mod demo;
pub mod reconcile;
pub mod serve;
pub mod settings;
pub mod stage;
