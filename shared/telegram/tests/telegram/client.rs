//! Calls over real HTTP: what is sent, how long to wait, and when the token is read anew.

use crate::server::{Act, Server};
use async_trait::async_trait;
use bridge::{
    failure::MessengerError,
    ports::{FlatText, Messenger, Place, Span, SpanKind},
    secrets::{FixedSecrets, Secret, SecretSource, Secrets, SecretsError},
};
use mapping::{ChatId, CustomerId, MessageId, TopicId};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use telegram::{ALLOWED_UPDATES, MAX_CONNECTIONS, TelegramClient, Timeouts, http_client};

pub(crate) const TOKEN: &str = "7000001:AAtoken_of_nobody-0123456789abcdef";
pub(crate) const CHAT: ChatId = ChatId(-1_001_234_567_890);

fn secrets(token: &str) -> Secrets {
    Secrets {
        telegram_bot_token: Secret::new(token),
        telegram_webhook_secrets: vec![Secret::new("hook_now"), Secret::new("hook_old")],
        intercom_access_token: Secret::new("x"),
        intercom_client_secrets: vec![Secret::new("x")],
    }
}

fn client_with(url: &str, secrets: Arc<dyn SecretSource>) -> TelegramClient {
    let timeouts = Timeouts {
        connect: Duration::from_millis(300),
        total: Duration::from_millis(600),
        file: Duration::from_millis(600),
    };
    TelegramClient::new(http_client(timeouts).unwrap(), url, secrets, timeouts)
}

pub(crate) fn client(url: &str) -> TelegramClient {
    client_with(url, Arc::new(FixedSecrets::new(secrets(TOKEN)).unwrap()))
}

pub(crate) fn in_topic() -> Place {
    Place {
        chat: CHAT,
        topic: Some(TopicId(7)),
        reply_to: None,
    }
}

pub(crate) fn text(text: &str) -> FlatText {
    FlatText {
        text: text.into(),
        spans: vec![],
    }
}

fn ok(result: &Value) -> Act {
    Act::json("200 OK", &json!({"ok": true, "result": result}))
}

pub(crate) fn error(status: &'static str, code: u16, description: &str, parameters: &Value) -> Act {
    Act::json(
        status,
        &json!({"ok": false, "error_code": code, "description": description, "parameters": parameters}),
    )
}

#[tokio::test]
async fn a_message_is_sent_with_its_entities_and_where_it_belongs() {
    let server = Server::doing(vec![ok(&json!({"message_id": 99}))]).await;
    let client = client(&server.url);
    let spans = vec![
        Span {
            offset: 0,
            length: 2,
            kind: SpanKind::Bold,
        },
        Span {
            offset: 3,
            length: 1,
            kind: SpanKind::Link {
                url: "https://a.example".into(),
            },
        },
        Span {
            offset: 5,
            length: 1,
            kind: SpanKind::Pre {
                language: Some("rust".into()),
            },
        },
        Span {
            offset: 7,
            length: 1,
            kind: SpanKind::Pre { language: None },
        },
        Span {
            offset: 9,
            length: 1,
            kind: SpanKind::Quote { expandable: true },
        },
    ];
    let place = Place {
        reply_to: Some(MessageId(40)),
        ..in_topic()
    };
    let sent = client
        .send(
            place,
            &FlatText {
                text: "hi a b c d".into(),
                spans,
            },
        )
        .await;
    assert_eq!(sent, Ok(MessageId(99)));
    let plain = Place {
        chat: CHAT,
        topic: None,
        reply_to: None,
    };
    client.send(plain, &text("hi")).await.unwrap();

    let seen = server.seen();
    assert_eq!(seen[0].path, format!("/bot{TOKEN}/sendMessage"));
    let expected = json!({
        "chat_id": CHAT.0, "message_thread_id": 7, "text": "hi a b c d",
        "reply_parameters": {"message_id": 40, "allow_sending_without_reply": true},
        "entities": [
            {"type": "bold", "offset": 0, "length": 2},
            {"type": "text_link", "offset": 3, "length": 1, "url": "https://a.example"},
            {"type": "pre", "offset": 5, "length": 1, "language": "rust"},
            {"type": "pre", "offset": 7, "length": 1},
            {"type": "expandable_blockquote", "offset": 9, "length": 1},
        ],
    });
    assert_eq!(seen[0].body, expected);
    assert_eq!(seen[1].body, json!({"chat_id": CHAT.0, "text": "hi"}));
}

/// Telegram lets a message go without what it answers, but not where that stood in another topic.
#[tokio::test]
async fn an_answer_to_a_message_that_is_gone_is_sent_all_the_same() {
    let gone = error(
        "400 Bad Request",
        400,
        "Bad Request: message to be replied not found",
        &json!({}),
    );
    let server = Server::doing(vec![gone, ok(&json!({"message_id": 99}))]).await;
    let place = Place {
        reply_to: Some(MessageId(40)),
        ..in_topic()
    };
    assert_eq!(client(&server.url).send(place, &text("hi")).await, Ok(MessageId(99)));
    let seen = server.seen();
    assert!(seen[0].body.get("reply_parameters").is_some());
    let expected = json!({"chat_id": CHAT.0, "message_thread_id": 7, "text": "hi"});
    assert_eq!(seen[1].body, expected);
}

