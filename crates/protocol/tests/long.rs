//! Long messages that mean no harm: whatever is bounded, they must pass.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use ottla_protocol::frame::{decode_body, decode_request_body};
use ottla_protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use ottla_protocol::{Bytes, Message, Version, Writer};

#[test]
fn long_messages_of_topics_of_one_letter_and_one_partition_are_decoded() {
    const TOPICS: usize = 100_000;
    let topic = |records| TopicProduceData {
        name: "t".into(),
        partition_data: [PartitionProduceData { records: Some(records), ..Default::default() }].into(),
        ..Default::default()
    };
    // The smallest batch of one record.
    let records = Bytes::from(vec![7; 68]);
    let topic_data = (0..TOPICS).map(|_| topic(records.clone())).collect();
    let request = ProduceRequest { topic_data, ..Default::default() };
    let topic = || TopicProduceResponse {
        name: "t".into(),
        partition_responses: [PartitionProduceResponse::default()].into(),
        ..Default::default()
    };
    let response =
        ProduceResponse { responses: (0..TOPICS).map(|_| topic()).collect(), ..Default::default() };
    for version in 9..=13 {
        let bytes = encoded(&request, version);
        let (decoded, memory) = decode_request_body::<ProduceRequest>(bytes, version).unwrap();
        assert_eq!(decoded.topic_data.len(), TOPICS);
        assert_eq!(
            memory,
            TOPICS * size_of::<TopicProduceData>(),
            "the one partition of each is within its topic"
        );
        let decoded: ProduceResponse = decode_body(encoded(&response, version), version).unwrap();
        assert_eq!(decoded.responses.len(), TOPICS);
    }
}

fn encoded<M: Message>(message: &M, version: Version) -> Bytes {
    let mut w = Writer::new();
    message.encode(&mut w, version).unwrap();
    w.into_bytes()
}
