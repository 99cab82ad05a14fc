//! The forms in which Intercom tells of a reply.

use scenarios::{Scene, World};
use serde_json::json;
use simulators::intercom::{BotTopics, OneClick, Reply};

#[tokio::test]
async fn a_reply_that_closes_with_the_same_click_crosses() {
    for one_click in [OneClick::Observed, OneClick::Both, OneClick::StateOnly] {
        let world = World::new().await;
        let topic = world.order().await;
        world.intercom().configure(|options| options.one_click = one_click);
        let reply = Reply {
            close: true,
            ..Reply::html("<p>Solved. Goodbye!</p>")
        };
        world.agent_replies_with("Order 1042", reply);
        world.settle().await;
        assert_eq!(world.conversation("Order 1042").state, "closed");
        assert_eq!(
            world.customer_is_told(topic),
            ["<b>Anna</b>\nSolved. Goodbye!"],
            "{one_click:?}"
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn a_reply_that_assigns_with_the_same_click_crosses() {
    for one_click in [OneClick::Observed, OneClick::Both, OneClick::StateOnly] {
        let scene = Scene::new().await;
        let tom = scene.vendors.intercom.admin("Tom");
        let world = scene.open().await;
        let topic = world.order().await;
        world.intercom().configure(|options| options.one_click = one_click);
        let reply = Reply {
            assign: Some(tom),
            ..Reply::html("<p>Tom will help you.</p>")
        };
        world.agent_replies_with("Order 1042", reply);
        world.settle().await;
        assert_eq!(
            world.customer_is_told(topic),
            ["<b>Anna</b>\nTom will help you."],
            "{one_click:?}"
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn a_click_without_words_tells_the_customer_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    let id = world.conversation("Order 1042").id;
    let (intercom, anna) = (world.intercom(), world.anna.as_str());
    intercom.agent_closes(&id, anna);
    intercom.agent_opens(&id, anna);
    intercom.agent_assigns(&id, anna, anna);
    intercom.agent_snoozes(&id, anna, world.stage.vendors.clock.now_s() + 3600);
    world.settle().await;
    assert!(world.customer_is_told(topic).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_bots_reply_crosses_once_on_whatever_events_it_comes() {
    for topics in [BotTopics::Both, BotTopics::AdminOnly, BotTopics::OperatorOnly] {
        let world = World::new().await;
        let topic = world.order().await;
        world.intercom().configure(|options| options.bot_topics = topics);
        let id = world.conversation("Order 1042").id;
        world.intercom().bot_replies(&id, "<p>Have you tried the FAQ?</p>");
        world.settle().await;
        assert_eq!(
            world.customer_is_told(topic),
            ["<b>Fin</b>\nHave you tried the FAQ?"],
            "{topics:?}"
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn a_reply_whose_body_comes_as_plain_text_crosses_to_the_letter() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().set_api_version("2.16");
    world.agent_replies_with("Order 1042", Reply::text("1 < 2 & 3 > 2\nask <your name>"));
    world.settle().await;
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\n1 &lt; 2 &amp; 3 &gt; 2\nask &lt;your name&gt;"]
    );
    world.finish().await;
}

#[tokio::test]
async fn a_notification_that_brings_a_bare_part_in_place_of_the_reply_is_looked_up() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().configure(|options| options.bare_state_parts = true);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    world.finish().await;
}

#[tokio::test]
async fn a_notification_without_parts_is_looked_up() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().lose_notifications(true);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.intercom().lose_notifications(false);
    let id = world.conversation("Order 1042").id;
    let item = json!({"type": "conversation", "id": id});
    world.intercom().inject("conversation.admin.replied", item);
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    world
        .finish_but(scenarios::Left {
            lost_notifications: true,
            ..Default::default()
        })
        .await;
}

/// What a notification of 2019 looked like, with an old reply whose files may be gone by now: the conversation is read.
#[tokio::test]
async fn an_old_notification_is_looked_up() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .intercom()
        .configure(|options| options.notification_delay = std::time::Duration::from_mins(20));
    world.agent_replies("Order 1042", "<p>On its way</p>");
    let before = world.intercom().calls_of("GET /conversations/{id}");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    assert!(world.intercom().calls_of("GET /conversations/{id}") > before);
    world.finish().await;
}

#[tokio::test]
async fn buttons_are_listed() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = Reply {
        quick_replies: vec!["Yes, please".into(), "No".into()],
        ..Reply::html("<p>Shall we send it again?</p>")
    };
    world.agent_replies_with("Order 1042", reply);
    world.settle().await;
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nShall we send it again?\n\n1. Yes, please\n2. No"]
    );
    world.finish().await;
}
