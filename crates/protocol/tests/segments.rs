//! Frames in segments are the same bytes as whole frames.

use ottla_protocol::frame::{
    decode_body, decode_request_header, encode_request, encode_request_segments, encode_response,
    encode_response_segments,
};
use ottla_protocol::messages::fetch::{FetchableTopicResponse, PartitionData};
use ottla_protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use ottla_protocol::messages::{FetchResponse, ProduceRequest, RequestHeader};
use ottla_protocol::{Bytes, EncodeErrorKind, FetchedRecords, Segment};

fn payloads() -> [Bytes; 4] {
    [vec![1; 5000].into(), Bytes::new(), vec![2; 10].into(), vec![3; 1024].into()]
}

fn response(records: impl Fn(usize, Bytes) -> FetchedRecords) -> FetchResponse {
    let partition =
        |(index, bytes)| PartitionData { records: Some(records(index, bytes)), ..Default::default() };
    let partitions = payloads().into_iter().enumerate().map(partition).collect();
    let topic = FetchableTopicResponse { partitions, ..Default::default() };
    FetchResponse { responses: vec![topic], ..Default::default() }
}

fn request(records: impl IntoIterator<Item = Bytes>) -> ProduceRequest {
    let partition = |records| PartitionProduceData { records: Some(records), ..Default::default() };
    let partition_data = records.into_iter().map(partition).collect();
    let topic = TopicProduceData { name: "a-topic".into(), partition_data, ..Default::default() };
    ProduceRequest { topic_data: [topic].into(), ..Default::default() }
}

/// What goes over the wire, with `payloads` where the sender inserts its own.
fn send(segments: Vec<Segment>) -> Bytes {
    let bytes = segments.into_iter().flat_map(|segment| match segment {
        Segment::Bytes(bytes) => bytes,
        Segment::External { index, len } => {
            let payload = payloads()[index].clone();
            assert_eq!(payload.len(), len);
            payload
        }
    });
    bytes.collect()
}

#[test]
fn external_records_go_where_their_bytes_would() {
    for version in 4..=18 {
        let whole = encode_response(7, version, &response(|_, bytes| bytes.into())).unwrap();
        let external = response(|index, bytes| FetchedRecords::External { index, len: bytes.len() });
        let segments = encode_response_segments(7, version, &external).unwrap();
        let external = segments.iter().filter(|segment| matches!(segment, Segment::External { .. })).count();
        assert_eq!(external, 3, "one of the payloads is empty");
        assert_eq!(send(segments), whole, "version {version}");
        assert_eq!(whole[..4], (whole.len() as u32 - 4).to_be_bytes());
    }
}

#[test]
fn long_records_in_memory_are_not_copied() {
    let records = payloads();
    let pointer = records[0].as_ptr();
    let header = RequestHeader::of::<ProduceRequest>(9, 1, Some("client".into()));
    let request = request(records);
    let segments = encode_request_segments(&header, &request).unwrap();
    assert!(segments.iter().any(|s| matches!(s, Segment::Bytes(bytes) if bytes.as_ptr() == pointer)));
    assert_eq!(segments.iter().filter(|segment| segment.len() >= 1024).count(), 2);
    assert_eq!(send(segments), encode_request(&header, &request).unwrap());
}

#[test]
fn external_records_need_segments() {
    let external = response(|index, bytes| FetchedRecords::External { index, len: bytes.len() });
    let error = encode_response(7, 12, &external).unwrap_err();
    assert_eq!(error.kind(), EncodeErrorKind::External);
    assert_eq!(error.field(), Some(("PartitionData", "records")));
}

#[test]
fn decoding_shares_the_frames_memory() {
    let header = RequestHeader::of::<ProduceRequest>(9, 1, None);
    let mut frame = encode_request(&header, &request([vec![1; 100].into()])).unwrap().slice(4..);
    let memory = frame.as_ptr_range();
    assert_eq!(decode_request_header(&mut frame), Ok(header));
    let read: ProduceRequest = decode_body(frame, 9).unwrap();
    let topic = &read.topic_data[0];
    assert!(memory.contains(&topic.name.as_ptr()));
    assert!(memory.contains(&topic.partition_data[0].records.as_ref().unwrap().as_ptr()));
}
