//! Delivery: order, retries, expiry, and what a webhook's answer means.

use std::time::Duration;

use serde_json::json;
use simulators::telegram::{Place, Rights};

use crate::support::{START_MS, World};

#[tokio::test]
async fn updates_carry_the_secret_and_count_up() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    let place = world.topic();
    world.sim.say(world.ada, place, "one");
    assert_eq!(world.sim.pending(), 2);
    assert_eq!(world.sim.next_due_ms(), Some(START_MS));
    assert_eq!(world.sim.pump().await, 2);
    let got = webhook.take();
    assert_eq!(got[0].headers["x-telegram-bot-api-secret-token"], "s3cret");
    assert_eq!(got[0].headers["content-type"], "application/json");
    assert_eq!(got[1].update(), got[0].update() + 1);
    assert_eq!((world.sim.pending(), world.sim.next_due_ms()), (0, None));
}

#[tokio::test]
async fn a_failing_head_blocks_its_chat_and_no_other() {
    let world = World::new().await;
    let other = world.sim.supergroup("Others", false);
    world.sim.promote_bot(&world.bot, other, Rights::all());
    let webhook = world.listen(&[]).await;
    let (one, two) = (Place::chat(world.forum), Place::chat(other));
    webhook.answer(500, None);
    webhook.answer(500, None);
    world.sim.say(world.ada, one, "poison");
    world.sim.say(world.ada, one, "behind it");
    world.sim.say(world.ada, two, "elsewhere");
    assert_eq!(world.sim.pump().await, 3);
    assert_eq!(webhook.texts(), ["poison", "poison", "elsewhere"]);
    assert_eq!(world.sim.next_due_ms(), Some(START_MS + 2_000));
    assert_eq!(world.sim.pump().await, 0);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.sim.pump().await, 2);
    assert_eq!(webhook.texts(), ["poison", "behind it"]);
}

#[tokio::test]
async fn retries_grow_and_honour_retry_after() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    for retry_after in [
        None,
        None,
        Some("30"),
        Some("99999"),
        Some("Wed, 21 Oct 2026 07:28:00 GMT"),
    ] {
        webhook.answer(503, retry_after);
    }
    world.sim.say(world.ada, Place::chat(world.forum), "x");
    let mut delays = Vec::new();
    while let Some(due) = world.sim.next_due_ms() {
        delays.push((due - world.clock.now_ms()) / 1000);
        world.clock.advance_to(due);
        world.sim.pump_one().await;
    }
    assert_eq!(delays, [0, 0, 2, 30, 3600, 4]);
    let ids: Vec<i64> = webhook.take().iter().map(crate::support::Delivered::update).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
}

#[tokio::test]
async fn updates_expire_after_a_day() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    (0..5_000).for_each(|_| webhook.answer(500, None));
    world.sim.say(world.ada, Place::chat(world.forum), "never");
    let mut attempts = 0;
    while let Some(due) = world.sim.next_due_ms() {
        world.clock.advance_to(due);
        attempts += world.sim.pump().await;
    }
    let age = Duration::from_millis(u64::try_from(world.clock.now_ms() - START_MS).expect("a positive age"));
    assert!(
        age <= Duration::from_hours(24) && age > Duration::from_hours(24) - Duration::from_secs(130),
        "{age:?}"
    );
    assert!(attempts > 700, "{attempts}");
    let info = world.call("getWebhookInfo", json!({})).await;
    assert_eq!(
        info.result()["last_error_message"],
        "Wrong response from the webhook: 500 Internal Server Error"
    );
    assert_eq!(info.result()["pending_update_count"], 0);
}

#[tokio::test]
async fn a_webhook_that_is_gone_for_a_day_is_closed() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    (0..5_000).for_each(|_| webhook.answer(410, None));
    world.sim.say(world.ada, Place::chat(world.forum), "anyone?");
    while let Some(due) = world.sim.next_due_ms() {
        world.clock.advance_to(due);
        world.sim.pump().await;
    }
    assert_eq!(world.sim.pending(), 1);
    assert_eq!(world.call("getWebhookInfo", json!({})).await.result()["url"], "");
}

#[tokio::test]
async fn a_lost_answer_means_the_same_update_again() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    let place = Place::chat(world.forum);
    world.sim.lose_webhook_answers(1);
    world.sim.say(world.ada, place, "lost");
    world.sim.pump().await;
    assert_eq!(webhook.texts(), ["lost", "lost"]);
    world.sim.duplicate_updates(3);
    world.sim.say(world.ada, place, "often");
    world.sim.pump().await;
    let got = webhook.take();
    assert_eq!(got.len(), 3);
    world.sim.duplicate_updates(1);
    assert!(world.sim.redeliver(got[0].update()));
    assert!(!world.sim.redeliver(5));
    world.sim.pump().await;
    assert_eq!(webhook.take()[0].update(), got[0].update());
}

#[tokio::test]
async fn a_slow_or_absent_webhook_fails() {
    let world = World::new().await;
    world.sim.set_webhook_timeout(Duration::from_millis(100));
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    world
        .call("setWebhook", json!({ "url": url, "drop_pending_updates": true }))
        .await
        .result();
    world.sim.say(world.ada, Place::chat(world.forum), "x");
    assert!(world.sim.pump_one().await);
    let info = world.call("getWebhookInfo", json!({})).await;
    assert_eq!(info.result()["last_error_message"], "Read timeout expired");
    drop(silent);
    assert!(world.sim.pump_one().await);
    let info = world.call("getWebhookInfo", json!({})).await;
    assert_eq!(info.result()["last_error_message"], "Connection refused");
}

