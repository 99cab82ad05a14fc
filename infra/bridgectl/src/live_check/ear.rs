//! Where the vendors deliver while a check runs: it keeps what comes, and refuses what it is told to refuse, once.

use anyhow::Context as _;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header::RETRY_AFTER},
    response::Response,
    routing::any,
};
use bridge::webhook::{WebhookMethod, WebhookRequest};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, sync::Notify, task::AbortHandle};

/// The largest body that is read.
const LARGEST: usize = 32 << 20;

/// Something that a vendor delivered.
#[derive(Clone)]
pub(super) struct Heard {
    /// When.
    pub(super) at: Instant,
    /// At which path.
    pub(super) path: String,
    /// As it came.
    pub(super) request: WebhookRequest,
    /// Its body; null if that is no JSON.
    pub(super) body: Value,
}

impl Heard {
    /// Whether its body has these words in it.
    pub(super) fn has(&self, words: &str) -> bool {
        let text = std::str::from_utf8(&self.request.body).unwrap_or_default();
        text.contains(words)
    }
}

/// The listener; it ends when this is dropped.
pub(super) struct Ear {
    state: Arc<Ears>,
    url: String,
    server: AbortHandle,
}

#[derive(Default)]
struct Ears {
    heard: Mutex<Vec<Heard>>,
    refuses: Mutex<Option<Refused>>,
    came: Notify,
}

/// What is refused the next time that it comes.
struct Refused {
    words: String,
    retry_after: Option<Duration>,
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Ear {
    /// Listens; the vendors reach it under this URL.
    pub(super) async fn open(listen: SocketAddr, url: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).await;
        let listener = listener.with_context(|| format!("--listen: nobody can listen at {listen}"))?;
        let state = Arc::new(Ears::default());
        let router = Router::new()
            .route("/{*path}", any(take))
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            state,
            url: url.trim_end_matches('/').to_owned(),
            server: server.abort_handle(),
        })
    }

    /// The URL of a path of it.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Answers 503 when these words come next, with this time in `Retry-After`.
    pub(super) fn refuse_once(&self, words: &str, retry_after: Option<Duration>) {
        *lock(&self.state.refuses) = Some(Refused {
            words: words.to_owned(),
            retry_after,
        });
    }

    /// Everything that was delivered so far, and is as asked.
    pub(super) fn all(&self, is_it: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        lock(&self.state.heard)
            .iter()
            .filter(|heard| is_it(heard))
            .cloned()
            .collect()
    }

    /// Waits until so many were delivered that are as asked, at most this long; those that were.
    pub(super) async fn wait_for(&self, count: usize, limit: Duration, is_it: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        let give_up = tokio::time::Instant::now() + limit;
        loop {
            let came = self.state.came.notified();
            let found = self.all(&is_it);
            if found.len() >= count || tokio::time::timeout_at(give_up, came).await.is_err() {
                return found;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(state): State<Arc<Ears>>, request: Request) -> Response {
    let at = Instant::now();
    let (parts, body) = request.into_parts();
    if parts.method == Method::HEAD {
        return answer(StatusCode::OK, None);
    }
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let text = |name: &axum::http::HeaderName, value: &axum::http::HeaderValue| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let headers = parts.headers.iter().map(|(name, value)| text(name, value)).collect();
    let heard = Heard {
        at,
        path: parts.uri.path().to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        request: WebhookRequest {
            method: WebhookMethod::Post,
            headers,
            body,
        },
    };
    let refused = lock(&state.refuses).take_if(|refused| heard.has(&refused.words));
    lock(&state.heard).push(heard);
    state.came.notify_waiters();
    match refused {
        Some(refused) => answer(StatusCode::SERVICE_UNAVAILABLE, refused.retry_after),
        None => answer(StatusCode::OK, None),
    }
}

fn answer(status: StatusCode, retry_after: Option<Duration>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Some(after) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, after.as_secs().into());
    }
    response
}
