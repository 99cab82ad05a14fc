//! Notifications: signature, payload, the two attempts, what is lost, doubled, reordered.

mod intercom_support;

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use intercom_support::{Endpoint, Received};
use serde_json::json;
use sha1::Sha1;
use simulators::intercom::{BotTopics, File, OneClick, RedactionPayload, Reply, TOPICS};

#[expect(clippy::expect_used, reason = "HMAC takes any key")]
fn expected_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(body);
    format!("sha1={}", hex::encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_url_is_checked_when_it_is_set() {
    let endpoint = Endpoint::default();
    endpoint.answers_head(503);
    let caller = intercom_support::Caller::new().await;
    let url = endpoint.start().await;
    assert!(caller.sim.subscribe(&url).await.is_err());
    assert_eq!(caller.sim.pending(), 0);
    endpoint.answers_head(200);
    caller.sim.subscribe(&url).await.expect("a subscription");
    assert_eq!(caller.sim.pump().await, 1);
    let ping = endpoint.take().pop().expect("a ping");
    assert_eq!((ping.topic(), &ping.body["id"]), ("ping", &json!(null)));
}

#[tokio::test]
async fn notifications_are_signed_over_their_raw_body() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(TOPICS).await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    caller.sim.agent_replies(&conversation, &agent, "Grüße");
    let old = caller.sim.client_secret();
    caller.sim.pump().await;
    let new = caller.sim.rotate_client_secret();
    caller.sim.agent_replies(&conversation, &agent, "again");
    caller.sim.inject_raw(*b"not json", Some("sha1=00"));
    caller.sim.pump().await;
    let received = endpoint.take();
    let topics: Vec<_> = received.iter().map(|one| one.topic().to_owned()).collect();
    assert_eq!(
        topics,
        [
            "conversation.user.created",
            "conversation.admin.replied",
            "conversation.admin.replied",
            ""
        ]
    );
    assert_eq!(received[1].signature, Some(expected_signature(&old, &received[1].raw)));
    assert_eq!(received[2].signature, Some(expected_signature(&new, &received[2].raw)));
    assert_eq!(received[2].signature, Some(caller.sim.sign(&received[2].raw)));
    assert_eq!(
        (received[3].signature.as_deref(), received[3].raw.as_slice()),
        (Some("sha1=00"), &b"not json"[..])
    );
    assert!(
        received
            .iter()
            .all(|one| one.user_agent == "intercom-parrot-service-client/1.0")
    );
}

#[tokio::test]
async fn a_reply_comes_as_a_conversation_with_one_part() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (contact, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    caller.sim.agent_replies(&conversation, &agent, "<p>first</p>");
    let reply = Reply::html("<p class=\"no-margin\">see <a href=\"https://example.com/?a=1&amp;b=2\">this</a></p>");
    let part = caller.sim.agent_replies_with(
        &conversation,
        &agent,
        reply.with_file(File::new("a.txt", "text/plain", *b"x")),
    );
    caller.sim.pump().await;
    let received = endpoint.take().pop().expect("a notification");
    assert_eq!(received.body["type"], "notification_event");
    assert_eq!(received.body["app_id"], caller.sim.workspace_id());
    assert!(received.body["id"].as_str().is_some_and(|id| id.starts_with("notif_")));
    assert_eq!(received.body["created_at"], caller.clock.now_s());
    let item = &received.body["data"]["item"];
    assert_eq!(
        (&item["type"], &item["id"]),
        (&json!("conversation"), &json!(conversation))
    );
    assert_eq!(item["contacts"]["contacts"][0]["id"], json!(contact));
    assert_eq!(item["source"]["body"], "<p>Hello</p>");
    assert_eq!(item["conversation_parts"]["total_count"], 1);
    assert_eq!(
        (&received.part()["id"], &received.part()["part_type"]),
        (&json!(part), &json!("comment"))
    );
    assert!(
        received.part()["body"]
            .as_str()
            .is_some_and(|body| body.starts_with("<p class="))
    );
    assert_eq!(received.part()["author"]["type"], "admin");
    assert_eq!(received.part()["attachments"][0]["filesize"], 1);
}

