//! A connection against a scripted broker.

use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::frame::{decode_request_header, encode_response};
use ottla_protocol::messages::api_versions::{ApiVersion, ApiVersionsResponse};
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataResponse};
use ottla_protocol::{ApiKey, ApiMessage, ErrorCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::Connection;
use crate::{ClientConfig, ClientError};

const API_VERSIONS: ApiKey = ApiVersionsResponse::KEY;

/// A request as the broker sees it.
struct Seen {
    key: ApiKey,
    version: i16,
    id: i32,
}

struct Broker(TcpStream);

impl Broker {
    async fn next(&mut self) -> Seen {
        let len = self.0.read_i32().await.unwrap();
        let mut frame = vec![0; len as usize];
        self.0.read_exact(&mut frame).await.unwrap();
        let header = decode_request_header(&mut Bytes::from(frame)).unwrap();
        Seen { key: header.api_key(), version: header.request_api_version, id: header.correlation_id }
    }

    async fn answer<R: ApiMessage>(&mut self, id: i32, version: i16, response: &R) {
        self.0.write_all(&encode_response(id, version, response).unwrap()).await.unwrap();
    }

    /// Offers Metadata up to `metadata`.
    async fn offer(&mut self, metadata: i16) {
        let seen = self.next().await;
        assert_eq!((seen.key, seen.version), (API_VERSIONS, 3));
        self.answer(seen.id, 3, &offer(ErrorCode::NONE, metadata)).await;
    }
}

fn offer(error_code: ErrorCode, metadata: i16) -> ApiVersionsResponse {
    let key =
        |key: ApiKey, max_version| ApiVersion { api_key: key.code(), max_version, ..Default::default() };
    let api_keys = vec![key(API_VERSIONS, 2), key(MetadataResponse::KEY, metadata)];
    ApiVersionsResponse { error_code, api_keys, ..Default::default() }
}

/// Opens a connection to a broker that follows `script`.
async fn open<F: Future<Output = ()> + Send + 'static>(
    request_timeout: Duration,
    script: impl FnOnce(Broker) -> F + Send + 'static,
) -> Result<Connection, ClientError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { script(Broker(listener.accept().await.unwrap().0)).await });
    Connection::open(&address, &ClientConfig { request_timeout, ..ClientConfig::new(&address) }).await
}

const LONG: Duration = Duration::from_secs(30);

fn controller(id: i32) -> MetadataResponse {
    MetadataResponse { controller_id: id, ..Default::default() }
}

#[tokio::test]
async fn an_old_broker_answers_in_version_0_and_is_asked_again() {
    let connection = open(LONG, async |mut broker: Broker| {
        let first = broker.next().await;
        assert_eq!(first.version, 3);
        broker.answer(first.id, 0, &offer(ErrorCode::UNSUPPORTED_VERSION, 5)).await;
        let second = broker.next().await;
        assert_eq!(second.version, 2);
        broker.answer(second.id, 2, &offer(ErrorCode::NONE, 5)).await;
        assert_eq!(broker.next().await.version, 5);
    })
    .await
    .unwrap();
    assert_eq!(connection.version_of::<MetadataRequest>().unwrap(), 5);
    let _sent = connection.send(&MetadataRequest::default(), LONG).await.unwrap();
}

#[tokio::test]
async fn answers_may_come_in_any_order() {
    let connection = open(LONG, async |mut broker: Broker| {
        broker.offer(9).await;
        let (first, second) = (broker.next().await, broker.next().await);
        broker.answer(second.id, second.version, &controller(2)).await;
        broker.answer(first.id, first.version, &controller(1)).await;
        std::future::pending().await
    })
    .await
    .unwrap();
    let first = connection.send(&MetadataRequest::default(), LONG).await.unwrap();
    let second = connection.call(&MetadataRequest::default()).await.unwrap();
    assert_eq!(second.controller_id, 2);
    assert_eq!(connection.receive::<MetadataRequest>(first).await.unwrap().controller_id, 1);
}

#[tokio::test]
async fn everyone_who_waits_learns_of_a_lost_connection() {
    let connection = open(LONG, async |mut broker: Broker| {
        broker.offer(9).await;
        broker.next().await;
    })
    .await
    .unwrap();
    let error = connection.call(&MetadataRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
    assert!(error.is_retriable() && !connection.is_open());
}

#[tokio::test]
async fn a_late_answer_breaks_the_connection() {
    let connection = open(LONG, async |mut broker: Broker| {
        broker.offer(9).await;
        std::future::pending().await
    })
    .await
    .unwrap();
    let late = connection.call_within(&MetadataRequest::default(), Duration::ZERO).await.unwrap_err();
    assert!(late.to_string().contains("Metadata was not answered in time"), "{late}");
    assert!(!connection.is_open());
}

#[tokio::test]
async fn a_request_that_the_broker_lacks_is_not_sent() {
    let connection = open(LONG, async |mut broker: Broker| {
        broker.offer(-1).await;
        std::future::pending().await
    })
    .await
    .unwrap();
    let error = connection.call(&MetadataRequest::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::UnsupportedVersion { .. }), "{error}");
}

#[tokio::test]
async fn a_length_that_no_answer_has_ends_the_connection() {
    for length in [i32::MAX, -1] {
        let opened = open(LONG, async move |mut broker: Broker| {
            broker.next().await;
            broker.0.write_i32(length).await.unwrap();
            std::future::pending().await
        });
        let error = opened.await.unwrap_err();
        assert!(matches!(error, ClientError::Disconnected { .. }), "{error}");
    }
}

#[tokio::test]
async fn nobody_listening_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = Connection::open(&address, &ClientConfig::new(&address)).await.unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Unreachable);
}
