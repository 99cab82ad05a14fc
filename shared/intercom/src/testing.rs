//! A server that answers by a script, faults included, and shows what it was asked.

use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server does with one request.
pub(crate) enum Step {
    /// Answers.
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Answers with these bytes, and says beforehand that they are so many.
    Bytes { said: usize, bytes: Vec<u8> },
    /// Reads the request and closes the connection.
    Drop,
    /// Reads the request and never answers.
    Hang,
    /// Begins an answer and closes the connection.
    CutOff,
    /// Answers with something that is no HTTP.
    Garbage,
}

impl Step {
    pub(crate) fn json(body: &Value) -> Self {
        Self::status(200, body)
    }

    pub(crate) fn status(status: u16, body: &Value) -> Self {
        Self::Answer {
            status,
            headers: vec![],
            body: body.to_string(),
        }
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let errors = serde_json::json!([{"code": code, "message": message}]);
        Self::status(status, &serde_json::json!({"type": "error.list", "errors": errors}))
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Method and path.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        values.next().map(|(_, value)| value.as_str())
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    script: Arc<Mutex<VecDeque<Step>>>,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) async fn start(script: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            script: Arc::new(Mutex::new(script.into())),
            asked: Arc::default(),
        };
        let (script, asked) = (Arc::clone(&server.script), Arc::clone(&server.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&asked)));
            }
        });
        server
    }

    /// What was asked; every step of the script must have been taken.
    pub(crate) fn finish(&self) -> Vec<Request> {
        assert_eq!(self.script.lock().unwrap().len(), 0, "steps are left over");
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, script: Arc<Mutex<VecDeque<Step>>>, asked: Arc<Mutex<Vec<Request>>>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream).await else { return };
    asked.lock().unwrap().push(request);
    let step = script.lock().unwrap().pop_front();
    let answer = match step {
        Some(Step::Bytes { said, bytes }) => {
            let head = format!("HTTP/1.1 200 x\r\nconnection: close\r\ncontent-length: {said}\r\n\r\n");
            let _ = stream.write_all(&[head.as_bytes(), &bytes].concat()).await;
            return;
        }
        Some(Step::Answer { status, headers, body }) => {
            let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let headers = headers.collect::<Vec<_>>().concat();
            let length = body.len();
            format!("HTTP/1.1 {status} x\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        }
        Some(Step::CutOff) => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"type\": ".to_owned(),
        Some(Step::Garbage) => "\x16\x03\x01 not HTTP\r\n\r\n".to_owned(),
        Some(Step::Hang) => return std::future::pending().await,
        Some(Step::Drop) => return,
        None => "HTTP/1.1 418 unexpected\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut first = String::new();
    stream.read_line(&mut first).await.ok().filter(|read| *read > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Request {
        line: first.trim_end().trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}
