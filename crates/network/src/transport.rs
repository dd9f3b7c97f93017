//! What a connection runs over: TCP with `sendfile`, or anything that reads and writes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, Interest};
use tokio::net::TcpStream;

/// A byte stream with two optional shortcuts. The defaults fit any stream (TLS, in-memory).
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Sends from `pieces`, returns how many bytes. `more` says that further bytes follow at once.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        let _ = more;
        Pin::new(self).poll_write_vectored(cx, pieces)
    }

    /// Sends up to `len` bytes of `file` without copying them through this process; `None` if it cannot.
    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &std::fs::File,
        position: u64,
        len: usize,
    ) -> Poll<io::Result<Option<usize>>> {
        let _ = (cx, file, position, len);
        Poll::Ready(Ok(None))
    }
}

impl Transport for DuplexStream {}

impl Transport for TcpStream {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
        more: bool,
    ) -> Poll<io::Result<usize>> {
        if !more {
            return Pin::new(self).poll_write_vectored(cx, pieces);
        }
        // Without MSG_MORE the head of a reply would leave as a packet of its own, before the file's first bytes.
        poll_try(self, cx, || {
            let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
            Ok(sendmsg(&*self, pieces, &mut SendAncillaryBuffer::default(), flags)?)
        })
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &std::fs::File,
        position: u64,
        len: usize,
    ) -> Poll<io::Result<Option<usize>>> {
        let sent = ready!(poll_try(self, cx, || {
            let mut offset = position;
            Ok(rustix::fs::sendfile(&*self, file, Some(&mut offset), len)?)
        }));
        Poll::Ready(sent.map(Some))
    }
}

/// Runs `send` when the socket takes bytes, until it does not answer "would block".
fn poll_try(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    mut send: impl FnMut() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(Interest::WRITABLE, &mut send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return Poll::Ready(result),
        }
    }
}
