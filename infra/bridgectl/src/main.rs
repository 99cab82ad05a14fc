//! bridgectl.
fn main() {}
