//! A transaction coordinator has the leaders of partitions write the outcome of transactions (KIP-98).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The markers to write.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 27, versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersRequest {
    /// The markers.
    pub markers: Vec<WritableTxnMarker>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for WriteTxnMarkersRequest {
    type Response = WriteTxnMarkersResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> WriteTxnMarkersResponse {
        let markers = self.markers.iter().map(|marker| WritableTxnMarkerResult {
            producer_id: marker.producer_id,
            topics: (marker.topics.iter())
                .map(|topic| WritableTxnMarkerTopicResult {
                    name: topic.name.clone(),
                    partitions: (topic.partition_indexes.iter())
                        .map(|&partition_index| WritableTxnMarkerPartitionResult {
                            partition_index,
                            error_code: error,
                            ..Default::default()
                        })
                        .collect(),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        WriteTxnMarkersResponse { markers: markers.collect(), ..Default::default() }
    }
}

/// One transaction's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct WritableTxnMarker {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// Whether the transaction was committed; otherwise it was aborted.
    pub transaction_result: bool,
    /// The topics.
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// The epoch of the coordinator of the transaction: its partition's leader epoch.
    pub coordinator_epoch: i32,
    /// The version of transactions: 0 and 1 before KIP-890, 2 with it.
    #[field(versions = "2+", ignorable)]
    pub transaction_version: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct WritableTxnMarkerTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions' numbers.
    pub partition_indexes: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 27, versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersResponse {
    /// The markers.
    pub markers: Vec<WritableTxnMarkerResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one transaction's markers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct WritableTxnMarkerResult {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The topics.
    pub topics: Vec<WritableTxnMarkerTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct WritableTxnMarkerTopicResult {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition's marker.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct WritableTxnMarkerPartitionResult {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
