//! The records of `__consumer_offsets`, in Kafka's formats.

use ottla_coordinator::{KeyValueRecord, ReplayError};
use ottla_protocol::records::consumer_offsets::classic_group::MemberMetadata;
use ottla_protocol::records::consumer_offsets::{
    GroupMetadataKey, GroupMetadataValue, OffsetCommitKey, OffsetCommitValue,
};
use ottla_protocol::{EncodeError, Message, Reader, Writer};
use ottla_types::{ByteString, Bytes, Detach, GroupId, LeaderEpoch, Offset, PartitionIndex, TopicPartition};

use crate::error::GroupError;
use crate::offsets::CommittedOffset;
use crate::stored::{StoredGroup, StoredMember};

/// The versions of keys name their types.
const LEGACY_OFFSET_COMMIT: i16 = 0;
const OFFSET_COMMIT: i16 = 1;
const GROUP_METADATA: i16 = 2;
/// What Kafka 4.3 writes (`GroupCoordinatorRecordHelpers`). Only version 1 of an offset has an expiry.
const OFFSET_VALUE_VERSION: i16 = 4;
const OFFSET_VALUE_VERSION_WITH_EXPIRY: i16 = 1;
const GROUP_VALUE_VERSION: i16 = 3;
/// The newest that can be read.
const LAST_VALUE_VERSION: i16 = 4;

/// A record of `__consumer_offsets` that concerns groups of the classic protocol or offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupRecord {
    /// Sets or, without state, removes a group.
    Group { id: GroupId, stored: Option<StoredGroup> },
    /// Sets or removes an offset.
    Commit { group: GroupId, partition: TopicPartition, committed: Option<CommittedOffset> },
    /// Of a type that this version does not know or does not keep.
    Unknown,
}

/// The record that makes the log say `stored` of group `id`.
pub(crate) fn group_metadata(id: &GroupId, stored: &StoredGroup) -> Result<KeyValueRecord, GroupError> {
    let value = GroupMetadataValue {
        protocol_type: stored.protocol_type.clone().unwrap_or_default(),
        generation: stored.generation,
        protocol: stored.protocol.clone(),
        leader: stored.leader.clone(),
        current_state_timestamp: stored.state_since_ms.unwrap_or(-1),
        members: stored.members.iter().map(member_metadata).collect(),
        ..GroupMetadataValue::default()
    };
    let value = encode(GROUP_VALUE_VERSION, &value, GROUP_VALUE_VERSION)?;
    Ok(KeyValueRecord { key: group_key(id)?, value: Some(value) })
}

/// The record that makes the log forget group `id`, but not its offsets.
pub(crate) fn group_tombstone(id: &GroupId) -> Result<KeyValueRecord, GroupError> {
    Ok(KeyValueRecord { key: group_key(id)?, value: None })
}

/// The record that commits an offset.
pub(crate) fn offset_commit(
    group: &GroupId,
    partition: &TopicPartition,
    committed: &CommittedOffset,
) -> Result<KeyValueRecord, GroupError> {
    let version = match committed.expire_timestamp_ms {
        Some(_) => OFFSET_VALUE_VERSION_WITH_EXPIRY,
        None => OFFSET_VALUE_VERSION,
    };
    let value = OffsetCommitValue {
        offset: committed.offset.get(),
        leader_epoch: committed.leader_epoch.get(),
        metadata: committed.metadata.clone(),
        commit_timestamp: committed.commit_timestamp_ms,
        expire_timestamp: committed.expire_timestamp_ms.unwrap_or(-1),
        topic_id: committed.topic_id,
        ..OffsetCommitValue::default()
    };
    Ok(KeyValueRecord { key: offset_key(group, partition)?, value: Some(encode(version, &value, version)?) })
}

/// The record that removes an offset.
pub(crate) fn offset_tombstone(
    group: &GroupId,
    partition: &TopicPartition,
) -> Result<KeyValueRecord, GroupError> {
    Ok(KeyValueRecord { key: offset_key(group, partition)?, value: None })
}