#[tokio::test]
async fn the_other_methods_ask_for_what_they_need() {
    let admins = json!([{"user": {"id": 5}, "status": "creator"}, {"user": {}}, {"user": {"id": 6}}]);
    let info = json!({"url": "https://b.example/hook", "pending_update_count": 3, "last_error_date": 100,
        "last_error_message": "Read timeout expired", "allowed_updates": ["message"], "max_connections": 40});
    let acts = [
        json!({"id": 7, "username": "our_bot"}),
        admins,
        json!(true),
        json!({"message_thread_id": 12, "name": "T"}),
        json!(true),
        info,
        json!(true),
    ];
    let server = Server::doing(acts.iter().map(ok).collect()).await;
    let client = client(&format!("{}/", server.url));
    assert_eq!(client.identity().await.unwrap().username.as_deref(), Some("our_bot"));
    assert_eq!(
        client.administrators(CHAT).await.unwrap(),
        [CustomerId(5), CustomerId(6)]
    );
    client.delete(CHAT, MessageId(3)).await.unwrap();
    assert_eq!(client.create_topic(CHAT, &"👍".repeat(100)).await.unwrap(), TopicId(12));
    client.set_webhook("https://b.example/hook").await.unwrap();
    let info = client.webhook_info().await.unwrap();
    assert_eq!(
        (info.pending_updates, info.last_error.as_deref()),
        (3, Some("Read timeout expired"))
    );
    client.delete_webhook().await.unwrap();

    let seen = server.seen();
    let methods = seen
        .iter()
        .map(|seen| seen.path.rsplit('/').next().unwrap())
        .collect::<Vec<_>>();
    let expected = [
        "getMe",
        "getChatAdministrators",
        "deleteMessage",
        "createForumTopic",
        "setWebhook",
        "getWebhookInfo",
        "deleteWebhook",
    ];
    assert_eq!(methods, expected);
    assert_eq!(seen[2].body, json!({"chat_id": CHAT.0, "message_id": 3}));
    assert_eq!(seen[3].body, json!({"chat_id": CHAT.0, "name": "👍".repeat(64)}));
    let hook = json!({"url": "https://b.example/hook", "secret_token": "hook_now", "allowed_updates": ALLOWED_UPDATES,
        "max_connections": MAX_CONNECTIONS});
    assert_eq!(seen[4].body, hook);
}

#[tokio::test]
async fn telegram_says_how_long_to_wait() {
    let in_body = error(
        "429 Too Many Requests",
        429,
        "Too Many Requests: retry after 7",
        &json!({"retry_after": 7}),
    );
    let in_header = Act::Answer {
        status: "429 Too Many Requests",
        headers: "retry-after: 9\r\n".into(),
        body: json!({"ok": false, "error_code": 429, "description": "Too Many Requests"}).to_string(),
    };
    let cut_short = Act::Raw(b"HTTP/1.1 429 Busy\r\nretry-after: 11\r\ncontent-length: 50\r\n\r\n{".to_vec());
    for (act, seconds) in [(in_body, 7), (in_header, 9), (cut_short, 11)] {
        let server = Server::doing(vec![act]).await;
        let error = client(&server.url).send(in_topic(), &text("hi")).await.unwrap_err();
        let MessengerError::Transient {
            after, throttled: true, ..
        } = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(after, Some(Duration::from_secs(seconds)));
    }
}

pub(crate) fn variant(error: &MessengerError) -> String {
    format!("{error:?}").split([' ', '{']).next().unwrap().to_owned()
}

/// Secrets that an operator changes as soon as somebody asks for newer ones.
struct Rotating(Mutex<&'static str>, &'static str);

#[async_trait]
impl SecretSource for Rotating {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::new(secrets(*self.0.lock().unwrap())))
    }

    async fn newer_than(&self, age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        assert_eq!(age, Duration::from_secs(10));
        *self.0.lock().unwrap() = self.1;
        self.current().await
    }
}

#[tokio::test]
async fn a_token_that_changed_is_tried_once() {
    let refused = || error("401 Unauthorized", 401, "Unauthorized", &Value::Null);
    let server = Server::doing(vec![refused(), ok(&json!({"message_id": 5}))]).await;
    let rotating = Arc::new(Rotating(Mutex::new("1:old"), "1:new"));
    let sent = client_with(&server.url, rotating).send(in_topic(), &text("hi")).await;
    assert_eq!(sent, Ok(MessageId(5)));
    let paths = server.seen().into_iter().map(|seen| seen.path).collect::<Vec<_>>();
    assert_eq!(paths, ["/bot1:old/sendMessage", "/bot1:new/sendMessage"]);

    for to in ["1:old", "1:new"] {
        let server = Server::doing(vec![refused()]).await;
        let rotating = Arc::new(Rotating(Mutex::new("1:old"), to));
        let error = client_with(&server.url, rotating)
            .send(in_topic(), &text("hi"))
            .await
            .unwrap_err();
        assert_eq!(variant(&error), "Unauthorized");
        assert_eq!(server.seen().len(), if to == "1:old" { 1 } else { 2 });
    }
}

struct NoSecrets;

#[async_trait]
impl SecretSource for NoSecrets {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        Err(SecretsError::Unavailable("throttled".into()))
    }

    async fn newer_than(&self, _age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        self.current().await
    }
}

#[tokio::test]
async fn without_secrets_nothing_happened() {
    let error = client_with("http://127.0.0.1:1", Arc::new(NoSecrets))
        .identity()
        .await
        .unwrap_err();
    assert_eq!(variant(&error), "Transient");
}
