//! Topics: where messages stand, and what can be done to topics.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::telegram::{Place, Right, Rights};

use crate::support::World;

#[tokio::test]
async fn messages_say_where_they_stand() {
    let world = World::new().await;
    let topic = world.topic();
    let first = world.sim.say(world.ada, topic, "hello");
    world.sim.say_with(
        world.ada,
        topic,
        simulators::telegram::Compose::text("again").reply_to(first),
    );
    world.sim.say(world.ada, Place::chat(world.forum), "in General");
    let updates = world.updates().await;
    let messages: Vec<&Value> = updates.iter().filter_map(|update| update.get("message")).collect();
    let [created, hello, again, general] = messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(created["message_id"], created["message_thread_id"]);
    assert_eq!(created["forum_topic_created"]["name"], "Refund");
    assert_eq!(hello["is_topic_message"], true);
    assert_eq!(hello["message_thread_id"], created["message_id"]);
    let implicit = &hello["reply_to_message"];
    assert_eq!(implicit["forum_topic_created"]["name"], "Refund");
    assert_eq!(implicit.get("reply_to_message"), None);
    assert_eq!(again["reply_to_message"]["message_id"], first);
    assert_eq!(again["reply_to_message"].get("reply_to_message"), None);
    for absent in ["message_thread_id", "is_topic_message", "reply_to_message"] {
        assert_eq!(general.get(absent), None, "{general}");
    }
}

#[tokio::test]
async fn replies_outside_topics_have_a_thread_but_no_topic() {
    let world = World::new().await;
    let plain = world.sim.supergroup("Chat", false);
    world.sim.promote_bot(&world.bot, plain, Rights::all());
    let place = Place::chat(plain);
    let root = world.sim.say(world.ada, place, "root");
    let reply = |target| simulators::telegram::Compose::text("reply").reply_to(target);
    let second = world.sim.say_with(world.ada, place, reply(root));
    world.sim.say_with(world.ada, place, reply(second));
    let updates = world.updates().await;
    for update in updates.iter().filter(|update| update["message"]["text"] == "reply") {
        assert_eq!(update["message"]["message_thread_id"], root);
        assert_eq!(update["message"].get("is_topic_message"), None);
    }
    let ignored = json!({ "chat_id": plain, "message_thread_id": 1, "text": "x" });
    assert_eq!(
        world
            .call("sendMessage", ignored)
            .await
            .result()
            .get("message_thread_id"),
        None
    );
}

