//! The HTTP listener: both webhooks and a health check.

use crate::machine::Machine;
use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header::RETRY_AFTER},
    response::Response,
    routing::{any, get},
};
use bridge::{
    ports::{NotificationReader, UpdateReader},
    webhook::{Answer, WebhookMethod, WebhookRequest},
};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;

/// The largest body that is read of Telegram's; its are far smaller, and their proof is in a header.
const LARGEST_UPDATE: usize = 8 * 1024 * 1024;

/// The largest body that is read of Intercom's. Its signature is over the body, so that what is not read to its end cannot be told
/// from a forgery; nothing that Intercom sends comes near.
const LARGEST_NOTIFICATION: usize = 32 * 1024 * 1024;

/// The endpoints: `/telegram-webhook`, `/intercom-webhook`, `/healthz`.
pub fn router<T, I>(machine: Arc<Machine<T, I>>) -> Router
where
    T: UpdateReader + Clone + 'static,
    I: NotificationReader + Clone + 'static,
{
    Router::new()
        .route("/telegram-webhook", any(telegram::<T, I>))
        .route("/intercom-webhook", any(intercom::<T, I>))
        .route("/healthz", get(health::<T, I>))
        .with_state(machine)
}

/// That the program answers, and when it last heard from each vendor (milliseconds since the Unix epoch).
async fn health<T, I>(State(machine): State<Arc<Machine<T, I>>>) -> Json<Value>
where
    T: UpdateReader + Clone + 'static,
    I: NotificationReader + Clone + 'static,
{
    let heard = machine.heard();
    Json(json!({"telegram_heard_at": heard.telegram, "intercom_heard_at": heard.intercom}))
}

async fn telegram<T, I>(State(machine): State<Arc<Machine<T, I>>>, request: Request) -> Response
where
    T: UpdateReader + Clone + 'static,
    I: NotificationReader + Clone + 'static,
{
    respond(machine.telegram_webhook(&read(request, LARGEST_UPDATE).await).await)
}

async fn intercom<T, I>(State(machine): State<Arc<Machine<T, I>>>, request: Request) -> Response
where
    T: UpdateReader + Clone + 'static,
    I: NotificationReader + Clone + 'static,
{
    respond(
        machine
            .intercom_webhook(&read(request, LARGEST_NOTIFICATION).await)
            .await,
    )
}

async fn read(request: Request, largest: usize) -> WebhookRequest {
    let (parts, body) = request.into_parts();
    let method = match parts.method {
        Method::POST => WebhookMethod::Post,
        Method::HEAD => WebhookMethod::Head,
        _ => WebhookMethod::Other,
    };
    // What is too large, or broke off, is judged as an empty body: authentic or not, it can never be read.
    let body = to_bytes(body, largest).await.unwrap_or_else(|_| Bytes::new());
    WebhookRequest {
        method,
        headers: texts(&parts.headers),
        body,
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        value
            .to_str()
            .ok()
            .map(|value| (name.as_str().to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn respond(answer: Answer) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = answer.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
