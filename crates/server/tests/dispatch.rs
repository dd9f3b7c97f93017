//! A small table, served over an in-memory connection: what dispatch does for every API.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use ottla_network::{
    ConnectionContext, ConnectionOptions, ReplySegment, RequestBudget, Service, serve_in_memory,
};
use ottla_protocol::frame::{decode_response, encode_request, strip_length};
use ottla_protocol::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use ottla_protocol::messages::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use ottla_protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use ottla_protocol::messages::list_groups::{ListGroupsRequest, ListGroupsResponse};
use ottla_protocol::messages::produce::{ProduceRequest, ProduceResponse};
use ottla_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, RequestHeader};
use ottla_protocol::{ApiKey, ApiMessage, ErrorCode, FetchedRecords, Request};
use ottla_server::{
    AclOperation, Answer, Authorizer, ControllerChannel, Dispatcher, FeatureRange, Forwards, HasFeatures,
    ListenerKind, NetworkCollector, NodeFeatures, RequestContext, ResourceType, Started, apis_page,
    check_table,
};
use ottla_telemetry::{Collect, Encoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

struct Node {
    channel: Channel,
}

struct Channel;

impl ControllerChannel for Channel {
    async fn forward<R: Request + Send + Sync>(
        &self,
        cx: &RequestContext,
        _: &R,
    ) -> Result<R::Response, ErrorCode>
    where
        R::Response: Send,
    {
        if cx.client_id.as_deref() == Some("lost") {
            return Err(ErrorCode::NOT_CONTROLLER);
        }
        Ok(R::Response::default())
    }
}

impl Forwards for Node {
    type Channel = Channel;

    fn controller(&self) -> &Channel {
        &self.channel
    }
}

impl HasFeatures for Node {
    fn features(&self) -> NodeFeatures {
        let feature = |name: &str, min, max| FeatureRange { name: name.into(), min, max };
        NodeFeatures {
            node_id: 1,
            cluster_id: Some("cluster".into()),
            supported: vec![feature("metadata.version", 7, 30), feature("kraft.version", 0, 1)],
            finalized_epoch: 42,
            finalized: vec![feature("metadata.version", 30, 30)],
        }
    }
}

async fn heartbeat(_: &Node, cx: &RequestContext, request: HeartbeatRequest) -> HeartbeatResponse {
    assert_eq!(cx.version, 4);
    if request.member_id == "panic" {
        panic!("planted");
    }
    let error_code = if request.generation_id == 7 { ErrorCode::NONE } else { ErrorCode::ILLEGAL_GENERATION };
    HeartbeatResponse { error_code, ..Default::default() }
}

mod produce {
    use super::*;

    pub(crate) fn start(
        _: &Node,
        _: &RequestContext,
        request: ProduceRequest,
    ) -> Started<Option<ProduceResponse>, i32> {
        match request.acks {
            0 => Started::Answered(None),
            1 => Started::Answered(Some(ProduceResponse::default())),
            _ => Started::Waits(request.timeout_ms),
        }
    }

    pub(crate) async fn finish(_: &Node, cx: &RequestContext, timeout_ms: i32) -> ProduceResponse {
        tokio::task::yield_now().await;
        assert_eq!(cx.client_id.as_deref(), Some("producer"));
        ProduceResponse { throttle_time_ms: timeout_ms, ..Default::default() }
    }
}

async fn fetch(_: &Node, _: &RequestContext, _: FetchRequest) -> Answer<FetchResponse> {
    let partition = |index| PartitionData {
        partition_index: index,
        records: Some(FetchedRecords::External { index: index as usize, len: 6 }),
        ..Default::default()
    };
    let topic = FetchableTopicResponse {
        topic: "t".into(),
        partitions: vec![partition(0), partition(1)],
        ..Default::default()
    };
    let piece = |text: &'static str| ReplySegment::Bytes(Bytes::from_static(text.as_bytes()));
    Answer::Spliced {
        response: FetchResponse { responses: vec![topic], ..Default::default() },
        records: vec![vec![piece("abc"), piece("def")], vec![piece("ghijkl")]],
    }
}

async fn list_groups(_: &Node, _: &RequestContext, _: ListGroupsRequest) -> Answer<ListGroupsResponse> {
    Answer::Close { reason: "on purpose".to_owned() }
}

ottla_server::apis! { Node;
    ProduceRequest, advertise 0, lane Log, listeners [broker], acl per_resource => start produce;
    FetchRequest, lane Log, listeners [broker], acl per_resource => fetch;
    HeartbeatRequest, versions 1-4, lane Coordinator, listeners [broker], acl Read Group(group_id) => heartbeat;
    ListGroupsRequest, lane Coordinator, listeners [broker], acl Describe Cluster => list_groups;
    CreateTopicsRequest, lane Controller, listeners [broker, controller], acl none => forward;
    ApiVersionsRequest, lane Connection, listeners [broker, controller], acl none => api_versions;
}

struct NotTheSecret;

impl Authorizer for NotTheSecret {
    fn authorize(&self, _: &RequestContext, operation: AclOperation, kind: ResourceType, name: &str) -> bool {
        !(operation == AclOperation::Read && kind == ResourceType::Group && name == "secret")
    }
}

fn dispatcher(listener: ListenerKind) -> Arc<Dispatcher<Node>> {
    let host = Arc::new(Node { channel: Channel });
    Arc::new(Dispatcher::with_authorizer(host, API_TABLE, listener, Arc::new(NotTheSecret)))
}

fn connect(listener: ListenerKind) -> DuplexStream {
    serve_in_memory(dispatcher(listener), "PLAINTEXT".into(), ConnectionOptions::default())
}

async fn send<R: ApiMessage>(stream: &mut DuplexStream, version: i16, client: &str, request: &R) {
    let header = RequestHeader::of::<R>(version, 17, Some(client.into()));
    stream.write_all(&encode_request(&header, request).unwrap()).await.unwrap();
}

/// The next frame, without its length; none if the connection ended.
async fn frame(stream: &mut DuplexStream) -> Option<Bytes> {
    let len = stream.read_i32().await.ok()?;
    let mut frame = vec![0; usize::try_from(len).unwrap()];
    stream.read_exact(&mut frame).await.unwrap();
    Some(frame.into())
}

async fn call<R: Request>(
    stream: &mut DuplexStream,
    version: i16,
    client: &str,
    request: &R,
) -> Option<R::Response> {
    send(stream, version, client, request).await;
    let (id, response) = decode_response(frame(stream).await?, version).unwrap();
    assert_eq!(id, 17);
    Some(response)
}

async fn api_versions(
    stream: &mut DuplexStream,
    version: i16,
    request: ApiVersionsRequest,
) -> ApiVersionsResponse {
    call(stream, version, "c", &request).await.unwrap()
}

fn software() -> ApiVersionsRequest {
    ApiVersionsRequest {
        client_software_name: "test".into(),
        client_software_version: "1.0".into(),
        ..Default::default()
    }
}

fn heartbeat_of(group: &str, generation_id: i32) -> HeartbeatRequest {
    HeartbeatRequest { group_id: group.into(), generation_id, ..Default::default() }
}

#[tokio::test]
async fn a_request_reaches_its_handler_and_the_answer_comes_back() {
    let mut stream = connect(ListenerKind::Broker);
    let response = call(&mut stream, 4, "c", &heartbeat_of("g", 7)).await.unwrap();
    assert_eq!(response.error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn who_may_not_gets_the_error_of_the_resource_in_the_shape_of_the_api() {
    let mut stream = connect(ListenerKind::Broker);
    let response = call(&mut stream, 4, "c", &heartbeat_of("secret", 7)).await.unwrap();
    assert_eq!(response.error_code, ErrorCode::GROUP_AUTHORIZATION_FAILED);
}

#[tokio::test]
async fn acks_zero_has_no_answer_and_the_next_request_does() {
    let mut stream = connect(ListenerKind::Broker);
    let mut request = ProduceRequest { acks: 0, ..Default::default() };
    send(&mut stream, 9, "c", &request).await;
    request.acks = 1;
    assert_eq!(call(&mut stream, 9, "c", &request).await, Some(ProduceResponse::default()));
}

#[tokio::test]
async fn what_waits_is_finished_by_its_handler() {
    let mut stream = connect(ListenerKind::Broker);
    let request = ProduceRequest { acks: -1, timeout_ms: 7, ..Default::default() };
    let response = call(&mut stream, 9, "producer", &request).await.unwrap();
    assert_eq!(response.throttle_time_ms, 7);
}

#[tokio::test]
async fn fetched_records_are_spliced_in_where_they_belong() {
    let mut stream = connect(ListenerKind::Broker);
    let response = call(&mut stream, 12, "c", &FetchRequest::default()).await.unwrap();
    let partitions = &response.responses[0].partitions;
    let records = |index: usize| partitions[index].records.clone().unwrap();
    assert_eq!(records(0).bytes().unwrap(), "abcdef");
    assert_eq!(records(1).bytes().unwrap(), "ghijkl");
}

#[tokio::test]
async fn a_forwarded_request_is_answered_by_the_controller_or_with_its_absence() {
    let mut stream = connect(ListenerKind::Broker);
    let mut request = CreateTopicsRequest::default();
    request.topics.push(Default::default());
    assert_eq!(call(&mut stream, 7, "c", &request).await, Some(CreateTopicsResponse::default()));
    let response = call(&mut stream, 7, "lost", &request).await.unwrap();
    assert_eq!(response.topics[0].error_code, ErrorCode::NOT_CONTROLLER);
}

#[tokio::test]
async fn api_versions_lists_what_the_table_has_for_the_listener() {
    let mut broker = connect(ListenerKind::Broker);
    let response = api_versions(&mut broker, 4, software()).await;
    let ranges: Vec<_> =
        response.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    // Produce from 0 (KAFKA-18659), Heartbeat as its row narrows it.
    assert_eq!(ranges, [(0, 0, 13), (1, 4, 18), (12, 1, 4), (16, 0, 5), (18, 0, 5), (19, 2, 7)]);
    assert_eq!(response.finalized_features_epoch, 42);
    assert_eq!(response.finalized_features[0].max_version_level, 30);
    let mut controller = connect(ListenerKind::Controller);
    let response = api_versions(&mut controller, 0, ApiVersionsRequest::default()).await;
    assert_eq!(response.api_keys.iter().map(|api| api.api_key).collect::<Vec<_>>(), [18, 19]);
}

#[tokio::test]
async fn version_3_leaves_out_supported_features_that_start_at_zero() {
    let mut stream = connect(ListenerKind::Broker);
    let names =
        |response: ApiVersionsResponse| response.supported_features.into_iter().map(|feature| feature.name);
    let in_3: Vec<_> = names(api_versions(&mut stream, 3, software()).await).collect();
    let in_4: Vec<_> = names(api_versions(&mut stream, 4, software()).await).collect();
    assert_eq!((in_3.len(), in_4.len()), (1, 2));
    assert_eq!(in_3[0], "metadata.version");
}

#[tokio::test]
async fn an_api_versions_of_the_future_is_answered_in_version_0_and_the_connection_lives() {
    let mut stream = connect(ListenerKind::Broker);
    let mut request = BytesMut::new();
    request.put_i32(13);
    request.put_i16(18);
    request.put_i16(9); // version
    request.put_i32(5); // correlation id
    request.put_i16(-1); // client id
    request.put_slice(&[0, 7, 7]); // tags, and what only the future knows
    stream.write_all(&request).await.unwrap();
    let (id, response) =
        decode_response::<ApiVersionsResponse>(frame(&mut stream).await.unwrap(), 0).unwrap();
    assert_eq!((id, response.error_code), (5, ErrorCode::UNSUPPORTED_VERSION));
    let own = &response.api_keys[0];
    assert_eq!((own.api_key, own.min_version, own.max_version), (18, 0, 5));
    assert_eq!(api_versions(&mut stream, 3, software()).await.error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn api_versions_refuses_a_malformed_name_and_another_target() {
    let mut stream = connect(ListenerKind::Broker);
    let bad = ApiVersionsRequest { client_software_name: "-".into(), ..software() };
    assert_eq!(api_versions(&mut stream, 3, bad).await.error_code, ErrorCode::INVALID_REQUEST);
    let other = ApiVersionsRequest { cluster_id: Some("other".into()), node_id: 1, ..software() };
    assert_eq!(api_versions(&mut stream, 5, other).await.error_code, ErrorCode::REBOOTSTRAP_REQUIRED);
}

#[tokio::test]
async fn whatever_is_not_served_ends_the_connection() {
    let unserved: [(ApiKey, i16); 4] =
        [(ApiKey::PRODUCE, 2), (ApiKey::HEARTBEAT, 0), (ApiKey(9999), 0), (ApiKey(-1), 0)];
    for (key, version) in unserved {
        let mut stream = connect(ListenerKind::Broker);
        let mut request = BytesMut::new();
        request.put_i32(10);
        request.put_i16(key.code());
        request.put_i16(version);
        request.put_i32(1);
        request.put_i16(-1);
        stream.write_all(&request).await.unwrap();
        assert_eq!(frame(&mut stream).await, None, "{key:?} version {version}");
    }
    let mut controller = connect(ListenerKind::Controller);
    assert_eq!(call(&mut controller, 4, "c", &heartbeat_of("g", 7)).await, None, "not on this listener");
}

#[tokio::test]
async fn bytes_that_are_no_request_end_the_connection() {
    for body in [
        &b""[..],
        b"\0",
        b"\0\x0c\0\x04\0\0\0\x01\0\x01c\0\xff\xff\xff\xff",
        b"\0\x0c\0\x04\0\0\0\x01\xff\xff\0",
    ] {
        let mut stream = connect(ListenerKind::Broker);
        stream.write_i32(i32::try_from(body.len()).unwrap()).await.unwrap();
        stream.write_all(body).await.unwrap();
        assert_eq!(frame(&mut stream).await, None, "{body:?}");
    }
}

#[tokio::test]
async fn a_handler_may_end_the_connection_and_a_panic_costs_only_its_own() {
    let dispatcher = dispatcher(ListenerKind::Broker);
    let connect =
        || serve_in_memory(Arc::clone(&dispatcher), "PLAINTEXT".into(), ConnectionOptions::default());
    let (mut first, mut second, mut third) = (connect(), connect(), connect());
    assert_eq!(call(&mut first, 5, "c", &ListGroupsRequest::default()).await, None);
    let panics = HeartbeatRequest { member_id: "panic".into(), ..heartbeat_of("g", 7) };
    assert_eq!(call(&mut second, 4, "c", &panics).await, None);
    assert!(call(&mut third, 4, "c", &heartbeat_of("g", 7)).await.is_some());
}

#[test]
fn neither_a_request_that_waits_nor_a_connection_keeps_a_frame() {
    fn check<R: ApiMessage>(version: i16, request: &R) {
        let dispatcher = dispatcher(ListenerKind::Broker);
        let peer = "127.0.0.1:1".parse().unwrap();
        let context = ConnectionContext { id: 1, listener: "PLAINTEXT".into(), peer, local: peer };
        let mut session = dispatcher.open(&Arc::new(context));
        let header = RequestHeader::of::<R>(version, 17, Some("client".into()));
        let frame = strip_length(encode_request(&header, request).unwrap());
        let mut lease = RequestBudget::unlimited().lease(0);
        let call = dispatcher.call(&mut session, frame.clone(), &mut lease);
        assert!(frame.try_into_mut().is_ok(), "{:?} keeps the frame: {call:?}", R::KEY);
    }
    check(4, &heartbeat_of("group", 7));
    check(9, &ProduceRequest { acks: -1, ..Default::default() });
    check(3, &software());
}

#[test]
fn a_request_is_charged_for_what_it_is_decoded_into() {
    let dispatcher = dispatcher(ListenerKind::Broker);
    let peer = "127.0.0.1:1".parse().unwrap();
    let context = ConnectionContext { id: 1, listener: "PLAINTEXT".into(), peer, local: peer };
    let mut session = dispatcher.open(&Arc::new(context));
    let request = ListGroupsRequest { states_filter: vec!["Empty".into(); 100], ..Default::default() };
    let header = RequestHeader::of::<ListGroupsRequest>(4, 17, None);
    let frame = strip_length(encode_request(&header, &request).unwrap());
    let mut lease = RequestBudget::unlimited().lease(0);
    let call = dispatcher.call(&mut session, frame, &mut lease);
    assert_eq!(lease.held(), 100 * size_of_val(&request.states_filter[0]));
    drop(call);
}

#[tokio::test]
async fn calls_are_counted_per_api() {
    let dispatcher = dispatcher(ListenerKind::Broker);
    let mut stream =
        serve_in_memory(Arc::clone(&dispatcher), "PLAINTEXT".into(), ConnectionOptions::default());
    call(&mut stream, 4, "c", &heartbeat_of("g", 7)).await;
    call(&mut stream, 4, "c", &heartbeat_of("g", 7)).await;
    let mut encoder = Encoder::new();
    dispatcher.collect(&mut encoder);
    let text = encoder.finish();
    assert!(
        text.contains("kafka_network_requestmetrics_requests_total{request=\"Heartbeat\"} 2\n"),
        "{text}"
    );
    assert!(
        text.contains("kafka_network_requestmetrics_totaltimems{request=\"Heartbeat\",quantile=\"0.99\"} ")
    );
    assert!(text.contains("ottla_request_duration_seconds_count{api=\"Heartbeat\"} 2\n"));
    assert!(!text.contains("Produce"), "never called, not shown");
}

#[tokio::test]
async fn listeners_are_counted_under_kafkas_names() {
    let options = ConnectionOptions::default();
    let collector = NetworkCollector::new(Arc::clone(&options.budget));
    collector.add("PLAINTEXT".into(), Arc::clone(&options.metrics));
    let mut stream = serve_in_memory(dispatcher(ListenerKind::Broker), "PLAINTEXT".into(), options);
    call(&mut stream, 4, "c", &heartbeat_of("g", 7)).await;
    let mut encoder = Encoder::new();
    collector.collect(&mut encoder);
    let text = encoder.finish();
    for line in [
        "kafka_server_socket_server_metrics_connection_count{listener=\"PLAINTEXT\"} 1\n",
        "kafka_server_socket_server_metrics_request_total{listener=\"PLAINTEXT\"} 1\n",
        "ottla_request_bytes_held 0\n",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn the_reference_page_is_the_table() {
    assert_eq!(check_table(API_TABLE), Vec::<String>::new());
    let page = apis_page("Broker", API_TABLE);
    assert!(page.starts_with("## Broker\n\n| key | API |"), "{page}");
    assert!(
        page.contains("| 0 | Produce | 3–13 (advertised 0–13) | Log | broker | per resource |\n"),
        "{page}"
    );
    assert!(page.contains("| 12 | Heartbeat | 1–4 | Coordinator | broker | Read Group |\n"), "{page}");
    assert!(page.contains("| 19 | CreateTopics | 2–7 | Controller | broker, controller | – |\n"), "{page}");
}

/// Random numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

#[tokio::test]
async fn random_bytes_behind_a_plausible_header_harm_nobody() {
    let dispatcher = dispatcher(ListenerKind::Broker);
    let options = ConnectionOptions::default();
    let connect = || serve_in_memory(Arc::clone(&dispatcher), "PLAINTEXT".into(), options.clone());
    let mut bystander = connect();
    let mut random = Random(18_659);
    for _ in 0..2_000 {
        let row = &API_TABLE[random.next() as usize % API_TABLE.len()];
        let version = row.served.min + (random.next() % 20) as i16;
        let body_len = random.next() % 200;
        let mut request = BytesMut::new();
        request.put_i16(row.key.code());
        request.put_i16(version);
        request.put_slice(&random.bytes(body_len));
        let mut stream = connect();
        stream.write_i32(request.len() as i32).await.unwrap();
        stream.write_all(&request).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
    }
    assert_eq!(options.metrics.closed_panic.get(), 0);
    assert!(options.metrics.closed_bad_input.get() > 1_000);
    assert_eq!(options.budget.used(), 0);
    assert!(call(&mut bystander, 4, "c", &heartbeat_of("g", 7)).await.is_some());
}
