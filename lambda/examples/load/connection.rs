//! A connection that is kept from one request to the next.

use std::io::{Error, ErrorKind};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) struct Connection {
    port: u16,
    stream: Option<TcpStream>,
}

impl Connection {
    /// To a port of this machine, when the first request is sent.
    pub(super) fn to(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Sends a request; the status of the answer.
    pub(super) async fn call(&mut self, request: &[u8]) -> Result<u16, Error> {
        // A connection on which something failed, or was given up, is not used again.
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => TcpStream::connect(("127.0.0.1", self.port)).await?,
        };
        stream.write_all(request).await?;
        let mut answer = Vec::with_capacity(4096);
        loop {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let whole = parse(&answer).filter(|&(_, length, _)| answer.len() >= length);
            if let Some((status, _, closes)) = whole {
                self.stream = (!closes).then_some(stream);
                return Ok(status);
            }
        }
    }
}

/// Status and whole length of an answer, once its head is there, and whether the connection ends with it.
fn parse(answer: &[u8]) -> Option<(u16, usize, bool)> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let status = text.get(9..12)?.parse().ok()?;
    Some((status, head + 4 + length.parse::<usize>().ok()?, text.contains("connection: close")))
}
