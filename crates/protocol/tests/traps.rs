//! What other brokers got wrong on the wire, each as a fact.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use ottla_protocol::frame::{
    decode_body, decode_request_body, decode_response, encode_request, encode_response, strip_length,
};
use ottla_protocol::messages::api_versions::SupportedFeatureKey;
use ottla_protocol::messages::describe_topic_partitions::Cursor;
use ottla_protocol::messages::*;
use ottla_protocol::messages::{fetch, join_group, offset_commit, offset_fetch, produce};
use ottla_protocol::records::consumer_offsets::{OffsetCommitKey, OffsetCommitValue};
use ottla_protocol::records::{decode_payload, decode_prefixed, encode_prefixed, peek_version};
use ottla_protocol::{
    ApiMessage, Bytes, DecodeErrorKind, ErrorCode, Message, RecordMessage, Request, TaggedField,
    TaggedFields, Uuid, Version, Writer,
};

fn bytes<M: Message>(message: &M, version: Version) -> Bytes {
    let mut w = Writer::new();
    message.encode(&mut w, version).unwrap();
    w.into_bytes()
}

/// The field that the version cannot carry.
fn refused<M: Message>(message: &M, version: Version) -> &'static str {
    let error = message.encode(&mut Writer::new(), version).unwrap_err();
    error.field().unwrap().1
}

#[test]
fn api_versions_3_has_a_new_request_header_and_the_oldest_response_header() {
    let header = RequestHeader::of::<ApiVersionsRequest>(3, 7, None);
    let request = encode_request(&header, &ApiVersionsRequest::default()).unwrap();
    assert_eq!(
        request[4..],
        [0, 18, 0, 3, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 1, 0],
        "header 2, two empty texts, no tags"
    );
    let response = encode_response(7, 3, &ApiVersionsResponse::default()).unwrap();
    assert_eq!(response[4..10], [0, 0, 0, 7, 0, 0], "header 0, and the error code right behind it");
}

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0_with_its_own_range() {
    let refusal = ApiVersionsRequest::default().error_response(99, ErrorCode::UNSUPPORTED_VERSION);
    let frame = encode_response(7, 0, &refusal).unwrap();
    assert_eq!(frame[4..], [0, 0, 0, 7, 0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 5]);
}

#[test]
fn produce_below_3_is_refused() {
    assert_eq!(ProduceRequest::VERSIONS, 3..=13);
    for version in 0..3 {
        assert!(decode_body::<ProduceRequest>(Bytes::new(), version).is_err());
    }
}

#[test]
fn join_group_and_metadata_0_live_on() {
    assert_eq!(*JoinGroupRequest::VERSIONS.start(), 0);
    assert_eq!(*MetadataRequest::VERSIONS.start(), 0);
}

#[test]
fn topic_ids_replace_names() {
    let id = Uuid([7; 16]);
    let topic = produce::TopicProduceData { name: "a".into(), topic_id: id, ..Default::default() };
    let request = ProduceRequest { topic_data: [topic].into(), ..Default::default() };
    let read = |version| {
        decode_body::<ProduceRequest>(bytes(&request, version), version).unwrap().topic_data.remove(0)
    };
    assert_eq!((read(12).name, read(12).topic_id), ("a".into(), Uuid::ZERO));
    assert_eq!((read(13).name, read(13).topic_id), ("".into(), id));

    let topic = fetch::FetchTopic { topic: "a".into(), topic_id: id, ..Default::default() };
    let request = FetchRequest { topics: vec![topic], ..Default::default() };
    let read =
        |version| decode_body::<FetchRequest>(bytes(&request, version), version).unwrap().topics.remove(0);
    assert_eq!((read(12).topic, read(12).topic_id), ("a".into(), Uuid::ZERO));
    assert_eq!((read(13).topic, read(13).topic_id), ("".into(), id));

    let topic =
        offset_commit::OffsetCommitRequestTopic { name: "a".into(), topic_id: id, ..Default::default() };
    let request = OffsetCommitRequest { topics: vec![topic], ..Default::default() };
    let read = |version| {
        decode_body::<OffsetCommitRequest>(bytes(&request, version), version).unwrap().topics.remove(0)
    };
    assert_eq!((read(9).name, read(9).topic_id), ("a".into(), Uuid::ZERO));
    assert_eq!((read(10).name, read(10).topic_id), ("".into(), id));
}

#[test]
fn unknown_tagged_fields_are_kept_in_order_among_the_known_ones() {
    // Tag 1 (the finalized epoch) is known; 900 and 70000 are not.
    let wire = [
        &[0, 0, 1, 0, 0, 0, 0, 3][..],
        &[1, 8, 0, 0, 0, 0, 0, 0, 0, 5],
        &[0x84, 0x07, 2, 0xaa, 0xbb],
        &[0xf0, 0xa2, 0x04, 0],
    ]
    .concat();
    let response = decode_body::<ApiVersionsResponse>(wire.clone().into(), 3).unwrap();
    assert_eq!(response.finalized_features_epoch, 5);
    let tags: Vec<_> = response.unknown_tagged_fields.as_slice().iter().map(|field| field.tag).collect();
    assert_eq!(tags, [900, 70000]);
    assert_eq!(bytes(&response, 3), wire);
}

