//! The scenarios, one module a theme.

mod opening;
