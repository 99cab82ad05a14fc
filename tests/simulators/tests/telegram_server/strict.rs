//! What is refused, in which words, and what counts as a violation.

use serde_json::{Value, json};
use simulators::telegram::{Place, Seen};

use crate::support::World;

/// Parameters beside the chat, and the words after `Bad Request: `.
type Row = (Value, &'static str);

/// Calls a method with each row's parameters; each must be refused, and be a violation.
async fn expect_refused(world: &World, method: &str, rows: Vec<Row>) {
    let before = world.sim.violations().len();
    for (at, (mut params, words)) in rows.into_iter().enumerate() {
        params["chat_id"] = world.forum.into();
        let answer = world.call(method, params).await;
        assert_eq!(answer.status, 400, "{method}, row {at}");
        let (got, expected) = (answer.description(), format!("Bad Request: {words}"));
        assert!(got.starts_with(&expected), "{method}, row {at}: {got}");
        let violations = world.sim.violations();
        assert_eq!(violations.len(), before + at + 1, "{method}, row {at}: {violations:?}");
    }
    assert!(world.sim.messages(Place::chat(world.forum)).is_empty());
}

#[tokio::test]
async fn wrong_texts_are_refused_and_kept() {
    let world = World::new().await;
    let too_long = "x".repeat(4097);
    let with = |text: &str, kind: &str, offset: i64, length: i64| json!({ "text": text, "entities": [{ "type": kind, "offset": offset, "length": length }] });
    let rows = vec![
        (json!({}), "message text is empty"),
        (json!({ "text": " \n " }), "message text is empty"),
        (json!({ "text": too_long }), "message is too long"),
        (json!({ "text": 5 }), "can't parse text: expected String, got 5"),
        (
            with("ab", "bold", 1, 2),
            "entity beginning at UTF-16 offset 1 ends after",
        ),
        (
            with("😀", "bold", 1, 1),
            "entity beginning at UTF-16 offset 1 begins in",
        ),
        (with("x", "big", 0, 1), "can't parse entities[0].type: value \"big\""),
        (
            with("x", "text_link", 0, 1),
            "can't parse entities: Can't find field \"url\"",
        ),
        (
            json!({ "text": "<p>x", "parse_mode": "HTML" }),
            "can't parse entities: Unsupported start tag",
        ),
        (
            json!({ "text": "*x*", "parse_mode": "Markdown" }),
            "unsupported parse_mode",
        ),
    ];
    expect_refused(&world, "sendMessage", rows).await;
}

#[tokio::test]
async fn wrong_references_are_refused_and_kept() {
    let world = World::new().await;
    let rows = vec![
        (
            json!({ "text": "x", "message_thread_id": "a" }),
            "can't parse message_thread_id",
        ),
        (
            json!({ "text": "x", "message_thread_id": 1 }),
            "message thread not found",
        ),
        (
            json!({ "text": "x", "message_thread_id": 77 }),
            "message thread not found",
        ),
        (
            json!({ "text": "x", "reply_parameters": { "message_id": 999 } }),
            "message to be replied not found",
        ),
        (
            json!({ "text": "x", "reply_parameters": {} }),
            "can't parse reply_parameters",
        ),
    ];
    expect_refused(&world, "sendMessage", rows).await;
    expect_refused(
        &world,
        "closeForumTopic",
        vec![(json!({ "message_thread_id": 77 }), "TOPIC_ID_INVALID")],
    )
    .await;
    let url = json!({ "photo": "https://e.example/a.jpg" });
    expect_refused(
        &world,
        "sendPhoto",
        vec![(url, "wrong file identifier/HTTP URL specified")],
    )
    .await;
}

#[tokio::test]
async fn other_mistakes_are_refused_and_kept() {
    let world = World::new().await;
    let said = world.sim.say(world.ada, world.topic(), "x");
    let emoji = |emoji: &str| json!({ "type": "emoji", "emoji": emoji });
    let react = |reaction: Value| json!({ "message_id": said, "reaction": reaction });
    let (too_long, caption) = ("x".repeat(129), "x".repeat(1025));
    for (method, rows) in [
        (
            "sendDocument",
            vec![
                (json!({}), "there is no document in the request"),
                (
                    json!({ "document": "x", "caption": caption }),
                    "message caption is too long",
                ),
            ],
        ),
        (
            "sendChatAction",
            vec![(json!({ "action": "sleeping" }), "wrong parameter action in request")],
        ),
        (
            "createForumTopic",
            vec![
                (json!({ "name": "" }), "name must be non-empty"),
                (json!({ "name": too_long }), "TOPIC_TITLE_TOO_LONG"),
                (json!({ "name": "x", "icon_color": 1 }), "invalid icon color specified"),
            ],
        ),
        (
            "setMessageReaction",
            vec![
                (react(json!([emoji("x")])), "REACTION_INVALID"),
                (react(json!([emoji("👍"), emoji("👎")])), "REACTIONS_TOO_MANY"),
            ],
        ),
        (
            "deleteMessages",
            vec![(json!({ "message_ids": [] }), "there must be 1-100")],
        ),
    ] {
        expect_refused(&world, method, rows).await;
    }
}

#[tokio::test]
async fn what_the_real_server_passes_over_is_done_and_kept() {
    let world = World::new().await;
    let many: Vec<Value> = (0..101)
        .map(|at| json!({ "type": "bold", "offset": at, "length": 1 }))
        .collect();
    let crossing =
        json!([{ "type": "bold", "offset": 0, "length": 3 }, { "type": "italic", "offset": 2, "length": 3 }]);
    for (params, kept) in [
        (json!({ "colour": "red" }), "sendMessage: unknown parameter `colour`"),
        (
            json!({ "link_preview_options": { "big": true } }),
            "sendMessage: unknown field `link_preview_options.big`",
        ),
        (json!({ "entities": many }), "101 entities, only 100 are kept"),
        (json!({ "entities": crossing }), "entities that clash"),
    ] {
        let mut params = params;
        params["chat_id"] = world.forum.into();
        params["text"] = "x".repeat(200).into();
        world.call("sendMessage", params).await.message_id();
        let violations = world.sim.violations();
        assert!(
            violations.last().is_some_and(|last| last.starts_with(kept)),
            "{violations:?}"
        );
    }
    assert_eq!(world.sim.violations().len(), 4);
}

#[tokio::test]
async fn correct_calls_leave_no_violation() {
    let world = World::new().await;
    let text = "é".repeat(4096);
    world.send(None, &text).await.message_id();
    let fine = json!({
        "chat_id": world.forum, "text": "😀 bold", "disable_notification": null,
        "entities": [{ "type": "bold", "offset": 3, "length": 4 }],
        "link_preview_options": { "is_disabled": true },
        "reply_parameters": { "message_id": 999, "allow_sending_without_reply": true },
    });
    world.call("SENDmessage", fine).await.message_id();
    let seen = world.sim.messages(Place::chat(world.forum));
    assert_eq!(
        seen.iter().map(Seen::html).collect::<Vec<_>>(),
        [text, "😀 <b>bold</b>".to_owned()]
    );
    assert_eq!(seen[1].reply_to, None);
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn every_way_to_send_arguments_works() {
    let world = World::new().await;
    let chat = world.forum;
    let by_get = world
        .get(format!("{}?chat_id={chat}&text=one%20word", world.url("sendMessage")))
        .await;
    assert!(by_get.status().is_success());
    let entities = "%5B%7B%22type%22%3A%22code%22%2C%22offset%22%3A0%2C%22length%22%3A3%7D%5D";
    let body = format!("chat_id={chat}&text=two&disable_notification=true&entities={entities}");
    world.urlencoded("sendMessage", &body).await.message_id();
    let form = reqwest::multipart::Form::new()
        .text("chat_id", chat.to_string())
        .text("text", "three");
    world.form("sendMessage", form).await.message_id();
    let seen: Vec<String> = world.sim.messages(Place::chat(chat)).iter().map(Seen::html).collect();
    assert_eq!(seen, ["one word", "<code>two</code>", "three"]);
    let wrong = world
        .urlencoded("sendMessage", &format!("chat_id={chat}&text=x&disable_notification=si"))
        .await;
    assert_eq!(wrong.status, 400);
    assert_eq!(world.sim.violations().len(), 1);
}

#[tokio::test]
async fn tokens_and_methods_are_checked() {
    let world = World::new().await;
    let base = world.sim.base_url();
    let secret = "A".repeat(35);
    for (path, status, words) in [
        ("botnonsense/getMe".to_owned(), 404, "Not Found"),
        (format!("bot{}:{secret}/getMe", world.bot.id), 401, "Unauthorized"),
        (
            format!("bot{}:a!b/getMe", world.bot.id),
            401,
            "Unauthorized: invalid token specified",
        ),
        (
            format!("bot{}/sendFax", world.bot.token),
            404,
            "Not Found: method not found",
        ),
    ] {
        let response = world.get(format!("{base}/{path}")).await;
        assert_eq!(response.status(), status, "{path}");
        let body: Value = response.json().await.expect("JSON");
        assert_eq!(body, json!({ "ok": false, "error_code": status, "description": words }));
    }
    let renewed = world.sim.rotate_token(&world.bot);
    assert_eq!(world.call("getMe", json!({})).await.status, 401);
    let again = world.get(format!("{base}/bot{}/getMe", renewed.token)).await;
    assert!(again.status().is_success());
    let log = format!("{:?}", world.sim.calls());
    assert!(!log.contains(&world.bot.token) && !log.contains(&renewed.token));
}

#[tokio::test]
async fn answers_have_the_shape_of_messages() {
    let world = World::new().await;
    let me = world.call("getMe", json!({})).await;
    assert_eq!(me.result()["username"], "helper_bot");
    assert_eq!(me.result()["can_read_all_group_messages"], false);
    let sent = world.send(None, "hi").await;
    let expected = json!({
        "message_id": 2,
        "from": { "id": world.bot.id, "is_bot": true, "first_name": "Helper", "username": "helper_bot" },
        "chat": { "id": world.forum, "title": "Customers", "type": "supergroup", "is_forum": true },
        "date": crate::support::START_MS / 1000, "text": "hi",
    });
    assert_eq!(sent.result(), &expected);
}

#[tokio::test]
async fn edits_and_deletions_follow_the_rules() {
    let world = World::new().await;
    let id = world.send(None, "first").await.message_id();
    let edit = |text: &str, id: i64| json!({ "chat_id": world.forum, "message_id": id, "text": text });
    let edited = world.call("editMessageText", edit("second", id)).await;
    assert_eq!(edited.result()["edit_date"], crate::support::START_MS / 1000);
    let same = world.call("editMessageText", edit("second", id)).await;
    assert!(same.description().starts_with("Bad Request: message is not modified: "));
    let theirs = world.sim.say(world.ada, Place::chat(world.forum), "mine");
    for (id, words) in [(theirs, "message can't be edited"), (999, "message to edit not found")] {
        let refused = world.call("editMessageText", edit("x", id)).await;
        assert_eq!(refused.description(), format!("Bad Request: {words}"));
    }
    let delete = |id: i64| json!({ "chat_id": world.forum, "message_id": id });
    assert_eq!(world.call("deleteMessage", delete(id)).await.result(), true);
    let again = world.call("deleteMessage", delete(id)).await;
    assert_eq!(again.description(), "Bad Request: message to delete not found");
    world.clock.advance(std::time::Duration::from_hours(48));
    let late = world.call("deleteMessage", delete(theirs)).await;
    assert_eq!(late.description(), "Bad Request: message can't be deleted");
    let several = json!({ "chat_id": world.forum, "message_ids": [id, 998] });
    assert_eq!(world.call("deleteMessages", several).await.result(), true);
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn replies_and_quotes_point_at_messages() {
    let world = World::new().await;
    let topic = world.topic();
    let question = world.sim.say(world.ada, topic, "where is my parcel?");
    let reply = |quote: &str| {
        json!({ "chat_id": world.forum, "message_thread_id": topic.topic, "text": "on its way",
            "reply_parameters": { "message_id": question, "quote": quote } })
    };
    let sent = world.call("sendMessage", reply("my parcel")).await;
    assert_eq!(sent.result()["reply_to_message"]["message_id"], question);
    assert_eq!(sent.result()["quote"]["position"], 9);
    assert_eq!(
        world.call("sendMessage", reply("my car")).await.description(),
        "Bad Request: QUOTE_TEXT_INVALID"
    );
    let elsewhere = world.topic();
    let crossing = json!({ "chat_id": world.forum, "message_thread_id": elsewhere.topic, "text": "oops",
        "reply_parameters": { "message_id": question } });
    assert_eq!(
        world.call("sendMessage", crossing).await.result()["external_reply"]["message_id"],
        question
    );
    assert_eq!(world.sim.violations().len(), 1);
}
