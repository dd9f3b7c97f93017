//! One request at a time, before or beside what is measured.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::Uuid;
use ottla_protocol::frame::decode_response;
use ottla_protocol::messages::MetadataResponse;
use ottla_protocol::messages::metadata::MetadataResponseTopic;

use crate::frames;

/// Sends a request's frame; gives what follows the length of the answer.
pub fn call(stream: &mut TcpStream, request: &[u8]) -> io::Result<Bytes> {
    stream.write_all(request)?;
    answer(stream)
}

/// The next answer, without its length.
pub fn answer(stream: &mut TcpStream) -> io::Result<Bytes> {
    let mut len = [0; 4];
    stream.read_exact(&mut len)?;
    let mut frame = vec![0; u32::from_be_bytes(len) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame.into())
}

/// Creates the topic if it is not there, and gives its id once all its partitions are led.
pub fn topic_id(bootstrap: &str, topic: &str, partitions: i32) -> Result<Uuid, Box<dyn Error>> {
    let mut stream = TcpStream::connect(bootstrap)?;
    call(&mut stream, &frames::create_topic(topic, partitions)?)?;
    loop {
        let answer = call(&mut stream, &frames::metadata(topic)?)?;
        let (_, metadata) = decode_response::<MetadataResponse>(answer, frames::METADATA)?;
        let led = |topic: &&MetadataResponseTopic| {
            topic.error_code.is_none() && topic.partitions.iter().all(|partition| partition.leader_id >= 0)
        };
        if let Some(topic) = metadata.topics.iter().find(led) {
            return Ok(topic.topic_id);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
