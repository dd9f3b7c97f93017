use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::{AsFile, Call, FileRange, Lease, Reply, ReplySegment};

/// Does what the frame says: `echo`, `pipe` and `wait` (answered by [`Bench::release`]), `none`, `close`, `panic`, `later-panic`,
/// `big`, `slow`, `file`. A reply is the request's own text.
#[derive(Default)]
struct Scripted {
    started: Mutex<Vec<String>>,
    gates: Mutex<HashMap<String, oneshot::Sender<()>>>,
    dropped: Arc<AtomicU64>,
}

impl Service for Scripted {
    type Session = ();

    fn open(&self, _: &Arc<ConnectionContext>) {}

    fn call(&self, (): &mut (), frame: Bytes, _lease: &mut Lease) -> Call {
        let text = String::from_utf8_lossy(&frame).into_owned();
        self.started.lock().unwrap().push(text.clone());
        match text.split(':').next().unwrap_or("") {
            "pipe" => Call::pipeline(self.gated(text)),
            "wait" => Call::wait(self.gated(text)),
            "none" => Call::Ready(Reply::None),
            "slow" => {
                // Longer than a turn.
                std::thread::sleep(Duration::from_millis(1));
                Call::Ready(Reply::None)
            }
            "close" => Call::Ready(Reply::Close { reason: text }),
            "panic" => panic!("planted"),
            "later-panic" => Call::wait(async { panic!("planted too") }),
            "big" => Call::Ready(Reply::Frame(framed(&[b'x'; 1 << 20]))),
            "file" => Call::Ready(file_reply(&text)),
            _ => Call::Ready(Reply::Frame(framed(&frame))),
        }
    }
}

impl Scripted {
    fn gated(&self, text: String) -> impl Future<Output = Reply> + Send + 'static {
        let (open, gate) = oneshot::channel();
        self.gates.lock().unwrap().insert(text.clone(), open);
        let guard = CountDrop(Arc::clone(&self.dropped));
        async move {
            let _guard = guard;
            let _ = gate.await;
            Reply::Frame(framed(text.as_bytes()))
        }
    }
}

struct CountDrop(Arc<AtomicU64>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

/// `file:N`: N bytes of a file, framed.
fn file_reply(text: &str) -> Reply {
    let len: u64 = text.split(':').nth(1).unwrap().parse().unwrap();
    let head = Bytes::copy_from_slice(&i32::try_from(len).unwrap().to_be_bytes());
    let range = FileRange { file: Arc::new(Counting), position: 5, len };
    Reply::Segments(vec![ReplySegment::Bytes(head), ReplySegment::File(range)])
}

/// A file whose byte at each position is the position's lowest eight bits; it has a million of them.
struct Counting;

impl AsFile for Counting {
    fn as_std(&self) -> Option<&std::fs::File> {
        None
    }

    fn read_at(&self, buf: &mut [u8], position: u64) -> io::Result<usize> {
        let end = 1_000_000u64.saturating_sub(position).min(buf.len() as u64);
        for (index, byte) in buf.iter_mut().enumerate().take(end as usize) {
            *byte = (position + index as u64) as u8;
        }
        Ok(end as usize)
    }
}

struct Bench {
    service: Arc<Scripted>,
    options: ConnectionOptions,
    peer: DuplexStream,
    end: JoinHandle<CloseReason>,
}

impl Bench {
    fn new() -> Self {
        Self::with(ConnectionOptions::default())
    }

    fn with(options: ConnectionOptions) -> Self {
        let service = Arc::new(Scripted::default());
        let (ours, peer) = tokio::io::duplex(64 * 1024);
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let context = ConnectionContext { id: 1, listener: "TEST".into(), peer: nowhere, local: nowhere };
        let end = tokio::spawn(serve_stream(ours, Arc::clone(&service), context, options.clone()));
        Self { service, options, peer, end }
    }

    async fn send(&mut self, texts: &[&str]) {
        let all: Vec<u8> = texts.iter().flat_map(|text| framed(text.as_bytes())).collect();
        self.peer.write_all(&all).await.unwrap();
        settle().await;
    }

    async fn receive(&mut self) -> String {
        let mut frame = vec![0; self.peer.read_i32().await.unwrap() as usize];
        self.peer.read_exact(&mut frame).await.unwrap();
        String::from_utf8_lossy(&frame).into_owned()
    }

    fn started(&self) -> Vec<String> {
        self.service.started.lock().unwrap().clone()
    }

    async fn release(&self, text: &str) {
        let _ = self.service.gates.lock().unwrap().remove(text).unwrap().send(());
        settle().await;
    }

    async fn reason(self) -> CloseReason {
        drop(self.peer);
        self.end.await.unwrap()
    }
}

/// Lets the connection's task do what it can.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn replies_leave_in_the_order_of_the_requests() {
    let mut bench = Bench::new();
    bench.send(&["pipe:1", "pipe:2", "echo:3", "pipe:4"]).await;
    assert_eq!(bench.started(), ["pipe:1", "pipe:2", "echo:3", "pipe:4"]);
    for text in ["pipe:4", "pipe:2", "pipe:1"] {
        bench.release(text).await;
    }
    for text in ["pipe:1", "pipe:2", "echo:3", "pipe:4"] {
        assert_eq!(bench.receive().await, text);
    }
}

