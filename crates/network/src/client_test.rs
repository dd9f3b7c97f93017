use super::*;
use ottla_protocol::frame::encode_response;
use ottla_protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpListener;

const LIMIT: Duration = Duration::from_secs(1);

fn pair() -> (Connection, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    (Connection::over(ours, ClientOptions::default()), theirs)
}

fn heartbeat(connection: &Connection) -> tokio::task::JoinHandle<Result<HeartbeatResponse, RequestError>> {
    let connection = connection.clone();
    tokio::spawn(async move { connection.request(&HeartbeatRequest::default(), 4, LIMIT).await })
}

/// Reads a request and returns its correlation id.
async fn receive(peer: &mut DuplexStream) -> i32 {
    let mut frame = vec![0; usize::try_from(peer.read_i32().await.unwrap()).unwrap()];
    peer.read_exact(&mut frame).await.unwrap();
    i32::from_be_bytes(frame[4..8].try_into().unwrap())
}

async fn respond(peer: &mut DuplexStream, id: i32, throttle_time_ms: i32) {
    let response = HeartbeatResponse { throttle_time_ms, ..Default::default() };
    peer.write_all(&encode_response(id, 4, &response).unwrap()).await.unwrap();
}

#[tokio::test]
async fn requests_are_pipelined_and_each_gets_its_response() {
    let (connection, mut peer) = pair();
    let calls: Vec<_> = (0..3).map(|_| heartbeat(&connection)).collect();
    let ids = [receive(&mut peer).await, receive(&mut peer).await, receive(&mut peer).await];
    for id in ids {
        respond(&mut peer, id, id).await;
    }
    let mut got = Vec::new();
    for call in calls {
        got.push(call.await.unwrap().unwrap().throttle_time_ms);
    }
    got.sort_unstable();
    assert_eq!(got, ids);
}

#[tokio::test(start_paused = true)]
async fn a_late_response_is_discarded_and_the_next_one_still_fits() {
    let (connection, mut peer) = pair();
    let late = heartbeat(&connection);
    let first = receive(&mut peer).await;
    assert!(matches!(late.await.unwrap(), Err(RequestError::TimedOut(LIMIT))));
    let call = heartbeat(&connection);
    let second = receive(&mut peer).await;
    respond(&mut peer, first, 1).await;
    respond(&mut peer, second, 2).await;
    assert_eq!(call.await.unwrap().unwrap().throttle_time_ms, 2);
}

#[tokio::test]
async fn an_orderly_close_is_told_to_all_who_wait() {
    let (connection, mut peer) = pair();
    let call = heartbeat(&connection);
    receive(&mut peer).await;
    drop(peer);
    assert!(matches!(call.await.unwrap(), Err(RequestError::Ended(ConnectionEnd::Closed))));
    assert_eq!(connection.closed().await, ConnectionEnd::Closed);
    assert!(matches!(heartbeat(&connection).await.unwrap(), Err(RequestError::Ended(ConnectionEnd::Closed))));
}

#[tokio::test]
async fn a_response_out_of_order_ends_the_connection() {
    let (connection, mut peer) = pair();
    let call = heartbeat(&connection);
    let id = receive(&mut peer).await;
    respond(&mut peer, id + 1, 0).await;
    let error = call.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("protocol error: response to correlation id"), "{error}");
}

#[tokio::test]
async fn the_peer_sees_the_end_when_the_last_clone_is_dropped() {
    let (connection, mut peer) = pair();
    connection.send_one_way(vec![Bytes::from_static(b"\0\0\0\x01x")]).await.unwrap();
    drop(connection);
    let mut all = Vec::new();
    peer.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"\0\0\0\x01x", "after what was queued");
}

#[tokio::test]
async fn a_port_nobody_listens_on_refuses_and_a_dead_peer_resets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connection = Connection::connect(&address, LIMIT, ClientOptions::default()).await.unwrap();
    let (peer, _) = listener.accept().await.unwrap();
    // Closing with nothing left to send and zero linger is what the system does for a killed process's sockets.
    SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
    drop((peer, listener));
    assert_eq!(connection.closed().await, ConnectionEnd::Reset);
    let refused = Connection::connect(&address, LIMIT, ClientOptions::default()).await.unwrap_err();
    assert!(matches!(refused, ConnectError::Refused { .. }), "{refused}");
}

#[tokio::test]
async fn liveness_knows_the_end_before_any_task_has_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connect = || Connection::connect(&address, LIMIT, ClientOptions::default());
    for is_reset in [false, true] {
        let connection = connect().await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        let liveness = connection.liveness();
        assert!(!liveness.is_ended_by_peer());
        if is_reset {
            SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        }
        // From here to the assertions nothing is awaited: the connection's task cannot run.
        drop(peer);
        assert!(!connection.is_closed());
        assert!(liveness.is_ended_by_peer());
        connection.closed().await;
        assert!(liveness.is_ended_by_peer());
    }
}

#[tokio::test]
async fn a_connection_that_was_given_up_was_not_ended_by_its_peer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let connection = Connection::connect(&address, LIMIT, ClientOptions::default()).await.unwrap();
    let (mut peer, _) = listener.accept().await.unwrap();
    let liveness = connection.liveness();
    drop(connection);
    assert_eq!(peer.read(&mut [0]).await.unwrap(), 0, "the socket is closed");
    assert!(liveness.is_unused() && !liveness.is_ended_by_peer());
}
