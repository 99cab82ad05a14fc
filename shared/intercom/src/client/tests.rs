use super::*;
use crate::{
    http_client,
    testing::{Request, Server, Step},
};
use bridge::{
    ports::Upload,
    rich_text::RichText,
    secrets::{FixedSecrets, Secret, Secrets},
};
use mapping::testing::ManualClock;
use serde_json::{Value, json};
use std::time::Duration;

mod contacts;
mod downloads;
mod faults;
mod tending;
mod tokens;

const TOKEN: &str = "dG9rOnNlY3JldC10b2tlbg==";

fn secrets(token: &str) -> Secrets {
    Secrets {
        telegram_bot_token: Secret::new("1:a"),
        telegram_webhook_secrets: vec![Secret::new("hook")],
        intercom_access_token: Secret::new(token),
        intercom_client_secrets: vec![Secret::new("client")],
    }
}

/// For calls that are answered.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_secs(30),
    total: Duration::from_secs(30),
    files: Duration::from_secs(30),
    window: Duration::ZERO,
};

/// For calls that are not.
const HURRIED: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    total: Duration::from_millis(500),
    files: Duration::from_millis(500),
    window: Duration::ZERO,
};

fn client_at(url: &str, secrets: Arc<dyn SecretSource>, timeouts: Timeouts) -> IntercomClient {
    let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_768_467_600)));
    IntercomClient::new(http_client(timeouts).unwrap(), url, secrets, timeouts, clock)
}

fn fixed() -> Arc<dyn SecretSource> {
    Arc::new(FixedSecrets::new(secrets(TOKEN)).unwrap())
}

async fn scripted(script: Vec<Step>) -> (IntercomClient, Server) {
    let server = Server::start(script).await;
    (client_at(&format!("{}/", server.url), fixed(), PATIENT), server)
}

fn lines(server: &Server) -> Vec<String> {
    server.finish().into_iter().map(|request| request.line).collect()
}

fn only(server: &Server) -> Request {
    let mut asked = server.finish();
    assert_eq!(asked.len(), 1);
    asked.remove(0)
}

fn id(id: &str) -> ConversationId {
    ConversationId::new(id)
}

fn ann() -> ContactId {
    ContactId::new("aaaaaaaaaaaaaaaaaaaaaaaa")
}

fn admin() -> AdminId {
    AdminId::new("77")
}

fn reply(text: &str) -> Reply {
    Reply {
        body: RichText::plain(text),
        created_at: None,
        files: vec![],
    }
}

fn part(id: u64, kind: &str, author: &str, body: &str) -> Value {
    json!({
        "type": "conversation_part", "id": id, "part_type": kind, "body": body, "created_at": 1_700_000_000,
        "author": {"type": "user", "id": author},
    })
}

fn conversation(parts: &[Value]) -> Value {
    let parts = json!({"conversation_parts": parts, "total_count": parts.len()});
    json!({"type": "conversation", "id": "12", "conversation_parts": parts})
}

#[tokio::test]
async fn every_call_names_token_and_version() {
    let me = json!({"type": "admin", "id": 77, "app": {"id_code": "abc", "region": "EU"}});
    let (client, server) = scripted(vec![Step::json(&me)]).await;
    let identity = client.identity().await.unwrap();
    assert_eq!((identity.workspace.as_str(), identity.admin.as_str()), ("abc", "77"));
    assert_eq!(identity.region.as_deref(), Some("EU"));
    let asked = only(&server);
    assert_eq!(asked.line, "GET /me");
    assert_eq!(asked.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(asked.header("intercom-version"), Some("2.16"));
    assert_eq!(asked.header("accept"), Some("application/json"));
}

#[tokio::test]
async fn a_new_conversation_is_known_by_its_own_id() {
    let message = json!({"type": "user_message", "id": "403918330", "conversation_id": 499});
    let (client, server) = scripted(vec![Step::json(&message), Step::json(&json!({"id": "1"}))]).await;
    let opening = Reply {
        body: RichText::plain("1 < 2 & 3"),
        created_at: Some(Timestamp::from_seconds(1_700_000_000)),
        files: vec![],
    };
    assert_eq!(client.open_conversation(&ann(), &opening).await, Ok(id("499")));
    let error = client.open_conversation(&ann(), &reply("x")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Unknown { .. }), "{error}");
    let asked = server.finish();
    let from = json!({"type": "user", "id": ann().as_str()});
    assert_eq!(asked[0].line, "POST /conversations");
    assert_eq!(
        asked[0].body,
        json!({"from": from, "body": "1 < 2 & 3", "created_at": 1_700_000_000})
    );
    assert_eq!(asked[1].body, json!({"from": from, "body": "x"}));
}