#[tokio::test]
async fn from_2_15_on_bodies_are_plain_text() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    for (version, unassigned) in [("2.15", json!(null)), ("2.16", json!(0))] {
        caller.sim.set_api_version(version);
        let image = File::new("shot.png", "image/png", *b"png");
        let reply = Reply::html("<p>see <a href=\"https://example.com/?a=1&amp;b=2\">this</a> &lt;3</p><p>two</p>");
        caller
            .sim
            .agent_replies_with(&conversation, &agent, reply.with_image(image));
        caller.sim.pump().await;
        let received = endpoint.take().pop().expect("a notification");
        assert_eq!(
            received.part()["body"],
            "see this (https://example.com/?a=1&b=2) <3\ntwo\n[Image]"
        );
        assert_eq!(received.body["data"]["item"]["admin_assignee_id"], unassigned);
        assert!(received.body["data"]["item"]["statistics"]["last_admin_reply_at"].is_i64());
    }
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_once_after_a_minute() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    endpoint.answers(&[500, 200, 404, 503]);
    caller.sim.agent_replies(&conversation, &agent, "one");
    assert_eq!(caller.sim.pump().await, 1);
    assert_eq!(caller.sim.pump().await, 0);
    assert_eq!(caller.sim.next_due_ms(), Some(caller.clock.now_ms() + 60_000));
    caller.advance(60);
    assert_eq!(caller.sim.pump().await, 1);
    let received = endpoint.take();
    assert_eq!(received[0].body["id"], received[1].body["id"]);
    assert_eq!(
        (
            &received[0].body["delivery_attempts"],
            &received[1].body["delivery_attempts"]
        ),
        (&json!(1), &json!(2))
    );
    assert_eq!((caller.sim.pending(), caller.sim.lost()), (0, 0));

    caller.sim.agent_replies(&conversation, &agent, "two");
    caller.sim.pump().await;
    caller.advance(60);
    caller.sim.pump().await;
    assert_eq!((caller.sim.pending(), caller.sim.lost()), (0, 1));
    let statuses: Vec<_> = caller.sim.sent().iter().map(|sent| sent.status).collect();
    assert_eq!(statuses, [Some(200), Some(500), Some(200), Some(404), Some(503)]);
}

#[tokio::test]
async fn an_endpoint_that_is_too_slow_has_failed() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    caller
        .sim
        .configure(|options| options.webhook_timeout = Duration::from_millis(300));
    endpoint.is_slow(Duration::from_secs(3));
    caller
        .sim
        .agent_replies(&conversation, &caller.sim.admin("Grace"), "one");
    caller.sim.pump().await;
    assert_eq!(
        (
            caller.sim.sent().pop().and_then(|sent| sent.status),
            caller.sim.pending()
        ),
        (None, 1)
    );
    endpoint.is_slow(Duration::ZERO);
    caller.advance(60);
    caller.sim.pump().await;
    assert_eq!(endpoint.take().len(), 2, "the slow endpoint gets it twice");
}

#[tokio::test]
async fn a_410_ends_the_subscription_and_a_429_slows_it_down() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    endpoint.answers(&[429, 429, 200]);
    caller.sim.agent_replies(&conversation, &agent, "one");
    caller.sim.pump().await;
    assert_eq!(caller.sim.next_due_ms(), Some(caller.clock.now_ms() + 60_000));
    caller.advance(60);
    caller.sim.pump().await;
    assert_eq!(
        caller.sim.next_due_ms(),
        Some(caller.clock.now_ms() + 120_000),
        "the delay grows"
    );
    caller.advance(120);
    caller.sim.pump().await;
    assert_eq!((caller.sim.pending(), caller.sim.lost()), (0, 0));

    endpoint.answers(&[410]);
    caller.sim.agent_replies(&conversation, &agent, "two");
    caller.sim.pump().await;
    assert!(caller.sim.is_disabled());
    caller.sim.agent_replies(&conversation, &agent, "three");
    assert_eq!(caller.sim.pending(), 0);
}

#[tokio::test]
async fn a_bots_reply_comes_on_two_topics() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(TOPICS).await;
    let (_, conversation) = caller.opened().await;
    caller.sim.bot("Fin");
    caller.sim.bot_replies(&conversation, "I am a bot");
    caller
        .sim
        .configure(|options| options.bot_topics = BotTopics::OperatorOnly);
    caller.sim.bot_replies(&conversation, "still");
    caller.sim.pump().await;
    let received = endpoint.take();
    let topics: Vec<_> = received.iter().skip(1).map(|one| one.topic().to_owned()).collect();
    assert_eq!(
        topics,
        [
            "conversation.admin.replied",
            "conversation.operator.replied",
            "conversation.operator.replied"
        ]
    );
    assert_ne!(received[1].body["id"], received[2].body["id"]);
    assert_eq!(received[1].part()["id"], received[2].part()["id"]);
    assert_eq!(received[1].part()["author"]["type"], "bot");
}

#[tokio::test]
async fn one_click_on_reply_and_close_or_assign() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(TOPICS).await;
    let (_, conversation) = caller.opened().await;
    caller.sim.pump().await;
    endpoint.take();
    let agent = caller.sim.admin("Grace");
    let cases = [
        (OneClick::Observed, true, vec!["conversation.admin.closed"], "close"),
        (
            OneClick::Both,
            true,
            vec!["conversation.admin.replied", "conversation.admin.closed"],
            "close",
        ),
        (
            OneClick::Observed,
            false,
            vec!["conversation.admin.replied", "conversation.admin.open.assigned"],
            "assign_and_reopen",
        ),
        (
            OneClick::StateOnly,
            false,
            vec!["conversation.admin.assigned"],
            "assignment",
        ),
    ];
    for (one_click, close, topics, kind) in cases {
        caller.sim.configure(|options| options.one_click = one_click);
        let assign = (!close).then(|| caller.sim.own_admin());
        caller.sim.agent_replies_with(
            &conversation,
            &agent,
            Reply {
                close,
                assign,
                ..Reply::text("done")
            },
        );
        caller.sim.pump().await;
        let received = endpoint.take();
        assert_eq!(
            received.iter().map(Received::topic).collect::<Vec<_>>(),
            topics,
            "{one_click:?}"
        );
        for one in &received {
            assert_eq!(one.part()["part_type"], kind);
            assert!(one.part()["body"].as_str().is_some_and(|body| body.contains("done")));
        }
    }
}

