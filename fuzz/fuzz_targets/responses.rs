//! Any bytes as any response.
#![no_main]

mod pick;

use libfuzzer_sys::fuzz_target;
use ottla_protocol::schema::MessageKind;

fuzz_target!(|input: &[u8]| {
    pick::recode(input, |kind| matches!(kind, MessageKind::Response(_)));
});
