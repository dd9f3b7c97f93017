//! Any bytes as any request, and as the header of one.
#![no_main]

mod pick;

use libfuzzer_sys::fuzz_target;
use ottla_protocol::Bytes;
use ottla_protocol::frame::decode_request_header;
use ottla_protocol::schema::MessageKind;

fuzz_target!(|input: &[u8]| {
    let _ = decode_request_header(&mut Bytes::copy_from_slice(input));
    pick::recode(input, |kind| matches!(kind, MessageKind::Request(_)));
});
