//! The road from the vendors to the deployed API. An emulator knows its APIs by the name of their host, which no resolver knows.

use crate::scene::Scene;
use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Where the deployed API is, and who went there.
#[derive(Default)]
pub(crate) struct Road {
    http: reqwest::Client,
    to: Mutex<Option<Destination>>,
    passed: Mutex<Vec<Passage>>,
}

/// The deployed API.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Destination {
    /// Where it listens.
    endpoint: String,
    /// What it is called there.
    host: String,
}

/// One request and its answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Passage {
    path: String,
    status: u16,
    retry_after: Option<String>,
    millis: u128,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Road {
    /// From now on the road leads there.
    pub(crate) fn lead_to(&self, destination: Destination) {
        *lock(&self.to) = Some(destination);
    }

    /// Who went there so far.
    pub(crate) fn passed(&self) -> Vec<Passage> {
        lock(&self.passed).clone()
    }
}

/// Carries a request to the deployed API and its answer back.
pub(crate) async fn forward(
    State(scene): State<Arc<Scene>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let road = &scene.road;
    let Some(to) = lock(&road.to).clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let begun = Instant::now();
    let mut request = road.http.request(method, format!("{}{}", to.endpoint, uri.path()));
    for (name, value) in &headers {
        if *name != header::HOST && *name != header::CONTENT_LENGTH {
            request = request.header(name, value);
        }
    }
    let answer = request.header(header::HOST, to.host).body(body).send().await;
    let (status, retry_after) = match answer {
        Ok(answer) => (answer.status(), answer.headers().get(header::RETRY_AFTER).cloned()),
        Err(_) => (StatusCode::BAD_GATEWAY, None),
    };
    let retry_after = retry_after.and_then(|value| value.to_str().ok().map(str::to_owned));
    lock(&road.passed).push(Passage {
        path: uri.path().to_owned(),
        status: status.as_u16(),
        retry_after: retry_after.clone(),
        millis: begun.elapsed().as_millis(),
    });
    match retry_after {
        Some(after) => (status, [(header::RETRY_AFTER, after)]).into_response(),
        None => status.into_response(),
    }
}