#[test]
fn unknown_tagged_fields_are_sorted_when_written_and_may_not_repeat_a_tag() {
    let field = |tag| TaggedField { tag, value: Bytes::from_static(b"x") };
    let mut response = ApiVersionsResponse { finalized_features_epoch: 5, ..Default::default() };
    response.unknown_tagged_fields = TaggedFields::from_iter([field(900), field(0)]);
    assert_eq!(bytes(&response, 3)[7..15], [3, 0, 1, b'x', 1, 8, 0, 0]);
    response.unknown_tagged_fields.push(field(1));
    assert!(response.encode(&mut Writer::new(), 3).is_err(), "tag 1 is the epoch");
}

#[test]
fn no_tagged_fields_are_one_byte_and_none_before_the_first_flexible_version() {
    assert_eq!(bytes(&ListGroupsRequest::default(), 2), &[][..]);
    assert_eq!(bytes(&ListGroupsRequest::default(), 3), &[0][..]);
}

#[test]
fn sasl_handshake_and_offset_delete_are_never_flexible() {
    assert_eq!(SaslHandshakeRequest::FLEXIBLE_FROM, Version::MAX);
    assert_eq!(OffsetDeleteRequest::FLEXIBLE_FROM, Version::MAX);
    assert_eq!(bytes(&SaslHandshakeRequest::default(), 1), &[0, 0][..]);
}

#[test]
fn a_cluster_without_finalized_features_says_epoch_minus_one() {
    let response = ApiVersionsResponse::default();
    assert_eq!(response.finalized_features_epoch, -1);
    assert_eq!(bytes(&response, 3)[7..], [0], "no tagged field at all");
    let feature =
        SupportedFeatureKey { name: "f".into(), min_version: 1, max_version: 2, ..Default::default() };
    let response = ApiVersionsResponse { supported_features: vec![feature], ..Default::default() };
    assert_eq!(
        bytes(&response, 2),
        bytes(&ApiVersionsResponse::default(), 2),
        "version 2 cannot tell features"
    );
}

