//! The contract suite on `SQLite`.
fn main() {}
