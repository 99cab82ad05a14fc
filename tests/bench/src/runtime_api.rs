//! A Lambda runtime API for one process: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use anyhow::Context as _;
use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot},
    task::AbortHandle,
};

/// How long any answer may take on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_mins(2);

/// The API of one process; it ends with this.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    events: mpsc::UnboundedSender<Vec<u8>>,
    answers: mpsc::UnboundedReceiver<Answered>,
    server: AbortHandle,
}

/// What the process made of an event.
pub(crate) struct Answered {
    /// Its answer; the runtime's words where it failed.
    pub(crate) answer: Result<Value, String>,
    /// When the event was handed out.
    pub(crate) began: Instant,
    /// When the answer was here.
    pub(crate) ended: Instant,
}

struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
    asked: std::sync::Mutex<Option<oneshot::Sender<()>>>,
    began: std::sync::Mutex<Option<Instant>>,
    answers: mpsc::UnboundedSender<Answered>,
    may_take: Duration,
}

impl RuntimeApi {
    /// An API whose function has this timeout. The second half is told when the process asks for its first event: it has begun.
    pub(crate) async fn open(may_take: Duration) -> anyhow::Result<(Self, oneshot::Receiver<()>)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, for_process) = mpsc::unbounded_channel();
        let (from_process, answers) = mpsc::unbounded_channel();
        let (asked, first_asked) = oneshot::channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(for_process),
            asked: std::sync::Mutex::new(Some(asked)),
            began: std::sync::Mutex::default(),
            answers: from_process,
            may_take,
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed_to_begin))
            .with_state(shared);
        let server = tokio::spawn(async move { axum::serve(TapNoDelay(listener), router).await });
        let api = Self {
            address,
            events,
            answers,
            server: server.abort_handle(),
        };
        Ok((api, first_asked))
    }

    /// What `AWS_LAMBDA_RUNTIME_API` names.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Hands out an event.
    pub(crate) fn hand_out(&self, event: &Value) -> anyhow::Result<()> {
        Ok(self.events.send(serde_json::to_vec(event)?)?)
    }

    /// The next answer.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Answered> {
        let answer = tokio::time::timeout(PATIENCE, self.answers.recv()).await;
        answer
            .context("the function gives no answer")?
            .context("the runtime API ended")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Small answers go out at once.
struct TapNoDelay(TcpListener);

impl axum::serve::Listener for TapNoDelay {
    type Io = tokio::net::TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn next(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    if let Some(asked) = lock(&shared.asked).take() {
        let _ = asked.send(());
    }
    let Some(event) = shared.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + shared.may_take;
    let headers = [
        ("content-type", "application/json".to_owned()),
        (
            "lambda-runtime-aws-request-id",
            "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned(),
        ),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:measured".to_owned(),
        ),
    ];
    *lock(&shared.began) = Some(Instant::now());
    (headers, event).into_response()
}

async fn answered(State(shared): State<Arc<Shared>>, Path(_): Path<String>, body: Bytes) -> StatusCode {
    let answer = serde_json::from_slice(&body).map_err(|error| error.to_string());
    shared.tell(answer);
    StatusCode::ACCEPTED
}

async fn failed(State(shared): State<Arc<Shared>>, Path(_): Path<String>, body: String) -> StatusCode {
    shared.tell(Err(body));
    StatusCode::ACCEPTED
}

async fn failed_to_begin(State(shared): State<Arc<Shared>>, body: String) -> StatusCode {
    shared.tell(Err(body));
    StatusCode::ACCEPTED
}

impl Shared {
    fn tell(&self, answer: Result<Value, String>) {
        let ended = Instant::now();
        let began = lock(&self.began).take().unwrap_or(ended);
        let _ = self.answers.send(Answered { answer, began, ended });
    }
}
