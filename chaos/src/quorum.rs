//! Which node is the active controller, as any of them says.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ottla_protocol::frame::{decode_response, encode_request};
use ottla_protocol::messages::describe_quorum::{PartitionData, TopicData};
use ottla_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse, RequestHeader};
use ottla_types::Bytes;

use crate::network::Place;
use crate::node::BROKER_PORT;

const PATIENCE: Duration = Duration::from_millis(500);
/// No answer is longer.
const MAX_BYTES: u64 = 1 << 20;
const VERSION: i16 = 2;

/// The active controller, if `node` answers and knows it.
pub(crate) fn active_controller(node: i32) -> Option<i32> {
    let answer = ask(node).ok()?;
    let leader = answer.topics.first()?.partitions.first()?.leader_id;
    Some(leader).filter(|id| *id > 0)
}

fn ask(node: i32) -> io::Result<DescribeQuorumResponse> {
    let address = format!("{}:{BROKER_PORT}", Place::Node(node).address());
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let partition = PartitionData::default();
    let topic = TopicData {
        topic_name: "__cluster_metadata".into(),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = DescribeQuorumRequest { topics: vec![topic], ..Default::default() };
    let header = RequestHeader::of::<DescribeQuorumRequest>(VERSION, 1, Some("chaos".into()));
    stream.write_all(&encode_request(&header, &request).map_err(io::Error::other)?)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = Vec::new();
    stream.take(u64::from(u32::from_be_bytes(length)).min(MAX_BYTES)).read_to_end(&mut frame)?;
    let decoded = decode_response::<DescribeQuorumResponse>(Bytes::from(frame), VERSION);
    Ok(decoded.map_err(io::Error::other)?.1)
}
