//! What members tell each other through the coordinator, which does not read it
//! (`ConsumerProtocol`): a version, then the message.

use ottla_protocol::frame::decode_body;
use ottla_protocol::messages::consumer_protocol::{
    ConsumerProtocolAssignment, ConsumerProtocolAssignmentTopicPartition, ConsumerProtocolSubscription,
    TopicPartition as OwnedPartitions,
};
use ottla_protocol::{DecodeError, EncodeError, Message, Writer};
use ottla_types::{ByteString, Bytes, TopicName, TopicPartition};

/// Owned partitions, and no generation yet, which eager members do not need.
const SUBSCRIPTION_VERSION: i16 = 1;
const ASSIGNMENT_VERSION: i16 = 1;
/// The newest version that is known here; newer ones only add fields behind.
const NEWEST: i16 = 3;

/// What a member wants to read.
pub(super) fn encode_subscription(
    topics: &[TopicName],
    owned: &[TopicPartition],
) -> Result<Bytes, EncodeError> {
    let message = ConsumerProtocolSubscription {
        topics: topics.iter().cloned().map(ByteString::from).collect(),
        owned_partitions: by_topic(owned)
            .into_iter()
            .map(|(topic, partitions)| OwnedPartitions { topic, partitions })
            .collect(),
        ..ConsumerProtocolSubscription::default()
    };
    encode(&message, SUBSCRIPTION_VERSION)
}

/// The topics that a member wants to read.
pub(super) fn decode_subscription(bytes: &Bytes) -> Result<Vec<TopicName>, DecodeError> {
    let message: ConsumerProtocolSubscription = decode(bytes)?;
    Ok(message.topics.into_iter().map(TopicName::from).collect())
}

/// What a member shall read.
pub(super) fn encode_assignment(partitions: &[TopicPartition]) -> Result<Bytes, EncodeError> {
    let message = ConsumerProtocolAssignment {
        assigned_partitions: by_topic(partitions)
            .into_iter()
            .map(|(topic, partitions)| ConsumerProtocolAssignmentTopicPartition { topic, partitions })
            .collect(),
        ..ConsumerProtocolAssignment::default()
    };
    encode(&message, ASSIGNMENT_VERSION)
}

/// What a member shall read; nothing if the leader sent nothing.
pub(super) fn decode_assignment(bytes: &Bytes) -> Result<Vec<TopicPartition>, DecodeError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let message: ConsumerProtocolAssignment = decode(bytes)?;
    let of_topic = |t: &ConsumerProtocolAssignmentTopicPartition| {
        let topic = TopicName::from(t.topic.clone());
        t.partitions.iter().map(|p| TopicPartition::new(topic.clone(), *p)).collect::<Vec<_>>()
    };
    Ok(message.assigned_partitions.iter().flat_map(of_topic).collect())
}

fn by_topic(partitions: &[TopicPartition]) -> Vec<(ByteString, Vec<i32>)> {
    let mut sorted: Vec<_> = partitions.iter().collect();
    sorted.sort();
    sorted
        .chunk_by(|a, b| a.topic == b.topic)
        .filter_map(|chunk| {
            let topic = ByteString::from(chunk.first()?.topic.clone());
            Some((topic, chunk.iter().map(|p| p.partition.0).collect()))
        })
        .collect()
}

fn encode(message: &impl Message, version: i16) -> Result<Bytes, EncodeError> {
    let mut writer = Writer::new();
    writer.put_slice(&version.to_be_bytes());
    message.encode(&mut writer, version)?;
    Ok(writer.into_bytes())
}

fn decode<M: Message>(bytes: &Bytes) -> Result<M, DecodeError> {
    let mut reader = ottla_protocol::Reader::new(bytes);
    let version = i16::from_be_bytes(reader.read_array()?);
    if version > NEWEST {
        // Fields that were added since are left unread.
        return M::decode(&mut reader, NEWEST);
    }
    decode_body(reader.into_rest(), version.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_round_trip() {
        let partitions =
            [TopicPartition::new("t", 0), TopicPartition::new("t", 2), TopicPartition::new("u", 1)];
        let bytes = encode_assignment(&partitions).unwrap();
        assert_eq!(decode_assignment(&bytes).unwrap(), partitions);
        assert_eq!(decode_assignment(&Bytes::new()).unwrap(), []);
    }

    #[test]
    fn newer_subscriptions_are_read_as_far_as_known() {
        let bytes = encode_subscription(&["t".into()], &[]).unwrap();
        assert_eq!(decode_subscription(&bytes).unwrap(), [TopicName::from("t")]);
        // Version 9: generation, no rack, and something unknown behind.
        let mut newer = encode_subscription(&["t".into()], &[]).unwrap().to_vec();
        newer[..2].copy_from_slice(&9_i16.to_be_bytes());
        newer.extend_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 1, 2, 3]);
        assert_eq!(decode_subscription(&newer.into()).unwrap(), [TopicName::from("t")]);
    }
}
