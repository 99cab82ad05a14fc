//! What wakes a function: an HTTP request, messages of a queue, or the clock; told apart by their shape.

use crate::queue::GAVE_UP;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bridge::{
    Received,
    webhook::{Answer, WebhookMethod, WebhookRequest},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What wakes a function.
#[derive(Debug)]
pub(crate) enum Event {
    /// A request, as an HTTP API of API Gateway brings it (payload format 2.0).
    Request(WebhookRequest),
    /// Messages of a queue.
    Messages(Vec<Message>),
    /// A task whose time has come.
    Task(Task),
}

/// A message of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Names it in the answer.
    pub(crate) id: String,
    /// Lets us hide it for longer.
    pub(crate) receipt_handle: String,
    /// The queue that it comes from.
    pub(crate) queue_arn: String,
    /// What the worker gets of it.
    pub(crate) received: Received,
}

/// What a schedule starts; the schedule's input names it: `{"task": "sweep"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub(crate) enum Task {
    /// Search Intercom for what no notification brought.
    Sweep,
    /// Look at what the vendors say of us.
    Watch,
    /// Put another webhook secret in the place of one that is so many days old, or go on with that.
    Rotate {
        /// How many.
        days: u32,
    },
}

/// An event that has none of the shapes. It does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the event: it is no HTTP request, no batch of a queue and no task")]
pub(crate) struct UnknownEvent;

impl Event {
    pub(crate) fn read(event: Value) -> Result<Self, UnknownEvent> {
        match serde_json::from_value(event).map_err(|_| UnknownEvent)? {
            Wire::Request(request) => Ok(Self::Request(request.into())),
            Wire::Messages { records } => Ok(Self::Messages(records.into_iter().map(Message::from).collect())),
            Wire::Task(task) => Ok(Self::Task(task)),
        }
    }
}

/// The answer as API Gateway wants it: no body, and nothing cached.
pub(crate) fn response(answer: Answer) -> Value {
    match answer.retry_after() {
        Some(seconds) => {
            json!({"statusCode": answer.status(), "headers": {"retry-after": seconds.to_string()}, "body": ""})
        }
        None => json!({"statusCode": answer.status(), "body": ""}),
    }
}

