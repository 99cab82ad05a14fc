//! The Bot API, as far as the bridge calls it: <https://core.telegram.org/bots/api#available-methods>.

use crate::{
    classify::{self, Broken, Effect, Rejection, Verdict},
    compose::compose,
    http::Timeouts,
    wire::Json,
};
use async_trait::async_trait;
use bridge::{
    failure::MessengerError,
    media::Media,
    ports::{Download, FlatText, Messenger, MessengerIdentity, Place, Registration, Registry, Span, SpanKind},
    rich_text::RichText,
    secrets::{SecretSource, Secrets, SecretsError},
};
use mapping::{ChatId, CustomerId, FileId, MessageId, Timestamp, TopicId};
use reqwest::{RequestBuilder, Response, StatusCode, header::RETRY_AFTER};
use serde_json::{Value, json};
use std::{error::Error, sync::Arc, time::Duration};
use tokio::time::Instant;
use unicode_segmentation::UnicodeSegmentation;

/// The kinds of update that the bridge asks Telegram for.
pub const ALLOWED_UPDATES: [&str; 4] = ["message", "edited_message", "my_chat_member", "message_reaction"];

/// How many deliveries Telegram may make at a time: each chat is a queue of its own there. What is not named stays as it was set before.
pub const MAX_CONNECTIONS: u64 = 40;

/// The longest answer that is read.
const LONGEST_ANSWER: usize = 1 << 20;

/// The longest title of a topic, in characters: <https://core.telegram.org/bots/api#createforumtopic>.
const LONGEST_TITLE: usize = 128;

/// How old the secrets may be when Telegram has refused the token in them.
const FRESH: Duration = Duration::from_secs(10);

/// A client of the Bot API.
pub struct TelegramClient {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: String,
    pub(crate) secrets: Arc<dyn SecretSource>,
    pub(crate) timeouts: Timeouts,
}

/// What Telegram knows about our webhook: <https://core.telegram.org/bots/api#webhookinfo>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookInfo {
    /// Where Telegram delivers to; empty if nothing is registered.
    pub url: String,
    /// How many updates wait.
    pub pending_updates: u64,
    /// When a delivery last failed. It stays until the webhook is registered again.
    pub last_error_at: Option<Timestamp>,
    /// How it failed.
    pub last_error: Option<String>,
    /// How many deliveries Telegram makes at a time.
    pub max_connections: Option<u64>,
    /// The kinds of update that are delivered; empty for Telegram's own choice.
    pub allowed_updates: Vec<String>,
}

