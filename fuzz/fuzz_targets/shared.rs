//! What the targets share with the tests.

#[path = "../../crates/protocol/tests/support/pick.rs"]
pub(crate) mod pick;
#[path = "../../crates/protocol/tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;
