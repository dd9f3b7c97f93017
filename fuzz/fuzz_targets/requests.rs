//! Any bytes as any request, and as the header of one.
#![no_main]

mod shared;

use libfuzzer_sys::fuzz_target;
use ottla_protocol::Bytes;
use ottla_protocol::frame::decode_request_header;

use crate::shared::pick;

fuzz_target!(|input: &[u8]| {
    let _ = decode_request_header(&mut Bytes::copy_from_slice(input));
    pick::recode(input, pick::TARGETS[0].1);
});
