//! Programs at the speed of light: what a broker cannot do without, and nothing else, on one thread. They turn "near the
//! hardware's limit" into a number.
//!
//! - `produce`: takes a request off the socket, computes the CRC-32C over it, writes it to the page cache, answers.
//! - `fetch`: answers each request with bytes of a file by `sendfile`.
//! - `fsync`: as `produce`, but answers once a group fdatasync has covered the bytes.
//!
//! The replayer feeds them with the requests that it sends to brokers.

use std::collections::VecDeque;
use std::error::Error;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use clap::Parser;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use ottla_records::crc32c;
use rustix::net::SendFlags;

#[derive(Parser)]
struct Arguments {
    mode: Mode,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// The file that is written or sent
    #[arg(long)]
    file: PathBuf,
    /// Bytes of each fetch
    #[arg(long, default_value_t = 1 << 20)]
    fetch_bytes: usize,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Mode {
    Produce,
    Fetch,
    Fsync,
}

const LISTENER: Token = Token(0);
const SYNCED: Token = Token(1);
/// Tokens of connections start here.
const FIRST: usize = 2;
/// What an acknowledgement is long with everything, bytes: about that of a Produce response with one partition.
const ACK: usize = 60;
/// Fewer bytes are not asked for.
const LEAST_READ: usize = 4096;
/// The file that is synced is given room in steps of this, as a segment is.
const ROOM: u64 = 64 << 20;

struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
    filled: usize,
    /// Length of the last request: as much is asked for, so that none is read in part and moved.
    last: usize,
    outbox: VecDeque<Out>,
    /// Requests that were written and not yet handed to the syncing thread.
    unsynced: usize,
}

/// What leaves next.
enum Out {
    Bytes { bytes: Vec<u8>, sent: usize },
    File { at: u64, end: u64 },
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let file =
        Arc::new(File::options().read(true).write(true).create(true).truncate(false).open(&arguments.file)?);
    if arguments.mode == Mode::Fetch {
        file.write_all_at(&vec![7; arguments.fetch_bytes], 0)?;
    }
    let mut listener = TcpListener::bind(arguments.listen.parse()?)?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("ready {}", listener.local_addr()?);
    let (to_sync, synced) = start_syncing(&file, Waker::new(poll.registry(), SYNCED)?);
    let mut server = Server {
        mode: arguments.mode,
        fetch_bytes: arguments.fetch_bytes,
        file,
        at: 0,
        room: 0,
        connections: Vec::new(),
    };
    let mut events = Events::with_capacity(256);
    loop {
        poll.poll(&mut events, None)?;
        let mut unsynced = Vec::new();
        for event in &events {
            match event.token() {
                LISTENER => server.accept(&listener, &poll)?,
                SYNCED => {
                    for (connection, requests) in synced.try_iter().flatten() {
                        server.acknowledge_synced(connection, requests);
                    }
                }
                Token(token) => {
                    let connection = token - FIRST;
                    if !server.serve(connection)? {
                        server.close(connection)?;
                    } else if let Some(requests) = server.take_unsynced(connection) {
                        unsynced.push((connection, requests));
                    }
                }
            }
        }
        if !unsynced.is_empty() {
            to_sync.send(unsynced)?;
        }
    }
}

/// Connections, and how many of their requests wait for a sync.
type Group = Vec<(usize, usize)>;

/// A thread that syncs once for all that has come since it last did.
fn start_syncing(file: &Arc<File>, waker: Waker) -> (Sender<Group>, Receiver<Group>) {
    let (to_sync, wanted) = mpsc::channel::<Group>();
    let (done, synced) = mpsc::channel();
    let file = Arc::clone(file);
    std::thread::spawn(move || {
        while let Ok(mut group) = wanted.recv() {
            group.extend(wanted.try_iter().flatten());
            if file.sync_data().is_err() || done.send(group).is_err() || waker.wake().is_err() {
                return;
            }
        }
    });
    (to_sync, synced)
}

struct Server {
    mode: Mode,
    fetch_bytes: usize,
    file: Arc<File>,
    at: u64,
    /// Up to here it has been allocated.
    room: u64,
    connections: Vec<Option<Connection>>,
}

