use super::*;
use crate::{
    http_client,
    testing::{Request, Server, Step},
};
use bridge::secrets::{FixedSecrets, Secret, Secrets, SecretsError};
use serde_json::{Value, json};
use std::{error::Error, time::Duration};

const TOKEN: &str = "dG9rOnNlY3JldC10b2tlbg==";

fn secrets(token: &str) -> Secrets {
    Secrets {
        telegram_bot_token: Secret::new("1:a"),
        telegram_webhook_secrets: vec![Secret::new("hook")],
        intercom_access_token: Secret::new(token),
        intercom_client_secrets: vec![Secret::new("client")],
    }
}

fn client_at(url: &str, secrets: Arc<dyn SecretSource>) -> IntercomClient {
    let timeouts = Timeouts {
        connect: Duration::from_millis(500),
        total: Duration::from_millis(500),
    };
    IntercomClient::new(http_client(timeouts).unwrap(), url, secrets, timeouts)
}

async fn scripted(script: Vec<Step>) -> (IntercomClient, Server) {
    let server = Server::start(script).await;
    let fixed = FixedSecrets::new(secrets(TOKEN)).unwrap();
    (client_at(&format!("{}/", server.url), Arc::new(fixed)), server)
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
    }
}

fn new_contact() -> NewContact {
    NewContact {
        external_id: "telegram:5".into(),
        name: "Ann".into(),
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
async fn a_contact_is_made_without_an_address() {
    let (client, server) = scripted(vec![Step::json(&json!({"type": "contact", "id": ann().as_str()}))]).await;
    let ensured = client.ensure_contact(&new_contact()).await;
    assert_eq!(ensured, Ok(EnsuredContact::There(ann())));
    let asked = only(&server);
    assert_eq!(asked.line, "POST /contacts");
    assert_eq!(
        asked.body,
        json!({"role": "user", "external_id": "telegram:5", "name": "Ann"})
    );
}

#[tokio::test]
async fn a_contact_that_is_there_already_is_taken() {
    let conflict = |words: &str| Step::error(409, "conflict", words);
    let link = |id: &str| format!("</contacts/{id}>; rel=\"canonical\"");
    let merged = |id: &str| Step::error(410, "contact_merged", "merged").with("Link", link(id));
    let found = |id: &str| Step::json(&json!({"type": "contact", "id": id}));
    let there = |id: &str| EnsuredContact::There(ContactId::new(id));
    let by_external_id = "GET /contacts/find_by_external_id/telegram%3A5";
    let cases = vec![
        (
            vec![conflict(
                "A contact matching those details already exists with id=abc123",
            )],
            vec![],
            there("abc123"),
        ),
        (
            vec![
                conflict("An archived contact matching those details already exists with id=abc123"),
                found("abc123"),
            ],
            vec!["POST /contacts/abc123/unarchive"],
            there("abc123"),
        ),
        (
            vec![
                conflict("An archived contact matching those details already exists with id=abc123"),
                Step::error(422, "client_error", "Contact is not restorable"),
            ],
            vec!["POST /contacts/abc123/unarchive"],
            EnsuredContact::ExternalIdLocked,
        ),
        (
            vec![conflict("In other words"), found("abc123")],
            vec![by_external_id],
            there("abc123"),
        ),
        (
            vec![conflict("In other words"), merged("b"), merged("c"), found("c")],
            vec![by_external_id, "GET /contacts/b", "GET /contacts/c"],
            there("c"),
        ),
        (
            vec![
                conflict("In other words"),
                Step::error(404, "not_found", "User Not Found"),
            ],
            vec![by_external_id],
            EnsuredContact::ExternalIdLocked,
        ),
        (
            vec![Step::error(
                422,
                "parameter_invalid",
                "external_id of a deleted contact",
            )],
            vec![],
            EnsuredContact::ExternalIdLocked,
        ),
    ];
    for (script, then, ensured) in cases {
        let (client, server) = scripted(script).await;
        assert_eq!(client.ensure_contact(&new_contact()).await, Ok(ensured), "{then:?}");
        assert_eq!(lines(&server)[1..], then);
    }
}

#[tokio::test]
async fn merges_are_followed_three_times_and_only_within_intercom() {
    let merged = |link: &str| Step::error(410, "contact_merged", "merged").with("Link", link);
    let (client, server) = scripted(vec![
        merged("<https://elsewhere.test/contacts/b>; rel=\"canonical\""),
        merged("</contacts/c>; rel=\"canonical\""),
        merged("</contacts/d>; rel=\"canonical\""),
        merged("</contacts/e>; rel=\"canonical\""),
    ])
    .await;
    assert_eq!(client.contact(&ContactId::new("a")).await, Ok(None));
    let asked = ["a", "b", "c", "d"].map(|id| format!("GET /contacts/{id}"));
    assert_eq!(lines(&server), asked);

    let (client, server) = scripted(vec![merged("</contacts/../admins>; rel=\"canonical\"")]).await;
    assert_eq!(client.contact(&ContactId::new("a")).await, Ok(None));
    assert_eq!(lines(&server).len(), 1);

    let (client, server) = scripted(vec![Step::error(404, "not_found", "User Not Found")]).await;
    assert_eq!(client.contact(&ann()).await, Ok(None));
    server.finish();
}

#[tokio::test]
async fn a_new_conversation_is_known_by_its_own_id() {
    let message = json!({"type": "user_message", "id": "403918330", "conversation_id": 499});
    let (client, server) = scripted(vec![Step::json(&message), Step::json(&json!({"id": "1"}))]).await;
    let opening = Reply {
        body: RichText::plain("1 < 2 & 3"),
        created_at: Some(Timestamp::from_seconds(1_700_000_000)),
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
    assert_eq!(
        client.add_note(&id("12"), &admin(), &text.body).await,
        Ok(PartId::new("4"))
    );
    let error = client.reply_as_contact(&id("12"), &ann(), &text).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Unknown { .. }), "{error}");
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
async fn a_broken_call_is_unknown_only_where_it_may_have_happened() {
    let faults: [fn() -> Step; 6] = [
        || Step::Drop,
        || Step::Hang,
        || Step::CutOff,
        || Step::Garbage,
        || Step::status(500, &json!({})),
        || Step::json(&json!("odd")),
    ];
    for (at, fault) in faults.iter().enumerate() {
        let (client, server) = scripted(vec![fault(), fault()]).await;
        let error = client
            .reply_as_contact(&id("12"), &ann(), &reply("x"))
            .await
            .unwrap_err();
        assert!(matches!(error, HelpdeskError::Unknown { .. }), "{at}: {error}");
        let error = client.conversation(&id("12")).await.unwrap_err();
        assert!(matches!(error, HelpdeskError::Transient { .. }), "{at}: {error}");
        server.finish();
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let too_long = || Step::Answer {
        status: 200,
        headers: vec![],
        body: "x".repeat((16 << 20) + 1),
    };
    let server = Server::start(vec![too_long(), too_long()]).await;
    let fixed = FixedSecrets::new(secrets(TOKEN)).unwrap();
    let patient = Timeouts::default();
    let client = IntercomClient::new(http_client(patient).unwrap(), &server.url, Arc::new(fixed), patient);
    let error = client.conversation(&id("12")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Refused { .. }), "{error}");
    let error = client
        .reply_as_contact(&id("12"), &ann(), &reply("x"))
        .await
        .unwrap_err();
    assert!(matches!(error, HelpdeskError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn without_a_connection_nothing_happened() {
    let fixed = Arc::new(FixedSecrets::new(secrets(TOKEN)).unwrap());
    for url in ["http://127.0.0.1:1", "http://no-such-host.invalid", "not a url"] {
        let client = client_at(url, fixed.clone());
        let error = client
            .reply_as_contact(&id("12"), &ann(), &reply("x"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HelpdeskError::Transient { after: None, .. }),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(vec![]).await;
    let step = Step::status(302, &json!({})).with("Location", format!("{}/me", elsewhere.url));
    let (client, server) = scripted(vec![step]).await;
    assert!(matches!(client.identity().await, Err(HelpdeskError::Transient { .. })));
    assert_eq!(server.finish().len(), 1);
    assert_eq!(elsewhere.finish().len(), 0);
}

#[tokio::test]
async fn a_429_says_when_and_the_next_call_waits_for_it() {
    let limited =
        Step::error(429, "rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds").with("Retry-After", "9");
    let (client, server) = scripted(vec![limited]).await;
    let after = |error: HelpdeskError| match error {
        HelpdeskError::Transient { after, .. } => after.unwrap(),
        other => panic!("{other}"),
    };
    let refused = client
        .reply_as_contact(&id("12"), &ann(), &reply("x"))
        .await
        .unwrap_err();
    assert_eq!(after(refused), Duration::from_secs(9));
    let held = client.conversation(&id("12")).await.unwrap_err();
    assert!(after(held) > Duration::from_secs(8));
    assert_eq!(server.finish().len(), 1);
}

#[tokio::test]
async fn the_last_call_of_a_window_is_the_last() {
    let me = json!({"id": "77", "app": {"id_code": "abc"}});
    let step = Step::json(&me)
        .with("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with("X-RateLimit-Remaining", "0")
        .with("X-RateLimit-Reset", "784111782");
    let (client, server) = scripted(vec![step]).await;
    assert!(client.identity().await.is_ok());
    let error = client.identity().await.unwrap_err();
    assert!(
        matches!(error, HelpdeskError::Transient { after: Some(_), .. }),
        "{error}"
    );
    assert_eq!(server.finish().len(), 1);
}

/// Secrets of which a newer version is there.
struct Rotated;

#[async_trait]
impl SecretSource for Rotated {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::new(secrets("old")))
    }

    async fn newer_than(&self, _age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::new(secrets("new")))
    }
}

#[tokio::test]
async fn a_refused_token_is_read_anew_once() {
    let refused = || Step::error(401, "unauthorized", "Access Token Invalid");
    let done = Step::json(&conversation(&[part(1, "comment", ann().as_str(), "<p>x</p>")]));
    let server = Server::start(vec![refused(), done, refused(), refused()]).await;
    let client = client_at(&server.url, Arc::new(Rotated));
    assert!(client.reply_as_contact(&id("12"), &ann(), &reply("x")).await.is_ok());
    let error = client.conversation(&id("12")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Unauthorized { .. }), "{error}");
    let tokens: Vec<_> = server.finish();
    let tokens: Vec<_> = tokens.iter().filter_map(|one| one.header("authorization")).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new", "Bearer old", "Bearer new"]);

    let (client, server) = scripted(vec![refused()]).await;
    assert!(client.identity().await.is_err());
    assert_eq!(server.finish().len(), 1, "the same token is not tried twice");
}

#[tokio::test]
async fn no_error_shows_token_or_address_or_words() {
    let echo = format!("{TOKEN} said: secret words");
    let (client, server) = scripted(vec![
        Step::error(400, "parameter_invalid", &echo),
        Step::error(401, &echo, &echo),
        Step::error(500, &echo, &echo),
        Step::Drop,
        Step::Garbage,
        Step::Hang,
        Step::json(&json!({"secret words": 1})),
    ])
    .await;
    let mut errors = Vec::new();
    for _ in 0..7 {
        errors.push(
            client
                .reply_as_contact(&id("12"), &ann(), &reply("secret words"))
                .await
                .unwrap_err(),
        );
    }
    let broken = Arc::new(FixedSecrets::new(secrets("dG9r\nsecret")).unwrap());
    let unprintable = client_at(&server.url, broken);
    errors.push(unprintable.identity().await.unwrap_err());
    server.finish();
    for error in errors {
        let chain = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
        let printed = chain
            .map(|error| format!("{error} {error:?}"))
            .collect::<Vec<_>>()
            .join(" ");
        for hidden in [TOKEN, "dG9r", "secret", "127.0.0.1"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}