#[tokio::test]
async fn an_opened_conversation_is_found_by_its_mark() {
    let marker = "https://t.me/c/1/2";
    let found = |id: &str, at: i64, body: &str| json!({"id": id, "created_at": at, "source": {"body": body}});
    let first = json!({
        "conversations": [found("1", 5, "<p>other</p>"), found("2", 6, "<p>Hi</p><p>https://t.me/c/1/2</p>")],
        "pages": {"type": "pages", "next": {"page": 2, "starting_after": "more"}},
    });
    let last = json!({"conversations": [found("3", 7, "Hi\n\nhttps://t.me/c/1/2"), 5], "pages": {"next": null}});
    let none = json!({"type": "conversation.list", "conversations": []});
    let (client, server) = scripted(vec![Step::json(&first), Step::json(&last), Step::json(&none)]).await;
    let since = Timestamp::from_seconds(1_700_000_000);
    assert_eq!(client.find_opened(&ann(), marker, since).await, Ok(Some(id("3"))));
    assert_eq!(client.find_opened(&ann(), marker, since).await, Ok(None));
    let asked = server.finish();
    assert_eq!(asked[0].line, "POST /conversations/search");
    assert_eq!(asked[0].body["query"]["value"][0]["value"], ann().as_str());
    assert_eq!(asked[0].body["query"]["value"][1]["value"], 1_699_999_399);
    assert_eq!(asked[0].body["pagination"].get("starting_after"), None);
    assert_eq!(asked[1].body["pagination"]["starting_after"], "more");
}

#[tokio::test]
async fn a_reply_gives_its_part() {
    let parts = [
        part(1, "comment", ann().as_str(), "<p>a &lt; b</p>"),
        part(2, "open", ann().as_str(), "<p>a &lt; b</p>"),
        part(3, "comment", admin().as_str(), "<p>a &lt; b</p>"),
        part(4, "note", admin().as_str(), "<p>a &lt; b</p>"),
    ];
    let answer = || Step::json(&conversation(&parts));
    let (client, server) = scripted(vec![answer(), answer(), answer(), Step::json(&conversation(&[]))]).await;
    let text = reply("a < b");
    let timed = Reply {
        created_at: Some(Timestamp::from_seconds(9)),
        ..text.clone()
    };
    assert_eq!(
        client.reply_as_contact(&id("12"), &ann(), &timed).await,
        Ok(PartId::new("2"))
    );
    assert_eq!(
        client.reply_as_admin(&id("12"), &admin(), &text).await,
        Ok(PartId::new("3"))
    );
    assert_eq!(client.add_note(&id("12"), &admin(), &text).await, Ok(PartId::new("4")));
    let unidentified = client.reply_as_contact(&id("12"), &ann(), &text).await;
    assert_eq!(
        unidentified,
        Ok(PartId::new("unidentified")),
        "it was done, so it is not done again"
    );
    let asked = server.finish();
    assert!(asked.iter().all(|one| one.line == "POST /conversations/12/reply"));
    let body = "<p>a &lt; b</p>";
    assert_eq!(
        asked[0].body,
        json!({"message_type": "comment", "type": "user", "intercom_user_id": ann().as_str(), "body": body, "created_at": 9})
    );
    assert_eq!(
        asked[1].body,
        json!({"message_type": "comment", "type": "admin", "admin_id": "77", "body": body})
    );
    assert_eq!(asked[2].body["message_type"], "note");
}

#[tokio::test]
async fn what_is_so_already_is_fine() {
    let already = |words: &str| Step::error(422, "client_error", words);
    let (client, server) = scripted(vec![
        already("Contact is already a participant"),
        already("Conversation is already assigned to this team"),
        already("assignee is away"),
    ])
    .await;
    let team = Assignee::Team("9".into());
    assert_eq!(client.attach(&id("12"), &admin(), &ann()).await, Ok(()));
    assert_eq!(client.assign(&id("12"), &admin(), &team).await, Ok(()));
    let error = client
        .assign(&id("12"), &admin(), &Assignee::Admin(admin()))
        .await
        .unwrap_err();
    assert!(matches!(error, HelpdeskError::Refused { .. }), "{error}");
    let asked = server.finish();
    assert_eq!(asked[0].line, "POST /conversations/12/customers");
    assert_eq!(
        asked[0].body,
        json!({"admin_id": "77", "customer": {"intercom_user_id": ann().as_str()}})
    );
    assert_eq!(asked[1].line, "POST /conversations/12/parts");
    assert_eq!(
        asked[1].body,
        json!({"message_type": "assignment", "type": "team", "admin_id": "77", "assignee_id": "9"})
    );
    assert_eq!(asked[2].body["type"], "admin");
}