impl Server {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll) -> io::Result<()> {
        while let Ok((mut stream, _)) = listener.accept() {
            stream.set_nodelay(true)?;
            let token = Token(self.connections.len() + FIRST);
            poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            self.connections.push(Some(Connection {
                stream,
                inbox: Vec::new(),
                filled: 0,
                last: LEAST_READ,
                outbox: VecDeque::new(),
                unsynced: 0,
            }));
        }
        Ok(())
    }

    fn close(&mut self, connection: usize) -> io::Result<()> {
        self.connections[connection] = None;
        if self.mode != Mode::Fetch && self.connections.iter().all(Option::is_none) {
            // The turn is over. As with brokers, whose topics are deleted then, the system has nothing to write out for it during
            // the next one's, and new pages cost what new pages of a log cost.
            self.file.set_len(0)?;
            (self.at, self.room) = (0, 0);
        }
        Ok(())
    }

    fn take_unsynced(&mut self, connection: usize) -> Option<usize> {
        let connection = self.connections[connection].as_mut()?;
        Some(std::mem::take(&mut connection.unsynced)).filter(|requests| *requests > 0)
    }

    fn acknowledge_synced(&mut self, connection: usize, requests: usize) {
        if let Some(connection) = &mut self.connections[connection] {
            (0..requests).for_each(|_| connection.acknowledge());
            // Whatever does not leave now leaves when the socket has room.
            let _ = connection.flush(&self.file);
        }
    }

    /// Whether the connection goes on.
    fn serve(&mut self, index: usize) -> io::Result<bool> {
        let Some(connection) = &mut self.connections[index] else { return Ok(true) };
        loop {
            let wanted = connection.wanted();
            let end = connection.filled + wanted;
            if connection.inbox.len() < end {
                connection.inbox.resize(end, 0);
            }
            let count = match connection.stream.read(&mut connection.inbox[connection.filled..end]) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Ok(false),
            };
            connection.filled += count;
            let mut start = 0;
            while let Some(len) = frame_at(&connection.inbox[start..connection.filled]) {
                let frame = &connection.inbox[start..start + len];
                if self.mode == Mode::Fetch {
                    let head = (self.fetch_bytes as u32 + 4).to_be_bytes();
                    connection.put(&[head, [0, 0, 0, 7]].concat());
                    connection.outbox.push_back(Out::File { at: 0, end: self.fetch_bytes as u64 });
                } else {
                    std::hint::black_box(crc32c(frame));
                    if self.mode == Mode::Fsync && self.at + len as u64 > self.room {
                        self.room = self.at + len as u64 + ROOM;
                        let flags = rustix::fs::FallocateFlags::empty();
                        rustix::fs::fallocate(&self.file, flags, self.at, self.room - self.at)?;
                    }
                    self.file.write_all_at(frame, self.at)?;
                    self.at += len as u64;
                    match self.mode {
                        Mode::Fsync => connection.unsynced += 1,
                        _ => connection.acknowledge(),
                    }
                }
                start += len;
                connection.last = len;
            }
            connection.inbox.copy_within(start..connection.filled, 0);
            connection.filled -= start;
            if count < wanted {
                // The socket is empty; another call would only say so.
                break;
            }
        }
        connection.flush(&self.file)?;
        Ok(true)
    }
}

impl Connection {
    /// How much to ask for: the rest of a request that came in part, or one as long as the last.
    fn wanted(&self) -> usize {
        let len = self.inbox[..self.filled].first_chunk().map(|len| u32::from_be_bytes(*len) as usize + 4);
        len.map_or(self.last.max(LEAST_READ), |len| len.saturating_sub(self.filled).max(1))
    }

    fn acknowledge(&mut self) {
        let mut ack = [0; ACK];
        ack[..4].copy_from_slice(&(ACK as u32 - 4).to_be_bytes());
        ack[7] = 7;
        self.put(&ack);
    }

    fn put(&mut self, more: &[u8]) {
        match self.outbox.back_mut() {
            Some(Out::Bytes { bytes, .. }) => bytes.extend(more),
            _ => self.outbox.push_back(Out::Bytes { bytes: more.to_vec(), sent: 0 }),
        }
    }

    /// Sends what the socket takes.
    fn flush(&mut self, file: &File) -> io::Result<()> {
        loop {
            let file_follows = matches!(self.outbox.get(1), Some(Out::File { .. }));
            let Some(next) = self.outbox.front_mut() else { return Ok(()) };
            let sent = match next {
                Out::Bytes { bytes, sent } => {
                    // In one packet with the file's first bytes.
                    let flags = if file_follows { SendFlags::MORE } else { SendFlags::empty() };
                    rustix::net::send(&self.stream, &bytes[*sent..], flags).map_err(io::Error::from).map(
                        |count| {
                            *sent += count;
                            *sent == bytes.len()
                        },
                    )
                }
                Out::File { at, end } => {
                    let left = (*end - *at) as usize;
                    rustix::fs::sendfile(&self.stream, file, Some(at), left)
                        .map_err(Into::into)
                        .map(|_| *at == *end)
                }
            };
            match sent {
                Ok(true) => drop(self.outbox.pop_front()),
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The length of the whole frame at the start of `bytes`, if it is all there.
fn frame_at(bytes: &[u8]) -> Option<usize> {
    let len = u32::from_be_bytes(*bytes.first_chunk()?) as usize + 4;
    (bytes.len() >= len).then_some(len)
}
