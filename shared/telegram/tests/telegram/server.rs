//! A server that answers as a test tells it to, down to the byte.

use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does with a request that it has read.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers: status line and headers, then the body.
    Answer {
        status: &'static str,
        headers: String,
        body: String,
    },
    /// Writes these bytes, and closes.
    Raw(Vec<u8>),
    /// Closes without a word.
    Close,
    /// Does nothing until the client has gone.
    Hang,
}

/// A request: its path and its JSON body, or the text of its form.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) body: Value,
}

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Act {
    pub(crate) fn json(status: &'static str, body: &Value) -> Self {
        Self::Answer {
            status,
            headers: String::new(),
            body: body.to_string(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Answer { status, headers, body } => {
                let head = format!(
                    "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
                    body.len()
                );
                (head + body).into_bytes()
            }
            Self::Raw(bytes) => bytes.clone(),
            Self::Close | Self::Hang => Vec::new(),
        }
    }
}

impl Server {
    /// Does one act for each connection, and the last one for all that follow.
    pub(crate) async fn doing(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut served = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let act = acts.get(served).or(acts.last()).cloned().unwrap_or(Act::Close);
                served += 1;
                serve(stream, &act, &log).await;
            }
        });
        Self { url, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, act: &Act, log: &Mutex<Vec<Seen>>) {
    let Some(seen) = request(&mut stream).await else { return };
    log.lock().unwrap().push(seen);
    if matches!(act, Act::Hang) {
        let _ = stream.read(&mut [0]).await;
        return;
    }
    let _ = stream.write_all(&act.bytes()).await;
    let _ = stream.shutdown().await;
}

async fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    loop {
        if let Some(seen) = parsed(&bytes) {
            return Some(seen);
        }
        let mut chunk = [0; 4_096];
        match stream.read(&mut chunk).await {
            Ok(read @ 1..) => bytes.extend_from_slice(&chunk[..read]),
            Ok(_) | Err(_) => return None,
        }
    }
}

fn parsed(bytes: &[u8]) -> Option<Seen> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let path = head.split(' ').nth(1)?.to_owned();
    let body = if head.starts_with("GET ") {
        Value::Null
    } else if head.contains("multipart/form-data") {
        body.ends_with("--\r\n").then(|| Value::from(body))?
    } else {
        serde_json::from_str(body).ok()?
    };
    Some(Seen { path, body })
}