#[tokio::test]
async fn a_tag_is_looked_up_once_and_again_when_it_is_gone() {
    let tag = |id: &str| Step::json(&json!({"type": "tag", "id": id, "name": "telegram"}));
    let (client, server) = scripted(vec![
        tag("1"),
        tag("1"),
        tag("1"),
        Step::error(404, "not_found", "Resource Not Found"),
        tag("2"),
        tag("2"),
    ])
    .await;
    for _ in 0..3 {
        assert_eq!(client.tag(&id("12"), &admin(), "telegram").await, Ok(()));
    }
    let put = "POST /conversations/12/tags";
    assert_eq!(lines(&server), ["POST /tags", put, put, put, "POST /tags", put]);
}

#[tokio::test]
async fn title_and_name_are_set() {
    let (client, server) = scripted(vec![Step::json(&json!({})), Step::json(&json!({}))]).await;
    assert_eq!(client.set_title(&id("12"), "Lunch").await, Ok(()));
    assert_eq!(client.rename_contact(&ann(), "Ann B").await, Ok(()));
    let asked = server.finish();
    assert_eq!(
        (asked[0].line.as_str(), &asked[0].body),
        ("PUT /conversations/12", &json!({"title": "Lunch"}))
    );
    assert_eq!(asked[1].body, json!({"name": "Ann B"}));
}

#[tokio::test]
async fn changes_come_oldest_first_page_by_page() {
    let page = json!({
        "conversations": [{"id": 2, "updated_at": 20}, {"id": "1", "updated_at": 10}, {"id": "3"}],
        "pages": {"next": {"starting_after": "more"}},
    });
    let (client, server) = scripted(vec![Step::json(&page)]).await;
    let changed = client
        .changed_since(Timestamp::from_seconds(10), Some("here"))
        .await
        .unwrap();
    let seconds = Timestamp::from_seconds;
    assert_eq!(changed.conversations, [(id("1"), seconds(10)), (id("2"), seconds(20))]);
    assert_eq!(changed.next.as_deref(), Some("more"));
    let asked = only(&server);
    assert_eq!(
        asked.body,
        json!({
            "query": {"field": "updated_at", "operator": ">", "value": 9},
            "pagination": {"per_page": 150, "starting_after": "here"},
            "sort": {"field": "updated_at", "order": "ascending"},
        })
    );
}

#[tokio::test]
async fn a_conversation_that_is_gone_is_not_found() {
    let gone = Step::error(404, "conversation_not_found", "Resource Not Found");
    let (client, server) = scripted(vec![gone]).await;
    let error = client.conversation(&id("12")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::NotFound { .. }), "{error}");
    assert_eq!(lines(&server), ["GET /conversations/12"]);
}

#[tokio::test]
async fn files_go_with_a_reply_and_its_part_is_known_by_them() {
    let named = |id: u64, name: &str| {
        let mut part = part(id, "comment", ann().as_str(), "<p>[photo]</p>");
        part["attachments"] = json!([{"type": "upload", "name": name, "url": "https://downloads.intercomcdn.com/1"}]);
        part
    };
    let answer = conversation(&[named(7, "photo-42.jpg"), named(8, "photo-43.jpg")]);
    let (client, server) = scripted(vec![Step::json(&answer), Step::json(&answer)]).await;
    let photo = Reply {
        files: vec![Upload {
            name: "photo-42.jpg".into(),
            content_type: "image/jpeg".into(),
            bytes: b"\xff\xd8\xff".as_slice().into(),
        }],
        ..reply("[photo]")
    };
    let told = client.reply_as_contact(&id("12"), &ann(), &photo).await;
    assert_eq!(told, Ok(PartId::new("7")));
    client.add_note(&id("12"), &admin(), &photo).await.unwrap();
    for asked in server.finish() {
        assert_eq!(asked.header("content-type"), Some("application/json"));
        let file = json!({"name": "photo-42.jpg", "content_type": "image/jpeg", "data": "/9j/"});
        assert_eq!(asked.body["attachment_files"], json!([file]));
    }
}
