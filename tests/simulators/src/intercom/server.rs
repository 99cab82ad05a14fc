//! The HTTP side: connections, authorisation, limits, faults.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, request::Parts},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

use super::{
    answer::{Answer, Refusal},
    call::{Call, Request, without_data},
    links,
    model::{Upload, World},
    schema,
};
use crate::{Fault, Faults, SimClock};

/// The REST versions that the simulator knows.
const VERSIONS: &[&str] = &["2.14", "2.15", "2.16", "2.17"];
const MOST_BYTES: usize = 256 << 20;

/// What the server, the webhooks and the handle share.
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) clock: SimClock,
    pub(super) faults: Faults,
    pub(super) http: reqwest::Client,
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection cut")
    }
}

impl std::error::Error for Cut {}

/// A request as it arrived.
struct Arrived {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    bytes: Vec<u8>,
    fetched: Vec<Option<Upload>>,
}

/// Answers connections until the task is dropped.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let shared = Arc::clone(&shared);
                async move {
                    let (parts, body) = request.into_parts();
                    let bytes = to_bytes(Body::new(body), MOST_BYTES).await.map_err(|_| Cut)?;
                    respond(shared, Arrived::new(parts, bytes.to_vec())).await
                }
            });
            // A connection that was cut on purpose ends with an error; there is nobody to tell.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Arrived {
    fn new(parts: Parts, bytes: Vec<u8>) -> Self {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                schema::percent_decoded(name),
                schema::percent_decoded(&value.replace('+', " ")),
            )
        };
        let query = parts.uri.query().unwrap_or_default();
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query.split('&').filter(|one| !one.is_empty()).map(pair).collect(),
            headers: parts.headers,
            bytes,
            fetched: Vec::new(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    fn body(&self) -> Option<Value> {
        if self.bytes.is_empty() {
            Some(Value::Null)
        } else {
            serde_json::from_slice(&self.bytes).ok()
        }
    }

    /// The name that calls and faults go by.
    fn name(&self) -> String {
        if self.path.starts_with(links::PREFIX) {
            return format!("{} {}{{id}}", self.method, links::PREFIX);
        }
        let route = schema::route(&self.method, &self.path);
        route.map_or_else(
            || format!("{} {}", self.method, self.path),
            |(name, ..)| name.to_owned(),
        )
    }
}

async fn respond(shared: Arc<Shared>, mut arrived: Arrived) -> Result<Response<Body>, Cut> {
    let name = arrived.name();
    let fault = shared.faults.strike(&name);
    let call = shared.record(&name, &arrived);
    if !matches!(
        fault,
        Some(Fault::Refuse(_) | Fault::TooManyRequests(_) | Fault::CutBefore | Fault::Hang)
    ) {
        arrived.fetched = shared.fetch(&arrived).await;
    }
    let mut answer = match fault {
        None => shared.work(&arrived).await,
        Some(Fault::Refuse(status)) => Answer::failure(status),
        Some(Fault::TooManyRequests(wait)) => shared.too_many(wait),
        Some(Fault::FailAfter(status)) => {
            shared.work(&arrived).await;
            Answer::failure(status)
        }
        Some(Fault::LoseAnswer) => {
            shared.work(&arrived).await;
            return Err(Cut);
        }
        Some(Fault::CutBefore) => return Err(Cut),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::CommitLate) => {
            let _late = CommitWhenDropped {
                shared: Arc::clone(&shared),
                arrived,
            };
            std::future::pending().await
        }
        Some(Fault::Slow(wait)) => {
            let answer = shared.work(&arrived).await;
            tokio::time::sleep(wait).await;
            answer
        }
        Some(Fault::Garble) => {
            let answer = shared.work(&arrived).await;
            Answer {
                status: 200,
                body: b"<html><body>502</body></html>".to_vec(),
                ..answer
            }
        }
    };
    if let Some(call) = shared.world().calls.get_mut(call) {
        call.status = Some(answer.status);
    }
    answer.headers.push(("date", shared.date()));
    Ok(answer.into_response())
}

/// Does the work when the client has gone away: hyper drops the request's future then.
struct CommitWhenDropped {
    shared: Arc<Shared>,
    arrived: Arrived,
}

impl Drop for CommitWhenDropped {
    fn drop(&mut self) {
        self.shared.world().answer(&self.arrived);
        self.shared.faults.committed();
    }
}

impl Shared {
    pub(super) fn new(world: World, faults: Faults, http: reqwest::Client) -> Self {
        Self {
            clock: world.clock.clone(),
            world: Mutex::new(world),
            faults,
            http,
        }
    }

