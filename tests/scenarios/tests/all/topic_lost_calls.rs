//! Calls that make a topic anew and go wrong.

use scenarios::{Scene, WEBHOOK_SECRET, World};
use serde_json::{Value, json};
use simulators::{Fault, telegram::Place};
use std::time::Duration;

#[tokio::test]
async fn what_telegram_says_of_the_new_topic_stands_for_an_answer_that_was_lost() {
    let world = World::new().await;
    world.order_without_topic().await;
    world.telegram().faults().arm("createForumTopic", Fault::LoseAnswer, 1);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.passes(Duration::from_secs(30)).await;
    let topic = world.topic_called("Order 1042");
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    assert_eq!(world.agent_notes("Order 1042").len(), 1, "it is told once");
    world.finish().await;
}

/// The call had no effect, and nothing but time can tell.
#[tokio::test]
async fn a_call_that_made_no_topic_is_repeated_after_a_while() {
    let world = World::new().await;
    world.order_without_topic().await;
    world.telegram().faults().arm("createForumTopic", Fault::Refuse(502), 1);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.passes(Duration::from_mins(1)).await;
    assert_eq!(world.telegram().calls_of("createForumTopic"), 1, "it may still happen");
    world.settle().await;
    assert_eq!(world.telegram().calls_of("createForumTopic"), 2);
    let topic = world.topic_called("Order 1042");
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    assert_eq!(world.agent_notes("Order 1042").len(), 1, "it is told once");
    world.finish().await;
}

/// A lost call had its effect when nobody waited for it any more, and so there are two topics. Both lead to the conversation.
#[tokio::test]
async fn what_is_written_in_a_topic_that_is_one_too_many_is_not_lost() {
    let world = World::new().await;
    world.order_without_topic().await;
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    let topic = world.topic_called("Order 1042");
    let bot = &world.stage.vendors.bot;
    let url = format!("{}/bot{}/createForumTopic", world.telegram().base_url(), bot.token);
    let body = json!({"chat_id": world.forum, "name": "Order 1042"});
    let answer = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    let made: Value = answer.json().await.unwrap();
    let stray = Place::topic(world.forum, made["result"]["message_thread_id"].as_i64().unwrap());
    world.writes(world.maria, stray, "Hello?");
    world.writes(world.maria, topic, "And here?");
    world.settle().await;
    let said = world.inbox();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains(&"Maria Lopez: Hello?".to_owned()), "{said:?}");
    assert!(said[0].contains(&"Maria Lopez: And here?".to_owned()), "{said:?}");
    world.agent_replies("Order 1042", "<p>Here</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic).last().unwrap(), "<b>Anna</b>\nHere");
    world.finish().await;
}

/// Between a topic's lane and those of its customers no order is promised, so the message may come before the word that its topic
/// was created.
#[tokio::test]
async fn a_message_that_overtakes_the_word_of_its_new_topic_finds_its_conversation() {
    let world = Scene::new().await.set("CONVERSATION_PER", "user").open().await;
    world.order_without_topic().await;
    world.telegram().faults().arm("createForumTopic", Fault::LoseAnswer, 1);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.intercom().pump().await;
    while world.stage.machine.step().await.unwrap() {}
    let topic = world.topic_called("Order 1042");
    world.writes(world.maria, topic, "Already here");
    let update = world.telegram().updates().pop().unwrap();
    let url = format!("{}/telegram-webhook", world.stage.base_url);
    let request = reqwest::Client::new()
        .post(url)
        .header("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET);
    request.json(&update).send().await.unwrap().error_for_status().unwrap();
    while world.stage.machine.step().await.unwrap() {}
    world.settle().await;
    assert_eq!(world.conversations(), 1);
    let seen = world.agent_sees("Order 1042");
    assert!(seen.contains(&"Maria Lopez: Already here".to_owned()), "{seen:?}");
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    world.finish().await;
}

/// A whole chat has to wait for a 429, whatever the call was.
#[tokio::test]
async fn a_topic_that_telegram_does_not_make_right_now_is_made_when_it_says() {
    let world = World::new().await;
    world.order_without_topic().await;
    let fault = Fault::TooManyRequests(Duration::from_secs(40));
    world.telegram().faults().arm("createForumTopic", fault, 1);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_secs(39)).await;
    assert_eq!(world.telegram().calls_of("createForumTopic"), 1);
    world.settle().await;
    assert_eq!(
        world.customer_is_told(world.topic_called("Order 1042")),
        ["<b>Anna</b>\nFirst"]
    );
    world.finish().await;
}

/// Nothing that waiting could help with.
#[tokio::test]
async fn a_topic_that_telegram_refuses_to_make_ends_the_reply_visibly() {
    let world = World::new().await;
    world.order_without_topic().await;
    world.telegram().faults().arm("createForumTopic", Fault::Refuse(413), 1);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    assert_eq!(
        world.agent_notes("Order 1042"),
        ["Bridge: Not delivered to Telegram: the topic was deleted."]
    );
    assert_eq!(world.redrives().await, 1);
    let told = world.customer_is_told(world.topic_called("Order 1042"));
    assert_eq!(told.len(), 1, "{told:?}");
    world.finish().await;
}
