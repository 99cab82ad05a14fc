//! The HTTP side: paths, answers, and faults.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::{
    args::Raw,
    call::{self, Pending},
    refusal::Refusal,
    sim::Shared,
    table,
};
use crate::Fault;

/// Room for one file of 50 MB and the parts around it.
const LARGEST_BODY: usize = 64 << 20;

pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let app = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(shared);
    // Ends with the task that it runs in.
    drop(axum::serve(listener, app).await);
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    if let Some((token, file)) = path.strip_prefix("/file/bot").and_then(|rest| rest.split_once('/')) {
        return download(&shared, token, file).await;
    }
    let Some((token, method)) = path.strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return refused(&Refusal::new(404, "Not Found"));
    };
    let name = table::method_name(method).unwrap_or(method).to_owned();
    let raw = Raw::read(request).await;
    let fault = shared.faults.strike(&name);
    let call = Pending {
        token: token.to_owned(),
        method: name,
        raw,
        fault,
    };
    match call.fault.clone() {
        None => answered(shared.perform(call)),
        Some(fault) => faulty(shared, call, fault).await,
    }
}

async fn faulty(shared: Arc<Shared>, call: Pending, fault: Fault) -> Response {
    match fault {
        Fault::Refuse(status) => ignored(&shared, call, &Refusal::of_status(status)),
        Fault::TooManyRequests(wait) => {
            let seconds = i64::try_from(wait.as_secs()).unwrap_or(i64::MAX);
            ignored(&shared, call, &Refusal::too_many(seconds))
        }
        Fault::FailAfter(status) => {
            drop(shared.perform(call));
            refused(&Refusal::of_status(status))
        }
        Fault::LoseAnswer => {
            drop(shared.perform(call));
            cut()
        }
        Fault::CutBefore => {
            shared.note_ignored(call, None);
            cut()
        }
        Fault::Hang => {
            shared.note_ignored(call, None);
            std::future::pending().await
        }
        Fault::CommitLate => {
            let _late = Late {
                shared,
                call: Some(call),
            };
            std::future::pending().await
        }
        Fault::Slow(time) => {
            let result = shared.perform(call);
            tokio::time::sleep(time).await;
            answered(result)
        }
        Fault::Garble => {
            drop(shared.perform(call));
            json_response(StatusCode::OK, "{\"ok\":true,\"result\":{\"mess".to_owned())
        }
    }
}

/// Does the work of a call when the connection is dropped, which is when the caller has given up.
struct Late {
    shared: Arc<Shared>,
    call: Option<Pending>,
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            drop(self.shared.perform(call));
        }
        self.shared.faults.committed();
    }
}

fn ignored(shared: &Shared, call: Pending, refusal: &Refusal) -> Response {
    shared.note_ignored(call, Some(refusal));
    if shared.world().unsettled.front_end_speaks_json {
        return in_json(refusal);
    }
    refused(refusal)
}

/// Closes the TCP connection without an answer: unwinding ends the task that owns the connection, and nothing but that task.
fn cut() -> Response {
    std::panic::resume_unwind(Box::new("the connection is cut"))
}

fn answered(result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(body) => json_response(StatusCode::OK, body.to_string()),
        Err(refusal) => refused(&refusal),
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if matches!(refusal.code, 502 | 504) {
        // These come from the front end, which knows no JSON.
        let page = format!(
            "<html><body><h1>{} {}</h1></body></html>",
            refusal.code, refusal.description
        );
        return (status, [(CONTENT_TYPE, "text/html")], page).into_response();
    }
    in_json(refusal)
}

fn in_json(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json_response(status, refusal.body().to_string());
    if let Some(seconds) = refusal.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn json_response(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

async fn download(shared: &Shared, token: &str, path: &str) -> Response {
    match shared.faults.strike("file") {
        None => {}
        Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::CommitLate) => {
            shared.faults.committed();
            return std::future::pending().await;
        }
        Some(Fault::LoseAnswer | Fault::CutBefore | Fault::Garble) => return cut(),
        Some(Fault::TooManyRequests(wait)) => {
            return refused(&Refusal::too_many(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)));
        }
        Some(Fault::Refuse(status) | Fault::FailAfter(status)) => return refused(&Refusal::of_status(status)),
    }
    let now_ms = shared.clock.now_ms();
    let world = shared.world();
    if let Err(refusal) = call::authorised(&world, token) {
        return refused(&refusal);
    }
    match world
        .files
        .values()
        .find(|file| file.path == path && file.is_linked(now_ms))
    {
        Some(file) => (
            [(CONTENT_TYPE, "application/octet-stream")],
            Body::from(file.bytes.clone()),
        )
            .into_response(),
        None => refused(&Refusal::new(404, "Not Found")),
    }
}
