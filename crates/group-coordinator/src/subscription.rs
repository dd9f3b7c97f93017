//! What a consumer subscribes to, read from its opaque metadata.

use std::collections::BTreeSet;

use ottla_protocol::messages::ConsumerProtocolSubscription;
use ottla_protocol::{Message, Reader};
use ottla_types::{ByteString, Bytes};

/// The one protocol type whose metadata the coordinator may read.
pub(crate) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// The topics in the metadata of a member of protocol type `consumer`; `None` if it is in no known format.
/// Every version begins with version 0's fields (Kafka: `ConsumerProtocol`), so that is what is read.
pub(crate) fn topics(metadata: Bytes) -> Option<BTreeSet<ByteString>> {
    let mut r = Reader::new(&metadata);
    let version = i16::from_be_bytes(r.read_array().ok()?);
    if version < 0 {
        return None;
    }
    let subscription = ConsumerProtocolSubscription::decode(&mut r, 0).ok()?;
    Some(subscription.topics.into_iter().collect())
}
