//! What the store makes of `DynamoDB`'s refusals, partial answers and silence: against a server that answers by script.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use mapping::{Expected, Item, Key, Range, Store, StoreError, Version, Write, WriteError, dynamodb::DynamoDbStore};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// One answer of the script.
enum Answer {
    Ok(Value),
    Refused(&'static str, Value),
    Garbage,
    HangUp,
}

/// Answers one request after the other by the script; gives the requests' bodies.
async fn serve(script: Vec<Answer>) -> (DynamoDbStore, JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = store(format!("http://{}", listener.local_addr().unwrap()));
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in script {
            let (mut connection, _) = listener.accept().await.unwrap();
            requests.push(request(&mut connection).await);
            reply(&mut connection, answer).await;
        }
        requests
    });
    (store, requests)
}

fn store(endpoint: String) -> DynamoDbStore {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    DynamoDbStore::new(Client::from_conf(config.build()), "table")
}

async fn request(connection: &mut TcpStream) -> Value {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

async fn reply(connection: &mut TcpStream, answer: Answer) {
    let (status, body) = match answer {
        Answer::Ok(body) => (200, body.to_string()),
        Answer::Refused(name, mut body) => {
            body["__type"] = format!("com.amazonaws.dynamodb.v20120810#{name}").into();
            (400, body.to_string())
        }
        Answer::Garbage => (200, "<html>".to_owned()),
        Answer::HangUp => return,
    };
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all((head + &body).as_bytes()).await.unwrap();
}

fn key(sk: &str) -> Key {
    Key::new("p", sk)
}

fn put(sk: &str) -> Write {
    Write::Put {
        item: Item {
            key: key(sk),
            version: Version::stored("mine"),
            expires_at: None,
            body: json!({"text": "secret"}),
        },
        expected: Expected::Absent,
    }
}

fn delete(sk: &str) -> Write {
    Write::Delete {
        key: key(sk),
        expected: Expected::Version(Version::stored("old")),
    }
}

fn stored(sk: &str) -> Value {
    json!({"pk": {"S": "p"}, "sk": {"S": sk}, "version": {"S": "v"}, "kind": {"S": "test"}})
}

fn left(sks: &[&str]) -> Value {
    let keys: Vec<Value> = sks
        .iter()
        .map(|sk| json!({"pk": {"S": "p"}, "sk": {"S": sk}}))
        .collect();
    json!({"table": {"Keys": keys, "ConsistentRead": true}})
}

fn reasons(codes: &[&str]) -> Value {
    let reasons: Vec<Value> = codes
        .iter()
        .map(|code| json!({"Code": code, "Message": "secret"}))
        .collect();
    json!({"message": "secret", "CancellationReasons": reasons})
}

#[tokio::test]
async fn a_batch_is_asked_on_until_all_keys_are_answered() {
    let (store, requests) = serve(vec![
        Answer::Ok(json!({"Responses": {"table": [stored("c")]}, "UnprocessedKeys": left(&["a", "b"])})),
        Answer::Ok(json!({"Responses": {}, "UnprocessedKeys": left(&["a", "b"])})),
        Answer::Ok(json!({"Responses": {"table": [stored("a")]}, "UnprocessedKeys": {}})),
    ])
    .await;
    let found = store.get(&["a", "b", "c", "a"].map(key)).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|item| item.as_ref().map(|item| item.key.sk.as_str()))
        .collect();
    assert_eq!(found, [Some("a"), None, Some("c"), Some("a")]);
    let asked = requests.await.unwrap();
    let asked: Vec<_> = asked.iter().map(|body| &body["RequestItems"]["table"]).collect();
    assert!(asked.iter().all(|asked| asked["ConsistentRead"] == true));
    assert_eq!(
        asked
            .iter()
            .map(|asked| asked["Keys"].as_array().unwrap().len())
            .collect::<Vec<_>>(),
        [3, 2, 2]
    );
}

