//! A plain caller, and a webhook that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use simulators::{
    SimClock,
    telegram::{Bot, Place, Rights, TelegramSim, UserId},
};
use tokio::net::TcpListener;

pub(crate) const START_MS: i64 = 1_770_000_000_000;
/// The smallest bytes that pass for a picture.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0";

/// A forum with a bot in charge and a customer, and a caller with the bot's token.
pub(crate) struct World {
    pub(crate) sim: TelegramSim,
    pub(crate) clock: SimClock,
    pub(crate) bot: Bot,
    pub(crate) forum: i64,
    pub(crate) ada: UserId,
    http: reqwest::Client,
}

/// What the server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn result(&self) -> &Value {
        assert_eq!(self.status, 200, "{}", self.body);
        &self.body["result"]
    }

    pub(crate) fn message_id(&self) -> i64 {
        self.result()["message_id"].as_i64().expect("a message")
    }

    pub(crate) fn description(&self) -> &str {
        assert_eq!(self.body["error_code"], self.status, "{}", self.body);
        self.body["description"].as_str().expect("a description")
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = SimClock::manual(START_MS);
        let sim = TelegramSim::start(clock.clone()).await;
        let bot = sim.bot("Helper", "helper_bot");
        let forum = sim.supergroup("Customers", true);
        sim.promote_bot(&bot, forum, Rights::all());
        let ada = sim.user("Ada", Some("Byron"), Some("ada"));
        Self {
            sim,
            clock,
            bot,
            forum,
            ada,
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn url(&self, method: &str) -> String {
        format!("{}/bot{}/{method}", self.sim.base_url(), self.bot.token)
    }

    pub(crate) async fn try_call(&self, method: &str, params: Value) -> Result<Answer, reqwest::Error> {
        read(self.http.post(self.url(method)).json(&params).send().await?).await
    }

    pub(crate) async fn call(&self, method: &str, params: Value) -> Answer {
        self.try_call(method, params).await.expect("an answer")
    }

    pub(crate) async fn send(&self, topic: Option<i64>, text: &str) -> Answer {
        let mut params = json!({ "chat_id": self.forum, "text": text });
        if let Some(topic) = topic {
            params["message_thread_id"] = topic.into();
        }
        self.call("sendMessage", params).await
    }

    pub(crate) async fn get(&self, url: String) -> reqwest::Response {
        self.http.get(url).send().await.expect("an answer")
    }

    pub(crate) async fn form(&self, method: &str, form: Form) -> Answer {
        let sent = self
            .http
            .post(self.url(method))
            .multipart(form)
            .send()
            .await
            .expect("an answer");
        read(sent).await.expect("a readable answer")
    }

    pub(crate) async fn urlencoded(&self, method: &str, body: &str) -> Answer {
        let request = self
            .http
            .post(self.url(method))
            .header("Content-Type", "application/x-www-form-urlencoded");
        read(request.body(body.to_owned()).send().await.expect("an answer"))
            .await
            .expect("a readable answer")
    }

    /// A topic of Ada's.
    pub(crate) fn topic(&self) -> Place {
        Place::topic(self.forum, self.sim.create_topic(self.ada, self.forum, "Refund"))
    }

    /// Points the bot at a webhook, for these kinds of updates if any are named.
    pub(crate) async fn listen(&self, kinds: &[&str]) -> Webhook {
        let webhook = Webhook::start().await;
        let mut params = json!({ "url": webhook.url, "secret_token": "s3cret", "drop_pending_updates": true });
        if !kinds.is_empty() {
            params["allowed_updates"] = kinds.into();
        }
        self.call("setWebhook", params).await.result();
        webhook
    }

    /// Every update that the bot would get by asking.
    pub(crate) async fn updates(&self) -> Vec<Value> {
        self.call("getUpdates", json!({}))
            .await
            .result()
            .as_array()
            .expect("a list")
            .clone()
    }
}

async fn read(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        body: response.json().await?,
    })
}

/// A file part.
pub(crate) fn file(name: &str, mime: &str, bytes: impl Into<Vec<u8>>) -> Part {
    Part::bytes(bytes.into())
        .file_name(name.to_owned())
        .mime_str(mime)
        .expect("a MIME type")
}

/// A delivery as the webhook got it.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Delivered {
    pub(crate) fn update(&self) -> i64 {
        self.body["update_id"].as_i64().expect("an update id")
    }

    pub(crate) fn text(&self) -> &str {
        self.body["message"]["text"].as_str().unwrap_or_default()
    }
}

/// One answer of the webhook: status, `Retry-After`, body.
type Script = Arc<Mutex<VecDeque<(u16, Option<&'static str>, String)>>>;

/// A webhook that answers 200 unless it was told otherwise.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Delivered>>>,
    script: Script,
    held: Arc<Mutex<Option<String>>>,
}

impl Webhook {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/telegram-webhook", listener.local_addr().expect("an address"));
        let webhook = Self {
            url,
            got: Arc::default(),
            script: Script::default(),
            held: Arc::default(),
        };
        let app = Router::new()
            .route("/telegram-webhook", post(take))
            .with_state(webhook.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        webhook
    }

    /// The next answer that was not planned yet.
    pub(crate) fn answer(&self, status: u16, retry_after: Option<&'static str>) {
        self.answer_with(status, retry_after, "");
    }

    pub(crate) fn answer_with(&self, status: u16, retry_after: Option<&'static str>, body: &str) {
        self.script
            .lock()
            .expect("a lock")
            .push_back((status, retry_after, body.to_owned()));
    }

    /// Never answers an update with this text.
    pub(crate) fn hold(&self, text: &str) {
        *self.held.lock().expect("a lock") = Some(text.to_owned());
    }

    fn holds(&self, delivered: &Delivered) -> bool {
        self.held.lock().expect("a lock").as_deref() == Some(delivered.text())
    }

    /// What came since the last look.
    pub(crate) fn take(&self) -> Vec<Delivered> {
        std::mem::take(&mut *self.got.lock().expect("a lock"))
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.take()
            .iter()
            .map(|delivered| delivered.text().to_owned())
            .collect()
    }
}

async fn take(State(webhook): State<Webhook>, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap, String) {
    let body = serde_json::from_str(&body).expect("an update is JSON");
    let delivered = Delivered { headers, body };
    let held = webhook.holds(&delivered);
    webhook.got.lock().expect("a lock").push(delivered);
    if held {
        std::future::pending::<()>().await;
    }
    let planned = webhook.script.lock().expect("a lock").pop_front();
    let (status, retry_after, body) = planned.unwrap_or((200, None, String::new()));
    let mut headers = HeaderMap::new();
    if let Some(seconds) = retry_after {
        headers.insert("Retry-After", seconds.parse().expect("a header value"));
    }
    headers.insert("Content-Type", "application/json".parse().expect("a header value"));
    (StatusCode::from_u16(status).expect("a status"), headers, body)
}
