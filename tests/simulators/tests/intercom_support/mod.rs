//! What the tests of the Intercom simulator share: a plain client, and a webhook endpoint that answers as it is told.
#![allow(dead_code, reason = "each test binary uses a part of it")]
#![expect(clippy::expect_used, reason = "a test may fail anywhere")]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    routing::any,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use simulators::{SimClock, intercom::IntercomSim};

pub(crate) const START_MS: i64 = 1_770_000_000_000;

/// A workspace and a caller of its API.
pub(crate) struct Caller {
    pub(crate) sim: IntercomSim,
    pub(crate) clock: SimClock,
    pub(crate) http: reqwest::Client,
    pub(crate) version: &'static str,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["errors"][0]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> String {
        self.body["id"].as_str().expect("an id").to_owned()
    }
}

impl Caller {
    pub(crate) async fn new() -> Self {
        let clock = SimClock::manual(START_MS);
        let sim = IntercomSim::start(clock.clone()).await;
        Self {
            sim,
            clock,
            http: reqwest::Client::new(),
            version: "2.16",
        }
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        self.http
            .request(method, format!("{}{path}", self.sim.base_url()))
            .bearer_auth(self.sim.access_token())
            .header("Intercom-Version", self.version)
            .header("Accept", "application/json")
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(&body) };
        read(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, body).await
    }

    pub(crate) async fn contact(&self, external_id: &str, name: &str) -> String {
        self.post(
            "/contacts",
            json!({"role": "user", "external_id": external_id, "name": name}),
        )
        .await
        .id()
    }

    pub(crate) async fn conversation(&self, contact: &str, body: &str) -> String {
        let made = self
            .post(
                "/conversations",
                json!({"from": {"type": "user", "id": contact}, "body": body}),
            )
            .await;
        assert_eq!(made.status, 200, "{}", made.body);
        made.body["conversation_id"]
            .as_str()
            .expect("a conversation id")
            .to_owned()
    }

    /// A contact and a conversation of theirs.
    pub(crate) async fn opened(&self) -> (String, String) {
        let contact = self.contact("telegram:1", "Ada").await;
        let conversation = self.conversation(&contact, "Hello").await;
        (contact, conversation)
    }

    pub(crate) async fn reply(&self, conversation: &str, contact: &str, body: &str) -> Answer {
        let reply = json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": body});
        self.post(&format!("/conversations/{conversation}/reply"), reply).await
    }

    pub(crate) async fn comment(&self, conversation: &str, body: &str) -> Answer {
        let admin = self.sim.own_admin();
        let reply = json!({"message_type": "comment", "type": "admin", "admin_id": admin, "body": body});
        self.post(&format!("/conversations/{conversation}/reply"), reply).await
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer {
        status,
        headers,
        body: answer.json().await.expect("JSON"),
    }
}

/// A notification as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) signature: Option<String>,
    pub(crate) user_agent: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Received {
    pub(crate) fn topic(&self) -> &str {
        self.body["topic"].as_str().unwrap_or_default()
    }

    pub(crate) fn part(&self) -> &Value {
        &self.body["data"]["item"]["conversation_parts"]["conversation_parts"][0]
    }
}

/// A webhook endpoint: answers 200, or the statuses that it was given, one after the other.
#[derive(Clone, Default)]
pub(crate) struct Endpoint(Arc<Mutex<EndpointState>>);

#[derive(Default)]
struct EndpointState {
    received: Vec<Received>,
    statuses: VecDeque<u16>,
    head_status: Option<u16>,
    delay: Duration,
}

impl Endpoint {
    /// Starts the endpoint and returns its URL.
    pub(crate) async fn start(&self) -> String {
        let router = Router::new()
            .route("/intercom-webhook", any(receive))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/intercom-webhook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    /// A caller whose workspace sends everything to this endpoint; the first ping is taken already.
    pub(crate) async fn subscribed(&self, topics: &[&str]) -> Caller {
        let caller = Caller::new().await;
        caller
            .sim
            .subscribe_to(&self.start().await, topics)
            .await
            .expect("a subscription");
        caller.sim.pump().await;
        assert_eq!(
            self.take().first().map(|ping| ping.topic().to_owned()),
            Some("ping".to_owned())
        );
        caller
    }

    pub(crate) fn answers(&self, statuses: &[u16]) {
        self.0.lock().expect("no panic").statuses.extend(statuses);
    }

    pub(crate) fn answers_head(&self, status: u16) {
        self.0.lock().expect("no panic").head_status = Some(status);
    }

    pub(crate) fn is_slow(&self, delay: Duration) {
        self.0.lock().expect("no panic").delay = delay;
    }

    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.0.lock().expect("no panic").received)
    }
}

async fn receive(State(endpoint): State<Endpoint>, method: Method, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let (status, delay) = {
        let mut state = endpoint.0.lock().expect("no panic");
        if method == Method::HEAD {
            return StatusCode::from_u16(state.head_status.unwrap_or(200)).expect("a status");
        }
        state.received.push(Received {
            signature: header("x-hub-signature"),
            user_agent: header("user-agent").unwrap_or_default(),
            raw: body.to_vec(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        (state.statuses.pop_front().unwrap_or(200), state.delay)
    };
    tokio::time::sleep(delay).await;
    StatusCode::from_u16(status).expect("a status")
}
