//! The contract suite on `DynamoDB`.
fn main() {}
