//! The scenarios, one module a theme.

mod clicks;
mod duplicates;
mod inside;
mod lost_calls;
mod opening;
mod people;
mod places;