#[tokio::test]
async fn a_bot_looks_after_topics() {
    let world = World::new().await;
    let webhook = world.listen(&[]).await;
    let created = world
        .call("createForumTopic", json!({ "chat_id": world.forum, "name": "Order 7" }))
        .await;
    let id = created.result()["message_thread_id"].as_i64().expect("a topic");
    let params = json!({ "chat_id": world.forum, "message_thread_id": id });
    let rename = json!({ "chat_id": world.forum, "message_thread_id": id, "name": "Order 8" });
    assert_eq!(world.call("editForumTopic", rename).await.result(), true);
    for method in ["closeForumTopic", "reopenForumTopic"] {
        assert_eq!(world.call(method, params.clone()).await.result(), true);
        let again = world.call(method, params.clone()).await;
        assert_eq!(again.description(), "Bad Request: TOPIC_NOT_MODIFIED");
    }
    world.send(Some(id), "no update for this").await;
    assert_eq!(world.call("deleteForumTopic", params.clone()).await.result(), true);
    assert_eq!(
        world.call("closeForumTopic", params).await.description(),
        "Bad Request: TOPIC_ID_INVALID"
    );
    world.sim.pump().await;
    let kinds = [
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
        "forum_topic_reopened",
    ];
    let echoes = webhook.take();
    assert_eq!(echoes.len(), kinds.len());
    for (echo, kind) in echoes.iter().zip(kinds) {
        assert!(echo.body["message"].get(kind).is_some(), "{kind}: {}", echo.body);
        assert_eq!(echo.body["message"]["from"]["id"], world.bot.id);
    }
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_deleted_topic_is_believed_in_for_a_minute() {
    let world = World::new().await;
    let (known, unknown) = (world.topic(), world.topic());
    world.send(known.topic, "still here").await.message_id();
    for place in [known, unknown] {
        world.sim.delete_topic(world.forum, place.topic.expect("a topic"));
    }
    assert_eq!(
        world.send(known.topic, "x").await.description(),
        "Bad Request: TOPIC_DELETED"
    );
    assert_eq!(
        world.send(unknown.topic, "x").await.description(),
        "Bad Request: message thread not found"
    );
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(
        world.send(known.topic, "x").await.description(),
        "Bad Request: message thread not found"
    );
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn closed_topics_are_for_those_who_manage_them() {
    let world = World::new().await;
    let topic = world.topic();
    let owner = world.sim.owner(world.forum);
    world.sim.close_topic(owner, topic);
    world.sim.close_topic(owner, Place::chat(world.forum));
    world.send(topic.topic, "managers may").await.message_id();
    world.sim.remove_right(&world.bot, world.forum, Right::ManageTopics);
    assert_eq!(
        world.send(topic.topic, "x").await.description(),
        "Bad Request: TOPIC_CLOSED"
    );
    assert_eq!(world.send(None, "x").await.description(), "Bad Request: TOPIC_CLOSED");
    let stranger = world.sim.user("Bob", None, None);
    assert!(
        world
            .sim
            .try_say(stranger, topic, simulators::telegram::Compose::text("x"))
            .is_err()
    );
    world.sim.say(world.ada, topic, "it is my topic");
    world.sim.reopen_topic(owner, topic);
    world.send(topic.topic, "open again").await.message_id();
}

#[tokio::test]
async fn rights_are_needed() {
    let world = World::new().await;
    let topic = world.topic();
    world.sim.promote_bot(&world.bot, world.forum, Rights::none());
    let theirs = world.sim.say(world.ada, topic, "x");
    let in_topic = json!({ "chat_id": world.forum, "message_thread_id": topic.topic });
    for (method, params, words) in [
        (
            "createForumTopic",
            json!({ "chat_id": world.forum, "name": "x" }),
            "not enough rights to create a topic",
        ),
        (
            "closeForumTopic",
            in_topic.clone(),
            "not enough rights to close or open the topic",
        ),
        ("deleteForumTopic", in_topic, "not enough rights to delete the topic"),
        (
            "closeGeneralForumTopic",
            json!({ "chat_id": world.forum }),
            "not enough rights to close or open the topic",
        ),
        (
            "deleteMessage",
            json!({ "chat_id": world.forum, "message_id": theirs }),
            "message can't be deleted",
        ),
    ] {
        assert_eq!(
            world.call(method, params).await.description(),
            format!("Bad Request: {words}")
        );
    }
    world.sim.restrict_bot(&world.bot, world.forum);
    let words = "Bad Request: not enough rights to send text messages to the chat";
    assert_eq!(world.send(None, "x").await.description(), words);
    assert_eq!(world.sim.violations(), Vec::<String>::new());
}

/// What a bot was never allowed to do, a correct one does not try.
#[tokio::test]
async fn to_do_without_a_right_what_was_never_allowed_is_a_mistake() {
    let world = World::new().await;
    let other = world.sim.supergroup("Other", true);
    let create = json!({ "chat_id": other, "name": "x" });
    world.sim.promote_bot(&world.bot, other, Rights::none());
    let answer = world.call("createForumTopic", create.clone()).await;
    let words = "not enough rights to create a topic";
    assert_eq!(answer.description(), format!("Bad Request: {words}"));
    let violation = format!("createForumTopic: Bad Request: {words}");
    assert_eq!(world.sim.violations(), [violation.as_str()]);
    world.sim.promote_bot(&world.bot, other, Rights::all());
    world.sim.remove_right(&world.bot, other, Right::ManageTopics);
    assert_eq!(
        world.call("createForumTopic", create).await.description(),
        format!("Bad Request: {words}")
    );
    assert_eq!(world.sim.violations(), [violation]);
}

#[tokio::test]
async fn general_is_closed_and_reopened() {
    let world = World::new().await;
    let chat = json!({ "chat_id": world.forum });
    assert_eq!(world.call("closeGeneralForumTopic", chat.clone()).await.result(), true);
    assert!(world.sim.general_closed(world.forum));
    let again = world.call("closeGeneralForumTopic", chat.clone()).await;
    assert_eq!(again.description(), "Bad Request: TOPIC_NOT_MODIFIED");
    assert_eq!(world.call("reopenGeneralForumTopic", chat).await.result(), true);
    let echo = world.updates().await.pop().expect("an update");
    assert_eq!(echo["message"].get("message_thread_id"), None);
    assert_eq!(echo["message"]["forum_topic_reopened"], json!({}));
}
