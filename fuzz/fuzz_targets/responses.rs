//! Any bytes as any response.
#![no_main]

mod shared;

use libfuzzer_sys::fuzz_target;

use crate::shared::pick;

fuzz_target!(|input: &[u8]| {
    pick::recode(input, pick::TARGETS[1].1);
});