#[tokio::test]
async fn behind_a_request_that_must_not_be_pipelined_the_next_one_waits() {
    let mut bench = Bench::new();
    bench.send(&["pipe:1", "wait:2", "echo:3"]).await;
    assert_eq!(bench.started(), ["pipe:1", "wait:2"]);
    bench.release("pipe:1").await;
    assert_eq!(bench.started().len(), 2);
    bench.release("wait:2").await;
    assert_eq!(bench.started(), ["pipe:1", "wait:2", "echo:3"]);
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_allowed() {
    let mut bench = Bench::with(ConnectionOptions { max_in_flight: 2, ..Default::default() });
    bench.send(&["pipe:1", "pipe:2", "pipe:3"]).await;
    assert_eq!(bench.started().len(), 2);
    bench.release("pipe:2").await;
    assert_eq!(bench.started().len(), 2, "answered, but its turn has not come");
    bench.release("pipe:1").await;
    assert_eq!(bench.started().len(), 3);
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_asked_to_wait() {
    let mut bench = Bench::new();
    bench.send(&["big"; 12]).await;
    let started = bench.started().len();
    assert!((4..=5).contains(&started), "{started} replies of 1 MiB are queued where 4 MiB are allowed");
    for _ in 0..12 {
        assert_eq!(bench.receive().await.len(), 1 << 20);
    }
}

#[tokio::test]
async fn when_the_peer_leaves_what_it_waited_for_is_dropped() {
    let mut bench = Bench::new();
    bench.send(&["pipe:1", "wait:2"]).await;
    let dropped = Arc::clone(&bench.service.dropped);
    assert!(matches!(bench.reason().await, CloseReason::PeerClosed));
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_request_that_arrived_before_its_peer_left_is_served_though_it_had_to_wait() {
    let mut bench = Bench::new();
    bench.send(&["wait:1", "none:2"]).await;
    bench.peer.shutdown().await.unwrap();
    settle().await;
    bench.release("wait:1").await;
    assert_eq!(bench.started(), ["wait:1", "none:2"]);
    assert!(matches!(bench.reason().await, CloseReason::PeerClosed));
}

#[tokio::test]
async fn everything_sent_before_the_end_of_the_stream_is_still_served() {
    let mut bench = Bench::new();
    let requests: Vec<String> = (0..100).map(|index| format!("none:{index}")).collect();
    let all: Vec<u8> = requests.iter().flat_map(|text| framed(text.as_bytes())).collect();
    bench.peer.write_all(&all).await.unwrap();
    bench.peer.write_all(&framed(b"echo:last")).await.unwrap();
    bench.peer.shutdown().await.unwrap();
    assert_eq!(bench.receive().await, "echo:last", "a half-closed peer gets the replies that are ready");
    assert_eq!(bench.started().len(), 101);
    assert!(matches!(bench.reason().await, CloseReason::PeerClosed));
}

#[tokio::test]
async fn a_refusal_ends_the_connection_after_the_replies_before_it() {
    let mut bench = Bench::new();
    bench.send(&["pipe:1", "close:2", "echo:3"]).await;
    bench.release("pipe:1").await;
    assert_eq!(bench.receive().await, "pipe:1");
    assert!(bench.peer.read_i32().await.is_err());
    assert_eq!(bench.reason().await.to_string(), "close:2");
}

#[tokio::test]
async fn a_panic_costs_the_connection_and_is_told() {
    for text in ["panic", "later-panic"] {
        let mut bench = Bench::new();
        bench.send(&[text]).await;
        let metrics = Arc::clone(&bench.options.metrics);
        let reason = bench.reason().await.to_string();
        assert!(reason.starts_with("request handler panicked: planted"), "{reason}");
        assert_eq!((metrics.closed_panic.get(), metrics.connections.get()), (1, 0));
    }
}

#[tokio::test]
async fn bad_lengths_end_the_connection_with_a_reason() {
    for (length, reason) in [
        (-1, "is negative"),
        (i32::MIN, "is negative"),
        (i32::MAX, "above the limit"),
        (104_857_601, "above the limit"),
    ] {
        let mut bench = Bench::new();
        bench.peer.write_i32(length).await.unwrap();
        assert!(bench.peer.read_i32().await.is_err(), "closed");
        let metrics = Arc::clone(&bench.options.metrics);
        let got = bench.reason().await.to_string();
        assert!(got.contains(reason) && metrics.closed_bad_input.get() == 1, "{length}: {got}");
    }
}

#[tokio::test]
async fn a_frame_cut_short_is_an_orderly_end_and_gives_its_bytes_back() {
    let mut bench = Bench::new();
    bench.peer.write_all(&[0, 6, 0, 0, 1, 2, 3]).await.unwrap();
    settle().await;
    let budget = Arc::clone(&bench.options.budget);
    assert!(budget.used() > 0);
    assert!(matches!(bench.reason().await, CloseReason::PeerClosed));
    assert_eq!(budget.used(), 0);
}

#[tokio::test]
async fn requests_hold_their_bytes_until_they_are_answered() {
    let mut bench = Bench::new();
    bench.send(&["pipe:1", "pipe:2"]).await;
    assert_eq!(bench.options.budget.used(), 12);
    bench.release("pipe:1").await;
    assert_eq!(bench.options.budget.used(), 6);
}

#[tokio::test]
async fn file_ranges_are_copied_where_sendfile_is_impossible() {
    let mut bench = Bench::new();
    bench.send(&["file:300000", "echo:next"]).await;
    let len = bench.peer.read_i32().await.unwrap() as usize;
    let mut bytes = vec![0; len];
    bench.peer.read_exact(&mut bytes).await.unwrap();
    assert_eq!(len, 300_000);
    assert!(bytes.iter().enumerate().all(|(index, byte)| *byte == (index + 5) as u8));
    assert_eq!(bench.receive().await, "echo:next");
}

#[tokio::test]
async fn a_file_shorter_than_promised_ends_the_connection() {
    let mut bench = Bench::new();
    bench.send(&["file:1000000"]).await;
    let mut sent = Vec::new();
    bench.peer.read_to_end(&mut sent).await.unwrap();
    let reason = bench.reason().await.to_string();
    assert!(reason.contains("file ends before the promised"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_and_one_that_waits_for_its_answer_does_not() {
    let (mut idle, mut busy) = (Bench::new(), Bench::new());
    idle.send(&["echo:1"]).await;
    busy.send(&["wait:1"]).await;
    tokio::time::sleep(Duration::from_secs(590)).await;
    assert!(!idle.end.is_finished());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(idle.end.is_finished() && !busy.end.is_finished());
    assert!(matches!(idle.reason().await, CloseReason::Idle(_)));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_in_the_middle_of_a_request_is_not_waited_for() {
    let mut bench = Bench::new();
    bench.peer.write_all(&[0, 0, 0, 9, b'x']).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(bench.end.is_finished());
    assert!(matches!(bench.reason().await, CloseReason::Stalled(_)));
}

#[tokio::test]
async fn when_the_budget_is_used_up_the_next_body_waits_for_it() {
    let options = ConnectionOptions { budget: RequestBudget::of_shares(10, 10), ..Default::default() };
    let (mut first, mut second, mut third) =
        (Bench::with(options.clone()), Bench::with(options.clone()), Bench::with(options));
    first.send(&["wait:12345"]).await;
    second.send(&["wait:second"]).await;
    assert_eq!(second.started().len(), 1, "one may overdraw");
    third.send(&["wait:third"]).await;
    assert!(third.started().is_empty());
    first.release("wait:12345").await;
    assert!(third.started().is_empty());
    second.release("wait:second").await;
    assert_eq!(third.started(), ["wait:third"]);
}

#[tokio::test(start_paused = true)]
async fn large_requests_that_trickle_in_hold_up_neither_small_ones_nor_for_long_each_other() {
    let options = ConnectionOptions { budget: RequestBudget::of_shares(1000, 100_000), ..Default::default() };
    let (mut holder, mut overdrawn) = (Bench::with(options.clone()), Bench::with(options.clone()));
    let (mut large, mut small) = (Bench::with(options.clone()), Bench::with(options));
    for slow in [&mut holder, &mut overdrawn] {
        slow.peer.write_all(&90_000_i32.to_be_bytes()).await.unwrap();
        slow.peer.write_all(&[b'x'; 70_000]).await.unwrap();
    }
    settle().await;
    large.send(&[&format!("echo:{}", "y".repeat(40_000))]).await;
    assert!(large.started().is_empty(), "it has to wait");
    small.send(&["echo:heartbeat"]).await;
    assert_eq!(small.receive().await, "echo:heartbeat");
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        for slow in [&mut holder, &mut overdrawn] {
            let _ = slow.peer.write_all(b"x").await;
        }
    }
    assert_eq!(large.started().len(), 1);
    let reason = holder.reason().await;
    assert!(matches!(reason, CloseReason::TooSlow { .. }), "{reason}");
}

#[tokio::test]
async fn a_peer_that_sends_faster_than_it_is_served_is_not_read_ahead_of() {
    let bench = Bench::new();
    let Bench { service, peer, .. } = bench;
    let (mut answers, mut requests) = tokio::io::split(peer);
    let written = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        for number in 0..200_000 {
            let frame = framed(format!("pipe:{number}").as_bytes());
            requests.write_all(&frame).await.unwrap();
            count.fetch_add(frame.len() as u64, Ordering::Relaxed);
        }
    });
    for number in 0..1000 {
        settle().await;
        let gate = service.gates.lock().unwrap().remove(&format!("pipe:{number}")).expect("started in order");
        gate.send(()).unwrap();
        settle().await;
        let mut frame = vec![0; answers.read_i32().await.unwrap() as usize];
        answers.read_exact(&mut frame).await.unwrap();
    }
    // What was answered, what the pipe between holds, and the read-ahead.
    let ahead = written.load(Ordering::Relaxed);
    assert!(ahead < 1000 * 16 + 64 * 1024 + 128 * 1024, "{ahead} bytes were taken");
}

#[tokio::test]
async fn a_busy_connection_lets_others_have_their_turn() {
    let (mut busy, mut other) = (Bench::new(), Bench::new());
    let frames: Vec<u8> = (0..4000).flat_map(|_| framed(b"slow")).collect();
    busy.peer.write_all(&frames).await.unwrap();
    other.send(&["echo:me"]).await;
    assert_eq!(other.receive().await, "echo:me");
    let started = busy.started().len();
    assert!(started < 4000, "the other one came last");
}
