//! Any bytes as any record of the metadata log and of `__consumer_offsets`, as control records and group payloads,
//! without and with what stands before them.
#![no_main]

mod shared;

use libfuzzer_sys::fuzz_target;
use ottla_protocol::Bytes;
use ottla_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use ottla_protocol::records::consumer_offsets::{GroupMetadataValue, OffsetCommitValue};
use ottla_protocol::records::metadata::MetadataRecord;
use ottla_protocol::records::{decode_payload, decode_prefixed};

use crate::shared::pick;

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    if let Ok(record) = MetadataRecord::decode(bytes.clone()) {
        // A record that came in an older version may hold what the newest drops, but never the reverse.
        let _ = record.encode();
    }
    let _ = decode_prefixed::<OffsetCommitValue>(bytes.clone());
    let _ = decode_prefixed::<GroupMetadataValue>(bytes.clone());
    let _ = decode_payload::<ConsumerProtocolSubscription>(bytes.clone());
    let _ = decode_payload::<ConsumerProtocolAssignment>(bytes);
    pick::recode(input, pick::TARGETS[2].1);
});