#[tokio::test]
async fn a_batch_that_is_never_answered_is_given_up() {
    let nothing = || Answer::Ok(json!({"Responses": {}, "UnprocessedKeys": left(&["a", "b"])}));
    let (store, _requests) = serve((0..10).map(|_| nothing()).collect()).await;
    let error = store.get(&["a", "b"].map(key)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn only_a_failed_condition_is_a_conflict() {
    let failed = "ConditionalCheckFailed";
    for (write, name, body) in [
        (
            vec![put("a")],
            "ConditionalCheckFailedException",
            json!({"message": "secret"}),
        ),
        (
            vec![put("a"), delete("b")],
            "TransactionCanceledException",
            reasons(&["None", failed]),
        ),
        (vec![delete("a")], "TransactionCanceledException", reasons(&[failed])),
        (
            vec![put("a"), put("b")],
            "TransactionCanceledException",
            reasons(&["TransactionConflict", failed]),
        ),
    ] {
        let (store, _requests) = serve(vec![Answer::Refused(name, body)]).await;
        let written = store.write(&write).await;
        assert!(matches!(written, Err(WriteError::Conflict)), "{name}: {written:?}");
    }
}

#[tokio::test]
async fn any_other_failure_is_unavailable_and_quotes_nothing() {
    for (name, body) in [
        (
            "TransactionCanceledException",
            reasons(&["None", "TransactionConflict"]),
        ),
        ("TransactionCanceledException", reasons(&["ThrottlingError", "None"])),
        ("TransactionInProgressException", json!({"message": "secret"})),
        ("ValidationException", json!({"message": "secret"})),
        ("AccessDeniedException", json!({"message": "secret"})),
        ("ResourceNotFoundException", json!({"message": "secret"})),
    ] {
        for writes in [vec![put("a")], vec![put("a"), put("b")]] {
            let (store, _requests) = serve((0..3).map(|_| Answer::Refused(name, body.clone())).collect()).await;
            let text = unavailable(store.write(&writes).await);
            assert!(text.contains(name) && !text.contains("secret"), "{text}");
        }
        let (store, _requests) = serve((0..3).map(|_| Answer::Refused(name, body.clone())).collect()).await;
        let listed = store.list(&Range::prefix("p", "", 1)).await;
        let text = unavailable(listed.map(drop).map_err(WriteError::from));
        assert!(text.contains(name) && !text.contains("secret"), "{text}");
    }
    let (store, _requests) = serve(vec![Answer::Garbage]).await;
    unavailable(store.write(&[put("a")]).await);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    unavailable(self::store(format!("http://{nobody}")).write(&[put("a")]).await);
}

fn unavailable(written: Result<(), WriteError>) -> String {
    match written {
        Err(WriteError::Store(error @ StoreError::Unavailable(_))) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn throttling_is_tried_again() {
    let throttled = || Answer::Refused("ProvisionedThroughputExceededException", json!({}));
    let (store, requests) = serve(vec![throttled(), throttled(), Answer::Ok(json!({}))]).await;
    store.write(&[put("a")]).await.unwrap();
    assert_eq!(requests.await.unwrap().len(), 3);
}

/// An attempt whose answer was lost may have happened: `DynamoDB` must know the next one for the same.
#[tokio::test]
async fn each_attempt_at_a_transaction_carries_the_same_token() {
    for writes in [vec![delete("a")], vec![put("a"), put("b")]] {
        let mut tokens = Vec::new();
        for _ in 0..2 {
            let (store, requests) = serve(vec![Answer::HangUp, Answer::Ok(json!({}))]).await;
            store.write(&writes).await.unwrap();
            let requests = requests.await.unwrap();
            let [first, second] = [0, 1].map(|attempt| requests[attempt]["ClientRequestToken"].as_str().unwrap());
            assert_eq!(first, second);
            tokens.push(first.to_owned());
        }
        assert_ne!(tokens[0], tokens[1], "another call is another transaction");
    }
}

/// A put has no token: the second attempt meets the first one's work, and the port says how to know it again.
#[tokio::test]
async fn a_put_whose_answer_was_lost_is_a_conflict_with_its_own_version() {
    let refused = Answer::Refused("ConditionalCheckFailedException", json!({}));
    let mut mine = stored("a");
    mine["version"] = json!({"S": "mine"});
    let (store, _requests) = serve(vec![Answer::HangUp, refused, Answer::Ok(json!({"Item": mine}))]).await;
    let written = store.write(&[put("a")]).await;
    assert!(matches!(written, Err(WriteError::Conflict)), "{written:?}");
    let found = store.get(&[key("a")]).await.unwrap().remove(0).unwrap();
    assert_eq!(found.version, Version::stored("mine"));
}
