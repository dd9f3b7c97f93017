//! Parses the configuration, builds the node and runs it.
fn main() {}
