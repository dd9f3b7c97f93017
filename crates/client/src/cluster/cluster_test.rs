//! Which broker is asked, of brokers that answer or do not.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::ApiMessage;
use ottla_protocol::frame::{decode_request_header, encode_response};
use ottla_protocol::messages::api_versions::{ApiVersion, ApiVersionsResponse};
use ottla_protocol::messages::metadata::MetadataResponse;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// The version of Metadata that these brokers speak.
const METADATA: i16 = 9;

/// A broker that takes connections, and answers as long as `answers` says.
async fn broker(controller_id: i32, answers: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, controller_id, Arc::clone(&answers)));
        }
    });
    address
}

async fn serve(mut stream: TcpStream, controller_id: i32, answers: Arc<AtomicBool>) {
    while let Ok(len) = stream.read_i32().await {
        let mut frame = vec![0; usize::try_from(len).unwrap()];
        stream.read_exact(&mut frame).await.unwrap();
        if !answers.load(Ordering::SeqCst) {
            continue;
        }
        let header = decode_request_header(&mut Bytes::from(frame)).unwrap();
        let (id, version) = (header.correlation_id, header.request_api_version);
        let key = |key: ottla_protocol::ApiKey, max_version| ApiVersion {
            api_key: key.code(),
            max_version,
            ..Default::default()
        };
        let frame = if header.api_key() == ApiVersionsResponse::KEY {
            let api_keys = vec![key(ApiVersionsResponse::KEY, 3), key(MetadataResponse::KEY, METADATA)];
            encode_response(id, version, &ApiVersionsResponse { api_keys, ..Default::default() })
        } else {
            encode_response(id, version, &MetadataResponse { controller_id, ..Default::default() })
        };
        stream.write_all(&frame.unwrap()).await.unwrap();
    }
}

/// A client of two brokers, with the address of the first, and whether that answers.
async fn two_brokers() -> (Cluster, String, Arc<AtomicBool>) {
    let first_answers = Arc::new(AtomicBool::new(true));
    let first = broker(1, Arc::clone(&first_answers)).await;
    let second = broker(2, Arc::new(AtomicBool::new(true))).await;
    let config = ClientConfig {
        request_timeout: Duration::from_millis(200),
        ..ClientConfig::new(&format!("{first},{second}"))
    };
    let cluster = Cluster::connect(config).await.unwrap();
    (cluster, first, first_answers)
}

#[tokio::test]
async fn a_broker_that_stands_still_is_not_asked_again_where_others_answer() {
    let (cluster, _, first_answers) = two_brokers().await;
    cluster.refresh(Want::Brokers, false).await.unwrap();
    assert_eq!(cluster.metadata().controller, Some(NodeId(1)));

    first_answers.store(false, Ordering::SeqCst);
    cluster.refresh(Want::Brokers, false).await.unwrap_err();
    cluster.refresh(Want::Brokers, false).await.unwrap();
    assert_eq!(cluster.metadata().controller, Some(NodeId(2)), "although the first takes connections");
}

#[tokio::test]
async fn a_connection_that_still_looks_open_is_not_used_where_another_of_its_broker_was_not_answered() {
    let (cluster, first, first_answers) = two_brokers().await;
    let producing = cluster.at(&first, cluster.new_lane()).await.unwrap();
    first_answers.store(false, Ordering::SeqCst);
    producing.call(&request(Want::Brokers, false)).await.unwrap_err();
    cluster.refresh(Want::Brokers, false).await.unwrap();
    assert_eq!(cluster.metadata().controller, Some(NodeId(2)));
}