#[tokio::test]
async fn raw_updates_go_out_as_they_are() {
    let world = World::new().await;
    let webhook = world.listen(&["message"]).await;
    let poison = json!({ "update_id": 42, "brand_new_kind": { "date": 1, "what": [null] } });
    assert_eq!(world.sim.inject(poison.clone()), 42);
    world.sim.inject(json!({ "message": { "message_id": 0 } }));
    world.sim.jump_update_id(&world.bot, 2_000_000_000);
    world.sim.say(world.ada, Place::chat(world.forum), "later");
    world.sim.pump().await;
    let got = webhook.take();
    assert_eq!(got[0].body, poison);
    assert_eq!(got[2].update(), 2_000_000_000);
}

#[tokio::test]
async fn an_answer_can_be_a_call() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    let place = Place::chat(world.forum);
    let call = json!({ "method": "sendMessage", "chat_id": world.forum, "text": "echo" });
    webhook.answer_with(200, None, &call.to_string());
    webhook.answer_with(200, None, &json!({ "method": "deleteWebhook" }).to_string());
    world.sim.say(world.ada, place, "a");
    world.sim.say(world.ada, place, "b");
    world.sim.pump().await;
    let texts: Vec<String> = world.sim.messages(place).into_iter().map(|seen| seen.text).collect();
    assert_eq!(texts, ["a", "b", "echo"]);
    assert_eq!(world.sim.calls_of("deleteWebhook"), 0);
}

#[tokio::test]
async fn polling_and_webhooks_exclude_each_other() {
    let world = World::new().await;
    let webhook = world.listen(&["message"]).await;
    let refused = world.call("getUpdates", json!({})).await;
    assert_eq!(refused.status, 409);
    assert!(
        refused
            .description()
            .starts_with("Conflict: can't use getUpdates method while webhook is active")
    );
    let same = json!({ "url": webhook.url, "secret_token": "s3cret" });
    assert_eq!(
        world.call("setWebhook", same).await.body["description"],
        "Webhook is already set"
    );
    let info = world.call("getWebhookInfo", json!({})).await;
    assert_eq!(info.result()["allowed_updates"], json!(["message"]));
    assert_eq!(
        world.call("deleteWebhook", json!({})).await.body["description"],
        "Webhook was deleted"
    );
    world.sim.say(world.ada, Place::chat(world.forum), "x");
    let updates = world.updates().await;
    assert_eq!(updates.len(), 1);
    let next = updates[0]["update_id"].as_i64().expect("an id") + 1;
    assert_eq!(
        world.call("getUpdates", json!({ "offset": next })).await.result(),
        &json!([])
    );
    for (url, secret, words) in [
        ("nonsense", "", "invalid webhook URL specified"),
        (
            "http://bridge.example/",
            "",
            "bad webhook: An HTTPS URL must be provided for webhook",
        ),
        (
            "https://bridge.example:8080/",
            "",
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ),
        (
            "https://bridge.example/",
            "with space",
            "secret token contains unallowed characters",
        ),
    ] {
        let refused = world
            .call("setWebhook", json!({ "url": url, "secret_token": secret }))
            .await;
        assert_eq!(refused.description(), format!("Bad Request: {words}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_delivers_by_itself() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    let task = world.sim.run_in_background();
    world.sim.say(world.ada, Place::chat(world.forum), "by itself");
    let arrived = async {
        while world.sim.pending() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived)
        .await
        .expect("a delivery");
    assert_eq!(webhook.texts(), ["by itself"]);
    task.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_chat_delays_no_other() {
    let world = World::new().await;
    let other = world.sim.supergroup("Others", false);
    world.sim.promote_bot(&world.bot, other, Rights::all());
    let webhook = world.listen(&[]).await;
    webhook.hold("slow");
    let task = world.sim.run_in_background();
    world.sim.say(world.ada, Place::chat(world.forum), "slow");
    world.sim.say(world.ada, Place::chat(world.forum), "behind it");
    world.sim.say(world.ada, Place::chat(other), "elsewhere");
    let arrived = async {
        while world.sim.pending() > 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), arrived)
        .await
        .expect("a delivery");
    let mut texts = webhook.texts();
    texts.sort();
    assert_eq!(texts, ["elsewhere", "slow"]);
    task.abort();
}

#[tokio::test]
async fn nothing_is_sent_to_other_machines() {
    let world = World::new().await;
    let params = json!({ "url": "https://bridge.example/hook", "drop_pending_updates": true });
    world.call("setWebhook", params).await.result();
    world.sim.say(world.ada, Place::chat(world.forum), "x");
    world.sim.pump().await;
    let info = world.call("getWebhookInfo", json!({})).await;
    assert_eq!(
        info.result()["last_error_message"],
        "Failed to resolve host: Name or service not known"
    );
    world.clock.advance(Duration::from_hours(25));
    assert_eq!((world.sim.pump().await, world.sim.pending()), (0, 0));
}
