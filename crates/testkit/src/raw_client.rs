//! A client without a client library: one blocking connection, any bytes.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ottla_protocol::frame::{decode_response, encode_request};
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::{Request, Version};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to a broker. Requests may be sent ahead of the responses to earlier ones.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    next_correlation_id: i32,
}

impl RawClient {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)
            .unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, next_correlation_id: 0 }
    }

    /// Sends a request and waits for its response.
    pub fn call<R: Request>(&mut self, version: Version, request: &R) -> R::Response {
        let id = self.send(version, request);
        self.receive::<R>(version, id)
    }

    /// The same, with the error of a connection that ended.
    pub fn try_call<R: Request>(&mut self, version: Version, request: &R) -> io::Result<R::Response> {
        let id = self.next_id();
        self.stream.write_all(&encode(version, id, request))?;
        let frame = self.read_frame()?.ok_or(ErrorKind::UnexpectedEof)?;
        Ok(decode::<R>(version, id, frame))
    }

    /// Sends a request; returns its correlation id.
    pub fn send<R: Request>(&mut self, version: Version, request: &R) -> i32 {
        let id = self.next_id();
        self.send_bytes(&encode(version, id, request));
        id
    }

    /// Waits for the response to the request with this correlation id, which must be the next one.
    pub fn receive<R: Request>(&mut self, version: Version, correlation_id: i32) -> R::Response {
        let frame = self.read_frame().unwrap_or_else(|error| panic!("no answer to {:?}: {error}", R::KEY));
        let frame = frame
            .unwrap_or_else(|| panic!("connection closed instead of an answer to {:?} {version}", R::KEY));
        decode::<R>(version, correlation_id, frame)
    }

    /// Sends any bytes; the broker may have closed the connection already.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        match self.stream.write_all(bytes) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            Err(error) => panic!("cannot send: {error}"),
        }
    }

    /// Sends bytes with their length in front.
    pub fn send_frame(&mut self, body: &[u8]) {
        let len = i32::try_from(body.len()).unwrap();
        self.send_bytes(&[&len.to_be_bytes(), body].concat());
    }

    /// The next frame behind its length; `None` when the broker has closed the connection.
    pub fn read_frame(&mut self) -> io::Result<Option<Bytes>> {
        let mut len = [0; 4];
        match self.stream.read_exact(&mut len) {
            Ok(()) => {}
            Err(error) if is_end(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let len = usize::try_from(i32::from_be_bytes(len)).expect("a response with a negative length");
        let mut frame = Vec::new();
        Read::by_ref(&mut self.stream).take(len as u64).read_to_end(&mut frame)?;
        if frame.len() < len { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(Some(frame.into())) }
    }

    /// Waits until the broker closes the connection; returns what it sent before.
    pub fn wait_closed(mut self) -> Vec<u8> {
        let (mut rest, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return rest,
                Ok(n) => rest.extend_from_slice(&chunk[..n]),
                Err(error) if is_end(&error) => return rest,
                Err(error) => panic!("the connection is still open: {error}"),
            }
        }
    }

    /// Whether nothing has arrived so far, not even the end.
    pub fn is_silent(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Tells the broker that nothing more comes.
    pub fn finish_sending(&self) {
        // A broker that has closed already does not mind.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Runs `act` and says how long it took.
    pub fn timed<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> (T, Duration) {
        let start = Instant::now();
        let done = act(self);
        (done, start.elapsed())
    }

    fn next_id(&mut self) -> i32 {
        self.next_correlation_id += 1;
        self.next_correlation_id
    }
}

/// A request's frame, with correlation id 1.
pub fn encode_frame<R: Request>(version: Version, request: &R) -> Bytes {
    encode(version, 1, request)
}

fn encode<R: Request>(version: Version, id: i32, request: &R) -> Bytes {
    let header = RequestHeader::of::<R>(version, id, Some("testkit".into()));
    encode_request(&header, request)
        .unwrap_or_else(|error| panic!("{:?} version {version} cannot be written: {error}", R::KEY))
}

fn decode<R: Request>(version: Version, correlation_id: i32, frame: Bytes) -> R::Response {
    let (id, response) = decode_response::<R::Response>(frame, version).unwrap_or_else(|error| {
        panic!("the answer to {:?} version {version} cannot be read: {error}", R::KEY)
    });
    assert_eq!(id, correlation_id, "answers come in the order of the requests");
    response
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
    )
}