    /// The workspace as it is now: snoozes that are over have ended.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.wake_up();
        world
    }

    /// The time that this server lives in, as HTTP writes it.
    fn date(&self) -> String {
        let since = Duration::from_millis(u64::try_from(self.clock.now_ms()).unwrap_or_default());
        httpdate::fmt_http_date(UNIX_EPOCH + since)
    }

    fn record(&self, name: &str, arrived: &Arrived) -> usize {
        let ids = schema::route(&arrived.method, &arrived.path)
            .map(|(_, _, ids)| ids)
            .unwrap_or_default();
        let body = without_data(&arrived.body().unwrap_or_default());
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let headers = arrived.headers.iter().map(header).collect();
        let mut world = self.world();
        world.calls.push(Call {
            name: name.to_owned(),
            ids,
            status: None,
            headers,
            body,
            at_ms: self.clock.now_ms(),
        });
        world.calls.len() - 1
    }

    async fn work(&self, arrived: &Arrived) -> Answer {
        let (answer, notify_after) = {
            let mut world = self.world();
            let serial = world.outbox.serial;
            let answer = world.answer(arrived);
            (answer, world.options.notify_before_answer.then_some(serial))
        };
        if let Some(serial) = notify_after {
            self.deliver(serial).await;
        }
        answer
    }

    fn too_many(&self, wait: Duration) -> Answer {
        let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
        let world = self.world();
        world.too_many(self.clock.now_s().saturating_add(seconds))
    }

    /// Gets what is behind `attachment_urls`, as Intercom does itself.
    async fn fetch(&self, arrived: &Arrived) -> Vec<Option<Upload>> {
        let body = arrived.body().unwrap_or_default();
        let urls = body
            .get("attachment_urls")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let mut fetched = Vec::new();
        for url in urls.iter().filter_map(Value::as_str) {
            fetched.push(self.fetch_image(url).await);
        }
        fetched
    }

    async fn fetch_image(&self, url: &str) -> Option<Upload> {
        let answer = self.http.get(url).timeout(Duration::from_secs(10)).send().await.ok()?;
        let content_type = answer.headers().get("content-type")?.to_str().ok()?.to_owned();
        if !answer.status().is_success() || !content_type.starts_with("image/") {
            return None;
        }
        let name = answer.url().path_segments()?.next_back()?.to_owned();
        Some(Upload {
            name,
            content_type,
            bytes: answer.bytes().await.ok()?.to_vec(),
            stated_size: None,
        })
    }
}

impl World {
    /// Answers a request and notes it if it was wrong.
    fn answer(&mut self, arrived: &Arrived) -> Answer {
        if arrived.path.starts_with(links::PREFIX) {
            return links::download(self, &arrived.path, &arrived.query);
        }
        if let Err(refusal) = self.authorise(arrived) {
            return self.refuse(arrived, refusal);
        }
        let now = self.clock.now_s();
        let length = self.options.window_s.max(1);
        let window = now.div_euclid(length);
        if self.window.0 != window {
            self.window = (window, 0);
        }
        self.window.1 += 1;
        let reset = (window + 1) * length;
        if self.window.1 > self.options.calls_per_window {
            return self.too_many(reset);
        }
        let mut answer = match self.try_answer(arrived) {
            Ok(body) => Answer::json(200, &body),
            Err(refusal) => self.refuse(arrived, refusal),
        };
        let remaining = self.options.calls_per_window - self.window.1;
        answer.headers.extend(self.limits(remaining, reset));
        answer
    }

    fn refuse(&mut self, arrived: &Arrived, refusal: Refusal) -> Answer {
        if refusal.is_violation {
            self.violations
                .push(format!("{}: {} ({})", arrived.name(), refusal.message, refusal.code));
        }
        refusal.into()
    }

    fn authorise(&self, arrived: &Arrived) -> Result<(), Refusal> {
        match arrived.header("authorization").strip_prefix("Bearer ") {
            None => Err(Refusal::new(401, "missing_authorization", "Authorization header is missing").violation()),
            Some(token) if token != self.workspace.access_token => {
                Err(Refusal::new(401, "unauthorized", "Access Token Invalid"))
            }
            Some(_) => Ok(()),
        }
    }

    fn try_answer(&mut self, arrived: &Arrived) -> Result<Value, Refusal> {
        let version = arrived.header("intercom-version");
        if !VERSIONS.contains(&version) {
            let message = "The requested version is invalid or not supported";
            return Err(Refusal::new(400, "intercom_version_invalid", message).violation());
        }
        if !arrived.header("accept").contains("application/json") {
            return Err(Refusal::new(406, "media_type_not_acceptable", "Accept must be application/json").violation());
        }
        if !arrived.bytes.is_empty() && !arrived.header("content-type").starts_with("application/json") {
            return Err(
                Refusal::new(415, "media_type_not_supported", "Content-Type must be application/json").violation(),
            );
        }
        let (name, operation, ids) =
            schema::route(&arrived.method, &arrived.path).ok_or_else(|| Refusal::not_found().violation())?;
        self.check_scope(name)?;
        let body = arrived.body();
        let body = body.ok_or_else(|| Refusal::new(400, "bad_request", "The body is not JSON").violation())?;
        operation.check(&ids, &arrived.query, &body)?;
        self.perform(&Request {
            name,
            ids,
            query: arrived.query.clone(),
            body,
            version: version.to_owned(),
            fetched: arrived.fetched.clone(),
        })
    }

    fn limits(&self, remaining: u32, reset: i64) -> [(&'static str, String); 3] {
        [
            ("x-ratelimit-limit", self.options.calls_per_window.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
        ]
    }

    fn too_many(&self, reset: i64) -> Answer {
        let message = format!(
            "Exceeded rate limit of {} in {}_seconds",
            self.options.calls_per_window, self.options.window_s
        );
        let mut answer = Answer::from(Refusal::new(429, "rate_limit_exceeded", message));
        answer.headers.extend(self.limits(0, reset));
        answer
    }
}