/// Reads the record at `offset`. What it says is detached: a record that is loaded lies among many others.
pub(crate) fn decode(offset: Offset, record: &KeyValueRecord) -> Result<GroupRecord, ReplayError> {
    let failed = |reason: String| ReplayError { offset, reason };
    let mut key = Reader::new(&record.key);
    let Ok(record_type) = key.read_array().map(i16::from_be_bytes) else {
        return Err(failed("its key is too short for a type".to_owned()));
    };
    match record_type {
        LEGACY_OFFSET_COMMIT | OFFSET_COMMIT => {
            let key = OffsetCommitKey::decode(&mut key, 0).map_err(|error| failed(error.to_string()))?;
            let value = record.value.as_ref().map(decode_value::<OffsetCommitValue>).transpose();
            let value = value.map_err(failed)?;
            Ok(GroupRecord::Commit {
                group: key.group.detach(),
                partition: TopicPartition::new(key.topic.detach(), PartitionIndex(key.partition)),
                committed: value.map(|value| committed(offset, value)),
            })
        }
        GROUP_METADATA => {
            let key = GroupMetadataKey::decode(&mut key, 0).map_err(|error| failed(error.to_string()))?;
            let value = record.value.as_ref().map(decode_value::<GroupMetadataValue>).transpose();
            Ok(GroupRecord::Group { id: key.group.detach(), stored: value.map_err(failed)?.map(stored) })
        }
        _ => Ok(GroupRecord::Unknown),
    }
}

fn decode_value<M: Message>(value: &Bytes) -> Result<M, String> {
    let mut r = Reader::new(value);
    let version = r.read_array().map(i16::from_be_bytes).map_err(|error| error.to_string())?;
    if !(0..=LAST_VALUE_VERSION).contains(&version) {
        return Err(format!("its value has version {version}, and {LAST_VALUE_VERSION} is the newest known"));
    }
    M::decode(&mut r, version).map_err(|error| error.to_string())
}

fn committed(record_offset: Offset, value: OffsetCommitValue) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(value.offset),
        leader_epoch: LeaderEpoch(value.leader_epoch),
        metadata: value.metadata.detach(),
        commit_timestamp_ms: value.commit_timestamp,
        expire_timestamp_ms: Some(value.expire_timestamp).filter(|&at| at != -1),
        topic_id: value.topic_id,
        record_offset,
    }
}

fn stored(value: GroupMetadataValue) -> StoredGroup {
    StoredGroup {
        protocol_type: Some(value.protocol_type.detach()).filter(|protocol_type| !protocol_type.is_empty()),
        generation: value.generation,
        protocol: value.protocol.detach(),
        leader: value.leader.detach(),
        state_since_ms: Some(value.current_state_timestamp).filter(|&at| at != -1),
        members: value.members.into_iter().map(stored_member).collect(),
    }
}

fn stored_member(member: MemberMetadata) -> StoredMember {
    let has_rebalance_timeout = member.rebalance_timeout != -1;
    StoredMember {
        id: member.member_id.detach(),
        instance_id: member.group_instance_id.detach(),
        client_id: member.client_id.detach(),
        client_host: member.client_host.detach(),
        rebalance_timeout_ms: if has_rebalance_timeout {
            member.rebalance_timeout
        } else {
            member.session_timeout
        },
        session_timeout_ms: member.session_timeout,
        subscription: member.subscription.detach(),
        assignment: member.assignment.detach(),
    }
}

fn member_metadata(member: &StoredMember) -> MemberMetadata {
    MemberMetadata {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout: member.rebalance_timeout_ms,
        session_timeout: member.session_timeout_ms,
        subscription: member.subscription.clone(),
        assignment: member.assignment.clone(),
        ..MemberMetadata::default()
    }
}

fn group_key(id: &GroupId) -> Result<Bytes, GroupError> {
    encode(GROUP_METADATA, &GroupMetadataKey { group: id.clone() }, 0)
}

fn offset_key(group: &GroupId, partition: &TopicPartition) -> Result<Bytes, GroupError> {
    let key = OffsetCommitKey {
        group: group.clone(),
        topic: ByteString::from(partition.topic.clone()),
        partition: partition.partition.get(),
    };
    encode(OFFSET_COMMIT, &key, 0)
}

/// `prefix` and then `message` in `version`.
fn encode<M: Message>(prefix: i16, message: &M, version: i16) -> Result<Bytes, GroupError> {
    let mut w = Writer::new();
    w.put_slice(&prefix.to_be_bytes());
    message
        .encode(&mut w, version)
        .map_err(|error: EncodeError| GroupError::Unwritable { reason: error.to_string() })?;
    Ok(w.into_bytes())
}

#[cfg(test)]
#[path = "records_test.rs"]
mod tests;
