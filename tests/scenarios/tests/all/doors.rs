//! The two webhooks, as anybody on the network finds them: what is answered, and that nothing comes of what is not authentic.

use super::logs::Log;
use reqwest::{Client, Method, StatusCode};
use scenarios::{WEBHOOK_SECRET, World};
use serde_json::{Value, json};

pub(crate) struct Door<'w> {
    world: &'w World,
    url: String,
}

impl<'w> Door<'w> {
    pub(crate) fn telegram(world: &'w World) -> Self {
        let url = format!("{}/telegram-webhook", world.stage.base_url);
        Self { world, url }
    }

    pub(crate) fn intercom(world: &'w World) -> Self {
        let url = format!("{}/intercom-webhook", world.stage.base_url);
        Self { world, url }
    }

    async fn answers(&self, method: Method, headers: &[(&str, &str)], body: Vec<u8>) -> StatusCode {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(method, &self.url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert_eq!(answer.text().await.unwrap(), "", "an answer's body is empty");
        status
    }

    /// Posts to Telegram's webhook with the right secret.
    pub(crate) async fn takes_update(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let secret = [("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET)];
        self.answers(Method::POST, &secret, body.into()).await
    }

    /// Posts to Intercom's webhook with the right signature.
    pub(crate) async fn takes_notification(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let body = body.into();
        let signature = self.world.intercom().sign(&body);
        self.answers(Method::POST, &[("X-Hub-Signature", &signature)], body)
            .await
    }
}

fn update(world: &World, text: &str) -> Value {
    json!({"update_id": 900_000_001, "message": {
        "message_id": 77, "date": world.stage.vendors.clock.now_s(), "text": text,
        "chat": {"id": world.forum, "type": "supergroup", "title": "Acme Support", "is_forum": true},
        "from": {"id": world.maria.0, "is_bot": false, "first_name": "Maria"},
    }})
}

#[tokio::test]
async fn an_update_without_the_right_secret_is_answered_401_and_does_nothing() {
    let world = World::new().await;
    let door = Door::telegram(&world);
    let body = update(&world, "Forged").to_string().into_bytes();
    let prefix = &WEBHOOK_SECRET[..WEBHOOK_SECRET.len() - 1];
    let header = "X-Telegram-Bot-Api-Secret-Token";
    for headers in [
        vec![],
        vec![(header, "")],
        vec![(header, "wrong")],
        vec![(header, prefix)],
        vec![("X-Secret-Token", WEBHOOK_SECRET)],
        // Which of the two would count?
        vec![(header, WEBHOOK_SECRET), (header, "wrong")],
    ] {
        let status = door.answers(Method::POST, &headers, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    // What is not authentic is not even parsed: it cannot be told from anything else.
    let status = door.answers(Method::POST, &[], b"{not json".to_vec()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    world.settle().await;
    assert_eq!(world.conversations(), 0);
    assert_eq!(door.takes_update(body).await, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.conversations(), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_notification_without_the_right_signature_is_answered_401_and_does_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    let door = Door::intercom(&world);
    let part = json!({
        "type": "conversation_part", "id": "99000001", "part_type": "comment", "body": "<p>Forged</p>",
        "created_at": world.stage.vendors.clock.now_s(), "redacted": false, "attachments": [],
        "author": {"type": "admin", "id": world.anna, "name": "Anna Weber"},
    });
    let body = json!({
        "type": "notification_event", "app_id": world.intercom().workspace_id(), "id": "notif_forged",
        "topic": "conversation.admin.replied", "created_at": world.stage.vendors.clock.now_s(),
        "data": {"type": "notification_event_data", "item": {
            "type": "conversation", "id": world.conversation("Order 1042").id,
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
        }},
    });
    let body = body.to_string().into_bytes();
    let right = world.intercom().sign(&body);
    let of_another_body = world.intercom().sign(b"{}");
    let header = "X-Hub-Signature";
    for headers in [
        vec![],
        vec![(header, "")],
        vec![(header, "sha1=")],
        vec![(header, of_another_body.as_str())],
        vec![(header, right.trim_start_matches("sha1="))],
        vec![(header, right.as_str()), (header, of_another_body.as_str())],
    ] {
        let status = door.answers(Method::POST, &headers, body.clone()).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    let mut longer = body.clone();
    longer.push(b' ');
    let status = door.answers(Method::POST, &[(header, &right)], longer).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "the signature is over the body to the byte"
    );
    world.settle().await;
    assert!(world.customer_is_told(topic).is_empty());
    assert_eq!(door.takes_notification(body).await, StatusCode::OK);
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nForged"]);
    world.finish().await;
}

#[tokio::test]
async fn telegram_is_answered_200_for_whatever_can_never_succeed() {
    let world = World::new().await;
    let door = Door::telegram(&world);
    let stranger = json!({"update_id": 900_000_002, "message": {
        "message_id": 5, "date": 1, "text": "Hello", "chat": {"id": -100_999, "type": "supergroup", "title": "Elsewhere"},
        "from": {"id": 1, "is_bot": false, "first_name": "Nobody"},
    }});
    let too_large = update(&world, &"a".repeat(9 * 1024 * 1024)).to_string();
    let length = u64::try_from(too_large.len()).unwrap();
    let of_tomorrow =
        json!({"update_id": 900_000_007, "kind_of_tomorrow": {"chat": {"id": world.forum, "type": "supergroup"}}});
    let mut pinned = update(&world, "");
    pinned["message"]["pinned_message"] = json!({"message_id": 5});
    pinned["message"].as_object_mut().unwrap().remove("text");
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no JSON", b"{\"update_id\": 1, ".to_vec()),
        ("no UTF-8", vec![0xff, 0xfe, 0x00]),
        ("no object", b"[1, 2, 3]".to_vec()),
        ("no update id", b"{\"message\": {}}".to_vec()),
        ("nothing in it", b"{\"update_id\": 900000003}".to_vec()),
        (
            "deep",
            [b"{\"update_id\":900000004,\"message\":".to_vec(), b"[".repeat(100_000)].concat(),
        ),
        (
            "of an unknown kind",
            b"{\"update_id\": 900000005, \"kind_of_tomorrow\": {\"chat\": 5}}".to_vec(),
        ),
        (
            "of odd types",
            b"{\"update_id\": 900000006, \"message\": {\"chat\": \"here\", \"text\": 5}}".to_vec(),
        ),
        ("from a chat not on the list", stranger.to_string().into_bytes()),
        ("of an unknown kind in the group", of_tomorrow.to_string().into_bytes()),
        ("of a kind that is no content", pinned.to_string().into_bytes()),
        ("larger than anything of Telegram's", too_large.into_bytes()),
    ];
    let (log, guard) = Log::listening();
    for (what, body) in bodies {
        assert_eq!(door.takes_update(body).await, StatusCode::OK, "{what}");
    }
    world.settle().await;
    drop(guard);
    assert_eq!(world.conversations(), 0);
    let counted = ["unreadable", "not_carried", "stranger"].map(|metric| log.counted(metric));
    assert_eq!(counted, [7, 5, 1]);
    assert_eq!(
        log.fields("body.length").last(),
        Some(&length),
        "what was not read has its length all the same"
    );
    world.order().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello"],
        "the group is not blocked"
    );
    world.finish().await;
}

#[tokio::test]
async fn intercom_is_answered_200_for_whatever_can_never_succeed() {
    let world = World::new().await;
    let topic = world.order().await;
    let door = Door::intercom(&world);
    let app = world.intercom().workspace_id();
    let notification = |topic: &str, item: Value| {
        let body = json!({"type": "notification_event", "app_id": app, "id": format!("notif_{topic}"), "topic": topic,
            "data": {"item": item}});
        body.to_string().into_bytes()
    };
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("no JSON", b"{\"topic\": ".to_vec()),
        ("no UTF-8", vec![0xff, 0xfe, 0x00]),
        ("no object", b"\"ping\"".to_vec()),
        ("no workspace", b"{\"topic\": \"conversation.admin.replied\"}".to_vec()),
        ("deep", [b"{\"data\":".to_vec(), b"[".repeat(100_000)].concat()),
        ("a ping", notification("ping", json!({"type": "ping"}))),
        (
            "of an unknown kind",
            notification("conversation.of_tomorrow", json!({"id": "5"})),
        ),
        (
            "of odd types",
            notification("conversation.admin.replied", json!([5, "x"])),
        ),
        (
            "of a conversation that is not there",
            notification("conversation.admin.replied", json!({"type": "conversation", "id": "1"})),
        ),
        (
            "larger than anything of Intercom's",
            notification("conversation.admin.replied", json!("a".repeat(20 * 1024 * 1024))),
        ),
    ];
    let (log, guard) = Log::listening();
    for (what, body) in bodies {
        assert_eq!(door.takes_notification(body).await, StatusCode::OK, "{what}");
    }
    world.settle().await;
    drop(guard);
    assert_eq!(["unreadable", "not_carried"].map(|metric| log.counted(metric)), [6, 4]);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn webhooks_know_two_methods() {
    let world = World::new().await;
    for door in [Door::telegram(&world), Door::intercom(&world)] {
        assert_eq!(door.answers(Method::HEAD, &[], Vec::new()).await, StatusCode::OK);
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert_eq!(
                door.answers(method, &[], Vec::new()).await,
                StatusCode::METHOD_NOT_ALLOWED
            );
        }
    }
    world.finish().await;
}

#[tokio::test]
async fn a_notification_of_another_workspace_is_taken_and_not_carried() {
    let world = World::new().await;
    let topic = world.order().await;
    let part = json!({
        "type": "conversation_part", "id": "99000002", "part_type": "comment", "body": "<p>Elsewhere</p>",
        "created_at": world.stage.vendors.clock.now_s(), "author": {"type": "admin", "id": "1", "name": "Eve"},
    });
    let body = json!({
        "type": "notification_event", "app_id": "another", "id": "notif_other", "topic": "conversation.admin.replied",
        "data": {"item": {"type": "conversation", "id": world.conversation("Order 1042").id,
            "conversation_parts": {"conversation_parts": [part]}}},
    });
    let door = Door::intercom(&world);
    let (log, guard) = Log::listening();
    assert_eq!(door.takes_notification(body.to_string()).await, StatusCode::OK);
    world.settle().await;
    drop(guard);
    assert_eq!(log.counted("not_carried"), 1);
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}