/// What tells the queue which messages stay in it; all others are deleted.
pub(crate) fn batch_response(stay: &[String]) -> Value {
    let failures: Vec<Value> = stay.iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({ "batchItemFailures": failures })
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Request(WireRequest),
    Messages {
        #[serde(rename = "Records")]
        records: Vec<WireMessage>,
    },
    Task(Task),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest {
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: WireContext,
}

#[derive(Deserialize)]
struct WireContext {
    http: WireHttp,
}

#[derive(Deserialize)]
struct WireHttp {
    method: String,
}

impl From<WireRequest> for WebhookRequest {
    fn from(request: WireRequest) -> Self {
        let text = request.body.unwrap_or_default();
        let body = if request.is_base64_encoded {
            // What is no Base64 becomes an empty body: no signature fits it, and nothing can be read of it.
            BASE64_STANDARD.decode(text).unwrap_or_default()
        } else {
            text.into_bytes()
        };
        Self {
            method: match request.request_context.http.method.as_str() {
                "HEAD" => WebhookMethod::Head,
                "POST" => WebhookMethod::Post,
                _ => WebhookMethod::Other,
            },
            headers: request.headers.into_iter().collect(),
            body: Bytes::from(body),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMessage {
    message_id: String,
    receipt_handle: String,
    body: String,
    attributes: WireAttributes,
    #[serde(default)]
    message_attributes: HashMap<String, WireAttribute>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Deserialize)]
struct WireAttributes {
    #[serde(rename = "MessageGroupId", default)]
    message_group_id: String,
    #[serde(rename = "ApproximateReceiveCount", default)]
    receive_count: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAttribute {
    #[serde(default)]
    string_value: Option<String>,
}

impl From<WireMessage> for Message {
    fn from(message: WireMessage) -> Self {
        let gave_up = message
            .message_attributes
            .get(GAVE_UP)
            .and_then(|attribute| attribute.string_value.as_deref())
            .and_then(|generation| generation.parse().ok());
        Self {
            id: message.message_id.clone(),
            receipt_handle: message.receipt_handle,
            queue_arn: message.event_source_arn,
            received: Received {
                id: message.message_id,
                lane: message.attributes.message_group_id,
                body: message.body,
                gave_up,
                receives: message.attributes.receive_count.parse().unwrap_or(1),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn request(method: &str, body: &Value, is_base64: bool) -> Value {
        json!({
            "version": "2.0",
            "routeKey": "POST /telegram-webhook",
            "rawPath": "/telegram-webhook",
            "headers": {"x-proof": "a"},
            "requestContext": {"http": {"method": method, "path": "/telegram-webhook"}, "stage": "$default"},
            "body": body,
            "isBase64Encoded": is_base64,
        })
    }

    fn message(id: &str, attributes: &Value) -> Value {
        json!({
            "messageId": id,
            "receiptHandle": "handle",
            "body": "{}",
            "attributes": {"MessageGroupId": "1:2:3", "ApproximateReceiveCount": "1"},
            "messageAttributes": attributes,
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:1:in.fifo",
        })
    }

    #[test]
    fn a_body_comes_to_the_byte() {
        for (body, is_base64, bytes) in [
            (json!("{\"a\":1}"), false, b"{\"a\":1}".as_slice()),
            (json!("/wA="), true, &[0xff, 0]),
            (json!("no base64!"), true, b""),
            (Value::Null, false, b""),
        ] {
            let Event::Request(request) = Event::read(request("POST", &body, is_base64)).unwrap() else {
                panic!("a request");
            };
            assert_eq!(request.method, WebhookMethod::Post);
            assert_eq!(request.header("X-Proof"), Some("a"));
            assert_eq!(&request.body[..], bytes);
        }
    }

    #[test]
    fn methods_are_told_apart() {
        for (method, expected) in [
            ("HEAD", WebhookMethod::Head),
            ("POST", WebhookMethod::Post),
            ("GET", WebhookMethod::Other),
        ] {
            let Event::Request(request) = Event::read(request(method, &Value::Null, false)).unwrap() else {
                panic!("a request");
            };
            assert_eq!(request.method, expected);
        }
    }

    #[test]
    fn a_message_brings_its_lane_and_what_it_is_a_copy_of() {
        let gave_up = json!({"gave_up": {"stringValue": "3", "dataType": "Number"}});
        let event = json!({"Records": [message("m1", &json!({})), message("m2", &gave_up)]});
        let Event::Messages(messages) = Event::read(event).unwrap() else {
            panic!("messages");
        };
        let read: Vec<_> = messages
            .iter()
            .map(|message| (message.id.as_str(), message.received.gave_up))
            .collect();
        assert_eq!(read, [("m1", None), ("m2", Some(3))]);
        assert_eq!(messages[0].received.lane, "1:2:3");
        assert_eq!(messages[0].queue_arn, "arn:aws:sqs:us-east-1:1:in.fifo");
    }

    #[test]
    fn a_schedule_names_its_task() {
        for (task, expected) in [("sweep", Task::Sweep), ("watch", Task::Watch)] {
            let event = Event::read(json!({ "task": task })).unwrap();
            assert!(matches!(event, Event::Task(task) if task == expected));
        }
        let event = Event::read(json!({"task": "rotate", "days": 90})).unwrap();
        assert!(matches!(event, Event::Task(Task::Rotate { days: 90 })));
    }

    #[test]
    fn nothing_else_is_an_event() {
        for event in [
            json!({}),
            json!("text"),
            json!({"task": "dance"}),
            json!({"Records": [{"s3": {}}]}),
        ] {
            assert_eq!(Event::read(event).err(), Some(UnknownEvent));
        }
    }

    #[test]
    fn an_answer_has_no_body() {
        assert_eq!(response(Answer::Taken), json!({"statusCode": 200, "body": ""}));
        assert_eq!(
            response(Answer::TryLater(Duration::from_secs(2))),
            json!({"statusCode": 503, "headers": {"retry-after": "2"}, "body": ""})
        );
        assert_eq!(
            batch_response(&["m1".into()]),
            json!({"batchItemFailures": [{"itemIdentifier": "m1"}]})
        );
    }
}
