//! What is asked of AWS, counted on its way to the emulator, in the units that AWS bills.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::AbortHandle};

/// No request is larger.
const LARGEST: usize = 16 * 1024 * 1024;

/// What one write unit writes, and one read unit reads; what one request to a queue moves.
const WRITE_UNIT: usize = 1024;
const READ_UNIT: usize = 4 * 1024;
const QUEUE_UNIT: usize = 64 * 1024;

/// What was asked for so far.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Counted {
    /// Each operation, by its name.
    pub(crate) operations: BTreeMap<String, u64>,
    /// DynamoDB's write request units.
    pub(crate) write_units: u64,
    /// DynamoDB's read request units.
    pub(crate) read_units: u64,
    /// Requests to SQS.
    pub(crate) queue_requests: u64,
    /// Messages that were sent, by the name of the queue.
    pub(crate) sent: BTreeMap<String, u64>,
    /// Requests to Secrets Manager.
    pub(crate) secret_requests: u64,
}

/// Stands before the emulator; it ends with this.
pub(crate) struct Meter {
    /// Where it listens.
    pub(crate) url: String,
    counted: Arc<Mutex<Counted>>,
    server: AbortHandle,
}

struct Way {
    to: String,
    http: reqwest::Client,
    counted: Arc<Mutex<Counted>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Meter {
    /// Before the emulator at this URL.
    pub(crate) async fn before(emulator: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let counted = Arc::<Mutex<Counted>>::default();
        let way = Way {
            to: emulator.to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
            counted: Arc::clone(&counted),
        };
        let router = Router::new().fallback(pass).with_state(Arc::new(way));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            url,
            counted,
            server: server.abort_handle(),
        })
    }

    /// What was asked for since this was last called.
    pub(crate) fn take(&self) -> Counted {
        std::mem::take(&mut *lock(&self.counted))
    }

    /// How many messages were sent to a queue since then.
    pub(crate) fn sent(&self, queue: &str) -> u64 {
        lock(&self.counted).sent.get(queue).copied().unwrap_or_default()
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(State(way): State<Arc<Way>>, request: Request) -> Response {
    match way.pass(request).await {
        Ok(answer) => answer,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Way {
    async fn pass(&self, request: Request) -> anyhow::Result<Response> {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LARGEST).await?;
        let url = format!("{}{}", self.to, head.uri);
        let mut onward = self.http.request(head.method, url).body(body.clone());
        for (name, value) in &head.headers {
            if *name != header::HOST && *name != header::CONTENT_LENGTH {
                onward = onward.header(name, value);
            }
        }
        let answer = onward.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let answered = answer.bytes().await?;
        if let Some(target) = target(&head.headers) {
            let (asked, answered) = (json(&body), json(&answered));
            lock(&self.counted).count(target, &asked, &answered);
        }
        let mut response = Response::new(Body::from(answered));
        *response.status_mut() = status;
        let kept = headers.into_iter().filter_map(|(name, value)| Some((name?, value)));
        let whole =
            |(name, _): &(header::HeaderName, _)| *name != header::TRANSFER_ENCODING && *name != header::CONTENT_LENGTH;
        response.headers_mut().extend(kept.filter(whole));
        Ok(response)
    }
}

fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_default()
}

impl Counted {
    fn count(&mut self, target: &str, asked: &Value, answered: &Value) {
        let (service, operation) = target.split_once('.').unwrap_or(("", target));
        *self.operations.entry(operation.to_owned()).or_default() += 1;
        match service {
            "AmazonSQS" => {
                self.queue_requests += units(body_of(asked).max(body_of(answered)), QUEUE_UNIT);
                let url = asked["QueueUrl"].as_str().unwrap_or_default();
                if let ("SendMessage", Some(name)) = (operation, url.rsplit('/').next()) {
                    *self.sent.entry(name.to_owned()).or_default() += 1;
                }
            }
            "secretsmanager" => self.secret_requests += 1,
            _ => self.count_table(operation, asked, answered),
        }
    }

    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>: what is read is read
    /// consistently; what is not there costs as much as the least that is; in a transaction everything costs twice.
    fn count_table(&mut self, operation: &str, asked: &Value, answered: &Value) {
        match operation {
            "GetItem" => self.read_units += units(size(&answered["Item"]), READ_UNIT),
            "BatchGetItem" => {
                let keys = tables(&asked["RequestItems"])
                    .flat_map(|table| list(&table["Keys"]))
                    .count() as u64;
                let found: Vec<&Value> = tables(&answered["Responses"]).flat_map(list).collect();
                let more = |item: &&Value| units(size(item), READ_UNIT) - 1;
                self.read_units += keys + found.iter().map(more).sum::<u64>();
            }
            "Query" => {
                let read: usize = list(&answered["Items"]).map(size).sum();
                self.read_units += units(read, READ_UNIT);
            }
            "PutItem" => self.write_units += units(size(&asked["Item"]), WRITE_UNIT),
            "DeleteItem" => self.write_units += 1,
            "TransactWriteItems" => {
                let steps = list(&asked["TransactItems"]);
                let step = |step: &Value| 2 * units(size(&step["Put"]["Item"]), WRITE_UNIT);
                self.write_units += steps.map(step).sum::<u64>();
            }
            _ => {}
        }
    }
}

/// Whole units, one at least.
fn units(size: usize, unit: usize) -> u64 {
    size.div_ceil(unit).max(1) as u64
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn tables(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_object().into_iter().flat_map(serde_json::Map::values)
}

/// The text that a request to a queue, or its answer, carries.
fn body_of(value: &Value) -> usize {
    let one = value["MessageBody"].as_str().map_or(0, str::len);
    let received: usize = list(&value["Messages"])
        .filter_map(|message| Some(message["Body"].as_str()?.len()))
        .sum();
    one + received
}

/// The size of an item: the names of its attributes and their values.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>.
fn size(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|typed| typed.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("L", Value::Array(values)) => 3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>(),
        ("M", Value::Object(_)) => 3 + size(value) + value.as_object().map_or(0, serde_json::Map::len),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counted(operation: &str, asked: &Value, answered: &Value) -> (u64, u64) {
        let mut counted = Counted::default();
        counted.count(&format!("DynamoDB_20120810.{operation}"), asked, answered);
        (counted.read_units, counted.write_units)
    }

    #[test]
    fn what_is_asked_for_costs_a_unit_even_if_it_is_not_there() {
        let keys =
            json!({"RequestItems": {"table": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}, {"pk": {"S": "c"}}]}}});
        let large = json!({"Responses": {"table": [{"text": {"S": "x".repeat(5_000)}}]}});
        assert_eq!(
            counted("BatchGetItem", &keys, &json!({"Responses": {"table": []}})),
            (3, 0)
        );
        assert_eq!(counted("BatchGetItem", &keys, &large), (4, 0));
        assert_eq!(counted("GetItem", &json!({}), &json!({})), (1, 0));
    }

    #[test]
    fn a_transaction_costs_twice() {
        let put = |length: usize| json!({"Put": {"Item": {"a": {"S": "x".repeat(length - 1)}}}});
        assert_eq!(
            counted("PutItem", &json!({"Item": put(1024)["Put"]["Item"]}), &json!({})),
            (0, 1)
        );
        assert_eq!(
            counted("PutItem", &json!({"Item": put(1025)["Put"]["Item"]}), &json!({})),
            (0, 2)
        );
        let both = json!({"TransactItems": [put(10), put(1025), {"ConditionCheck": {"Key": {}}}]});
        assert_eq!(counted("TransactWriteItems", &both, &json!({})), (0, 2 + 4 + 2));
    }

    #[test]
    fn a_long_message_is_several_requests() {
        let mut counted = Counted::default();
        for length in [10, 64 * 1024, 64 * 1024 + 1] {
            counted.count(
                "AmazonSQS.SendMessage",
                &json!({"MessageBody": "x".repeat(length)}),
                &json!({}),
            );
        }
        assert_eq!(counted.queue_requests, 1 + 1 + 2);
        assert_eq!(counted.operations["SendMessage"], 3);
    }

    #[test]
    fn an_item_is_as_large_as_its_names_and_values() {
        let item = json!({"ab": {"S": "cde"}, "n": {"N": "1234"}, "l": {"L": [{"S": "x"}]}, "m": {"M": {"k": {"BOOL": true}}}});
        assert_eq!(size(&item), (2 + 3) + (1 + 3) + (1 + 3 + 2) + (1 + 3 + 2 + 1));
    }
}