impl TelegramClient {
    /// `base_url` is `https://api.telegram.org`, or that of a self-hosted server, or of a simulator.
    pub fn new(http: reqwest::Client, base_url: &str, secrets: Arc<dyn SecretSource>, timeouts: Timeouts) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self {
            http,
            base_url,
            secrets,
            timeouts,
        }
    }

    /// Has Telegram deliver to this URL, with the first of the webhook secrets as proof. Needed again after each change of the token.
    pub async fn set_webhook(&self, url: &str) -> Result<(), MessengerError> {
        let secrets = self.secrets.current().await.map_err(|error| no_secrets(&error))?;
        self.register_with(url, secrets.telegram_webhook_secrets.first()).await
    }

    /// What Telegram knows about our webhook.
    pub async fn webhook_info(&self) -> Result<WebhookInfo, MessengerError> {
        let result = self.request("getWebhookInfo", Effect::Repeatable, &json!({})).await?;
        let info = Json::new(&result);
        Ok(WebhookInfo {
            url: info.text("url").unwrap_or_default().to_owned(),
            pending_updates: info.unsigned("pending_update_count").unwrap_or_default(),
            last_error_at: info.integer("last_error_date").map(Timestamp::from_seconds),
            last_error: info.text("last_error_message").map(str::to_owned),
            max_connections: info.unsigned("max_connections"),
            allowed_updates: info
                .list("allowed_updates")
                .filter_map(Json::as_text)
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Has Telegram deliver no more; what waits, waits on.
    pub async fn delete_webhook(&self) -> Result<(), MessengerError> {
        self.request("deleteWebhook", Effect::Repeatable, &json!({}))
            .await
            .map(drop)
    }

    /// Calls a method.
    pub(crate) async fn request(&self, method: &str, effect: Effect, body: &Value) -> Result<Value, MessengerError> {
        self.request_by(method, effect, Instant::now() + self.timeouts.total, body)
            .await
    }

    async fn request_by(
        &self,
        method: &str,
        effect: Effect,
        deadline: Instant,
        body: &Value,
    ) -> Result<Value, MessengerError> {
        self.request_with(method, effect, deadline, |request| request.json(body))
            .await
    }

    /// Calls a method with any body. A token that is refused is read anew, and if it has changed, the call is made once more, in the time
    /// that is left: a refused call did not happen.
    pub(crate) async fn request_with(
        &self,
        method: &str,
        effect: Effect,
        deadline: Instant,
        body: impl Fn(RequestBuilder) -> RequestBuilder + Sync,
    ) -> Result<Value, MessengerError> {
        let body = |request| body(request).timeout(deadline.saturating_duration_since(Instant::now()));
        let secrets = self.secrets.current().await.map_err(|error| no_secrets(&error))?;
        let refused = match self.call(&secrets, method, effect, &body).await {
            Err(refused @ MessengerError::Unauthorized { .. }) => refused,
            other => return other,
        };
        match self.secrets.newer_than(FRESH).await {
            Ok(newer) if newer.telegram_bot_token != secrets.telegram_bot_token => {
                self.call(&newer, method, effect, &body).await
            }
            Ok(_) | Err(_) => Err(refused),
        }
    }

    async fn call(
        &self,
        secrets: &Secrets,
        method: &str,
        effect: Effect,
        body: &(impl Fn(RequestBuilder) -> RequestBuilder + Sync),
    ) -> Result<Value, MessengerError> {
        let token = secrets.telegram_bot_token.expose();
        let url = format!("{}/bot{token}/{method}", self.base_url);
        let request = body(self.http.post(url));
        let response = request.send().await.map_err(|error| transport(effect, error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let bytes = match read(response).await {
            Ok(bytes) => bytes,
            // The status alone says that it did not happen.
            Err(_) if status.is_client_error() => return Err(classify::foreign(effect, status.as_u16(), retry_after)),
            Err(reason) => return Err(classify::broken(effect, Broken::Underway, &reason)),
        };
        answer(effect, status, retry_after, &bytes)
    }
}

#[async_trait]
impl Messenger for TelegramClient {
    async fn identity(&self) -> Result<MessengerIdentity, MessengerError> {
        let me = self.request("getMe", Effect::Repeatable, &json!({})).await?;
        let username = Json::new(&me).text("username").map(str::to_owned);
        Ok(MessengerIdentity { username })
    }

    fn compose(&self, text: &RichText) -> Vec<FlatText> {
        compose(text)
    }

    async fn send(&self, place: Place, text: &FlatText) -> Result<MessageId, MessengerError> {
        let deadline = Instant::now() + self.timeouts.total;
        let attempt = async |place| {
            self.request_by("sendMessage", Effect::Once, deadline, &message(place, text))
                .await
        };
        let sent = match attempt(place).await {
            Err(MessengerError::MessageGone { .. }) if place.reply_to.is_some() => {
                attempt(place.answering_nothing()).await?
            }
            sent => sent?,
        };
        let id = Json::new(&sent).integer("message_id").map(MessageId);
        id.ok_or_else(|| classify::broken(Effect::Once, Broken::Underway, "no message_id in the answer"))
    }

    async fn send_media(
        &self,
        place: Place,
        media: &[Media],
        caption: Option<&FlatText>,
    ) -> Result<Vec<MessageId>, MessengerError> {
        self.upload(place, media, caption).await
    }

    async fn administrators(&self, chat: ChatId) -> Result<Vec<CustomerId>, MessengerError> {
        let body = json!({"chat_id": chat});
        let members = self.request("getChatAdministrators", Effect::Repeatable, &body).await?;
        let user = |member: Json<'_>| member.get("user")?.integer("id").map(CustomerId);
        Ok(Json::new(&members).entries().filter_map(user).collect())
    }

    async fn delete(&self, chat: ChatId, message: MessageId) -> Result<(), MessengerError> {
        let body = json!({"chat_id": chat, "message_id": message});
        self.request("deleteMessage", Effect::Once, &body).await.map(drop)
    }

    async fn download(&self, file: &FileId, most: u64) -> Result<Download, MessengerError> {
        self.fetch(file, most).await
    }

    async fn set_topic_closed(&self, chat: ChatId, topic: TopicId, closed: bool) -> Result<(), MessengerError> {
        let method = if closed { "closeForumTopic" } else { "reopenForumTopic" };
        let body = json!({"chat_id": chat, "message_thread_id": topic});
        self.request(method, Effect::Repeatable, &body).await.map(drop)
    }

    async fn create_topic(&self, chat: ChatId, title: &str) -> Result<TopicId, MessengerError> {
        let body = json!({"chat_id": chat, "name": topic_title(title)});
        let topic = self.request("createForumTopic", Effect::Once, &body).await?;
        let id = Json::new(&topic).integer("message_thread_id").map(TopicId);
        id.ok_or_else(|| classify::broken(Effect::Once, Broken::Underway, "no message_thread_id in the answer"))
    }
}

#[async_trait]
impl Registry for TelegramClient {
    async fn registration(&self) -> Result<Registration, MessengerError> {
        let info = self.webhook_info().await?;
        Ok(Registration {
            url: info.url,
            pending: info.pending_updates,
            last_error: info.last_error_at.map(|at| (at, info.last_error.unwrap_or_default())),
            updates: info.allowed_updates,
        })
    }

    fn wanted(&self) -> &[&'static str] {
        &ALLOWED_UPDATES
    }
}

/// The body of `sendMessage`.
fn message(place: Place, text: &FlatText) -> Value {
    let mut body = to(place);
    body["text"] = json!(text.text);
    if !text.spans.is_empty() {
        body["entities"] = entities(text);
    }
    body
}

/// Where a message goes. General has no thread id: Telegram would look for a topic 1 and not find it.
pub(crate) fn to(place: Place) -> Value {
    let mut body = json!({"chat_id": place.chat});
    if let Some(topic) = place.topic {
        body["message_thread_id"] = json!(topic);
    }
    if let Some(answered) = place.reply_to {
        body["reply_parameters"] = json!({"message_id": answered, "allow_sending_without_reply": true});
    }
    body
}

pub(crate) fn entities(text: &FlatText) -> Value {
    text.spans.iter().map(entity).collect()
}

fn entity(span: &Span) -> Value {
    let place = |kind: &str| json!({"type": kind, "offset": span.offset, "length": span.length});
    match &span.kind {
        SpanKind::Bold => place("bold"),
        SpanKind::Italic => place("italic"),
        SpanKind::Underline => place("underline"),
        SpanKind::Strike => place("strikethrough"),
        SpanKind::Spoiler => place("spoiler"),
        SpanKind::Code => place("code"),
        SpanKind::Pre { language } => with(place("pre"), "language", language.as_deref()),
        SpanKind::Quote { expandable: false } => place("blockquote"),
        SpanKind::Quote { expandable: true } => place("expandable_blockquote"),
        SpanKind::Link { url } => with(place("text_link"), "url", Some(url)),
    }
}

fn with(mut entity: Value, key: &str, value: Option<&str>) -> Value {
    if let Some(value) = value {
        entity[key] = json!(value);
    }
    entity
}

fn topic_title(title: &str) -> String {
    let mut length = 0;
    let fitting = title.trim().graphemes(true).take_while(|grapheme| {
        length += grapheme.encode_utf16().count();
        length <= LONGEST_TITLE
    });
    fitting.collect()
}

pub(crate) fn no_secrets(error: &SecretsError) -> MessengerError {
    classify::broken(Effect::Repeatable, Broken::BeforeSending, &error.to_string())
}

/// What an error of the HTTP client means. Its own text is never shown, for it holds the URL and so the token; only its innermost cause is.
pub(crate) fn transport(effect: Effect, error: reqwest::Error) -> MessengerError {
    let unsent = error.is_connect() || error.is_builder();
    let how = if unsent {
        Broken::BeforeSending
    } else {
        Broken::Underway
    };
    classify::broken(effect, how, &reason(error))
}

pub(crate) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let what = match &error {
        error if error.is_timeout() && error.is_connect() => return "no connection in time".into(),
        error if error.is_timeout() => return "no answer in time".into(),
        error if error.is_builder() => return "the address of the Bot API is not one".into(),
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    };
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{what}: {cause}")
}

/// Seconds; Telegram sends no dates.
pub(crate) fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reason)? {
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            return Err("the answer is too long".into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads an answer: `{"ok": true, "result": …}`, or `{"ok": false, "error_code": …, "description": …, "parameters": {…}}`.
pub(crate) fn answer(
    effect: Effect,
    status: StatusCode,
    retry_after: Option<Duration>,
    bytes: &[u8],
) -> Result<Value, MessengerError> {
    let foreign = || classify::foreign(effect, status.as_u16(), retry_after);
    let mut value: Value = serde_json::from_slice(bytes).map_err(|_| foreign())?;
    let json = Json::new(&value);
    if json.is("ok") {
        return value.get_mut("result").map(Value::take).ok_or_else(foreign);
    }
    let Some(description) = json.text("description") else {
        return Err(foreign());
    };
    let parameters = json.get("parameters");
    let code = json.integer("error_code").and_then(|code| u16::try_from(code).ok());
    let rejection = Rejection {
        code: code.unwrap_or(status.as_u16()),
        description: description.to_owned(),
        retry_after: parameters
            .and_then(|p| p.unsigned("retry_after"))
            .map(Duration::from_secs)
            .or(retry_after),
        migrate_to: parameters.and_then(|p| p.integer("migrate_to_chat_id")).map(ChatId),
    };
    match classify::rejected(effect, &rejection) {
        Verdict::AlreadySo => Ok(Value::Bool(true)),
        Verdict::Failed(error) => Err(error),
    }
}