#[test]
fn find_coordinator_4_has_its_error_in_the_element() {
    let request = FindCoordinatorRequest { coordinator_keys: vec!["g".into()], ..Default::default() };
    let refusal = request.error_response(4, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!(refusal.error_code, ErrorCode::NONE);
    assert_eq!(refusal.coordinators[0].key, "g");
    assert_eq!(refusal.coordinators[0].error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    let refusal = request.error_response(3, ErrorCode::COORDINATOR_NOT_AVAILABLE);
    assert_eq!((refusal.error_code, refusal.node_id), (ErrorCode::COORDINATOR_NOT_AVAILABLE, -1));
}

#[test]
fn offset_fetch_8_has_its_error_in_the_group_and_1_in_the_partition() {
    let group = offset_fetch::OffsetFetchRequestGroup { group_id: "g".into(), ..Default::default() };
    let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
    let refusal = request.error_response(8, ErrorCode::NOT_COORDINATOR);
    assert_eq!(
        (refusal.error_code, refusal.groups[0].error_code),
        (ErrorCode::NONE, ErrorCode::NOT_COORDINATOR)
    );

    let topic = offset_fetch::OffsetFetchRequestTopic { partition_indexes: vec![3], ..Default::default() };
    let request = OffsetFetchRequest { topics: Some(vec![topic]), ..Default::default() };
    assert_eq!(request.error_response(2, ErrorCode::NOT_COORDINATOR).error_code, ErrorCode::NOT_COORDINATOR);
    let refusal = request.error_response(1, ErrorCode::NOT_COORDINATOR);
    let partition = &refusal.topics[0].partitions[0];
    assert_eq!((partition.partition_index, partition.committed_offset), (3, -1));
    assert_eq!(partition.error_code, ErrorCode::NOT_COORDINATOR);
}

#[test]
fn no_fetch_session_is_session_0() {
    assert_eq!(FetchResponse::default().session_id, 0);
    let request = FetchRequest::default();
    assert_eq!((request.session_id, request.session_epoch), (0, -1));
    let response = FetchResponse { session_id: 5, ..Default::default() };
    assert_eq!(refused(&response, 6), "session_id");
}

#[test]
fn a_moved_leader_is_told_from_produce_10_and_fetch_12_on() {
    let leader = produce::LeaderIdAndEpoch { leader_id: 2, leader_epoch: 7, ..Default::default() };
    let partition =
        produce::PartitionProduceResponse { current_leader: leader.clone(), ..Default::default() };
    assert_eq!(refused(&partition, 9), "current_leader");
    let endpoint = produce::NodeEndpoint { node_id: 2, ..Default::default() };
    let topic =
        produce::TopicProduceResponse { partition_responses: [partition].into(), ..Default::default() };
    let response =
        ProduceResponse { responses: [topic].into(), node_endpoints: vec![endpoint], ..Default::default() };
    let frame = encode_response(1, 10, &response).unwrap();
    let (_, read) = decode_response::<ProduceResponse>(strip_length(frame.into()), 10).unwrap();
    assert_eq!(read.responses[0].partition_responses[0].current_leader, leader);
    assert_eq!(read.node_endpoints[0].node_id, 2);

    let endpoint = fetch::NodeEndpoint { node_id: 2, ..Default::default() };
    let response = FetchResponse { node_endpoints: vec![endpoint], ..Default::default() };
    assert_eq!(refused(&response, 15), "node_endpoints");
    assert!(response.encode(&mut Writer::new(), 16).is_ok());
}

#[test]
fn a_cursor_is_a_struct_that_may_be_null() {
    let request = DescribeTopicPartitionsRequest::default();
    assert_eq!((request.response_partition_limit, &request.cursor), (2000, &None));
    assert_eq!(bytes(&request, 0), &[1, 0, 0, 7, 0xd0, 0xff, 0][..]);
    let cursor = Cursor { topic_name: "a".into(), partition_index: 1, ..Default::default() };
    let request = DescribeTopicPartitionsRequest { cursor: Some(cursor), ..request };
    assert_eq!(bytes(&request, 0), &[1, 0, 0, 7, 0xd0, 1, 2, b'a', 0, 0, 0, 1, 0, 0][..]);
}

#[test]
fn a_session_lifetime_is_told_from_sasl_authenticate_1_on() {
    let response = SaslAuthenticateResponse { session_lifetime_ms: 60_000, ..Default::default() };
    let read = |version| decode_body::<SaslAuthenticateResponse>(bytes(&response, version), version).unwrap();
    assert_eq!((read(0).session_lifetime_ms, read(1).session_lifetime_ms), (0, 60_000));
}

#[test]
fn a_refused_mechanism_comes_with_those_on_offer() {
    let response = SaslHandshakeResponse {
        error_code: ErrorCode::UNSUPPORTED_SASL_MECHANISM,
        mechanisms: vec!["PLAIN".into()],
    };
    assert_eq!(bytes(&response, 0), &b"\x00\x21\x00\x00\x00\x01\x00\x05PLAIN"[..]);
}

#[test]
fn member_metadata_is_opaque_bytes() {
    let protocol = join_group::JoinGroupRequestProtocol {
        name: "sessioned".into(),
        metadata: Bytes::from_static(b"\xff\xff any"),
        ..Default::default()
    };
    let request = JoinGroupRequest {
        protocol_type: "connect".into(),
        protocols: vec![protocol.clone()],
        ..Default::default()
    };
    let read = decode_body::<JoinGroupRequest>(bytes(&request, 9), 9).unwrap();
    assert_eq!(read.protocols, [protocol]);
}

#[test]
fn group_states_and_types_are_filters_of_list_groups_4_and_5() {
    let request = ListGroupsRequest { states_filter: vec!["Stable".into()], ..Default::default() };
    assert_eq!(refused(&request, 3), "states_filter");
    let request = ListGroupsRequest { types_filter: vec!["classic".into()], ..Default::default() };
    assert_eq!(refused(&request, 4), "types_filter");
}

#[test]
fn the_offsets_topic_has_kafkas_keys() {
    let key = OffsetCommitKey { group: "g".into(), topic: "t".into(), partition: 2 };
    // The prefix of a key is its record type.
    let mut w = Writer::new();
    w.put_slice(&OffsetCommitKey::RECORD_TYPE.to_be_bytes());
    key.encode(&mut w, 0).unwrap();
    assert_eq!(w.into_bytes(), &b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x02"[..]);
}

#[test]
fn a_newer_subscription_is_read_as_the_newest_known() {
    let subscription = ConsumerProtocolSubscription { topics: vec!["a".into()], ..Default::default() };
    let mut newer = encode_prefixed(&subscription, 3).unwrap().to_vec();
    newer[1] = 9;
    newer.extend(b"fields of version 9");
    let newer = Bytes::from(newer);
    assert_eq!(peek_version(&newer), Ok(9));
    assert_eq!(decode_payload(newer), Ok(subscription));
}

#[test]
fn a_newer_offsets_record_is_refused() {
    let value = OffsetCommitValue { offset: 5, ..Default::default() };
    let mut bytes = encode_prefixed(&value, 4).unwrap().to_vec();
    assert_eq!(decode_prefixed(bytes.clone().into()), Ok(value));
    bytes[1] = 5;
    let error = decode_prefixed::<OffsetCommitValue>(bytes.into()).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::Version { version: 5, first: 0, last: 4 });
}

#[test]
fn librdkafka_asks_for_all_topics_with_three_bytes_too_many() {
    // The whole body that librdkafka 2.16 sends as Metadata 13: it reserves four bytes for a compact length.
    let body = Bytes::from_static(&[0, 0, 0, 0, 1, 0, 0]);
    let (request, _): (MetadataRequest, _) = decode_request_body(body, 13).unwrap();
    assert_eq!(request.topics, None);
}