#[tokio::test]
async fn our_own_comment_comes_back_even_before_the_answer() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    caller.comment(&conversation, "after").await;
    assert_eq!(endpoint.take().len(), 0);
    caller.sim.pump().await;
    assert_eq!(endpoint.take().len(), 1);

    caller.sim.configure(|options| {
        options.notify_before_answer = true;
        options.app_package_code = Some("bridge-abcd".to_owned());
    });
    let answer = caller.comment(&conversation, "before").await;
    let received = endpoint.take();
    assert_eq!(received.len(), 1, "it was there before the answer");
    let parts = answer.body["conversation_parts"]["conversation_parts"]
        .as_array()
        .expect("parts")
        .clone();
    assert_eq!(received[0].part()["id"], parts.last().expect("a part")["id"]);
    assert_eq!(received[0].part()["app_package_code"], "bridge-abcd");
    assert_eq!(caller.sim.pending(), 0);
}

#[tokio::test]
async fn redaction_and_deletion_are_told() {
    let endpoint = Endpoint::default();
    let caller = endpoint
        .subscribed(&["conversation_part.redacted", "conversation.deleted"])
        .await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    let first = caller.sim.agent_replies(&conversation, &agent, "one");
    let second = caller.sim.agent_replies(&conversation, &agent, "two");
    caller.sim.agent_redacts(&first);
    caller
        .sim
        .configure(|options| options.redaction_payload = RedactionPayload::Minimal);
    caller.sim.agent_redacts(&second);
    caller.sim.pump().await;
    caller.sim.delete_conversation(&conversation);
    caller.sim.pump().await;
    let received = endpoint.take();
    assert_eq!(
        (&received[0].part()["id"], &received[0].part()["redacted"]),
        (&json!(first), &json!(true))
    );
    assert_eq!(
        received[1].body["data"]["item"],
        json!({"type": "conversation", "id": conversation})
    );
    assert_eq!(
        received[2].body["data"]["item"],
        json!({"type": "conversation", "conversation_id": conversation})
    );
}

#[tokio::test]
async fn what_was_redacted_meanwhile_is_sent_redacted() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    let part = caller
        .sim
        .agent_replies(&conversation, &caller.sim.admin("Grace"), "oops");
    caller.sim.agent_redacts(&part);
    caller.sim.pump().await;
    assert_eq!(endpoint.take()[0].part()["redacted"], true);
}

#[tokio::test]
async fn a_payload_may_carry_a_bare_state_part() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    caller.sim.configure(|options| options.bare_state_parts = true);
    let part = caller
        .sim
        .agent_replies(&conversation, &caller.sim.admin("Grace"), "text");
    caller.sim.pump().await;
    let received = endpoint.take();
    assert_eq!(received[0].part()["body"], json!(null));
    assert_ne!(received[0].part()["id"], json!(part));
    let shown = caller.get(&format!("/conversations/{conversation}")).await.body;
    assert_eq!(shown["conversation_parts"]["conversation_parts"][0]["id"], json!(part));
}

#[tokio::test]
async fn notifications_are_doubled_shuffled_and_lost() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    caller.sim.duplicate_notifications(2);
    caller.sim.agent_replies(&conversation, &agent, "one");
    assert_eq!(caller.sim.pump().await, 3);
    let received = endpoint.take();
    assert!(received.iter().all(|one| one.body["id"] == received[0].body["id"]));

    caller.sim.duplicate_notifications(0);
    caller.sim.shuffle_notifications(Some(7));
    let parts: Vec<_> = (0..10)
        .map(|at| caller.sim.agent_replies(&conversation, &agent, &format!("{at}")))
        .collect();
    caller.sim.pump().await;
    let order: Vec<_> = endpoint
        .take()
        .iter()
        .map(|one| one.part()["id"].as_str().expect("an id").to_owned())
        .collect();
    assert_ne!(order, parts);
    let mut sorted = order;
    sorted.sort();
    assert_eq!(sorted, parts);

    caller.sim.lose_notifications(true);
    caller.sim.agent_replies(&conversation, &agent, "gone");
    assert_eq!((caller.sim.pump().await, caller.sim.lost()), (0, 1));
}

#[tokio::test]
async fn the_background_sends_by_itself() {
    let endpoint = Endpoint::default();
    let caller = endpoint.subscribed(&["conversation.admin.replied"]).await;
    let (_, conversation) = caller.opened().await;
    caller.sim.run_in_background();
    caller
        .sim
        .agent_replies(&conversation, &caller.sim.admin("Grace"), "one");
    while caller.sim.pending() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(endpoint.take().len(), 1);
}
