//! Everything twice, in another order, late.

use scenarios::{Left, Scene, World};
use std::time::Duration;

#[tokio::test]
async fn what_comes_twice_is_carried_once() {
    let world = World::new().await;
    world.telegram().duplicate_updates(3);
    world.intercom().duplicate_notifications(2);
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world.agent_replies("Order 1042", "<p>Yes</p>");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?", "Anna Weber: Yes"]
    );
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nYes"]);
    world.finish().await;
}

/// After a day, when no queue remembers that it had the message already.
#[tokio::test]
async fn what_comes_again_much_later_is_not_carried_again() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let updates = world.telegram().updates();
    world.passes(Duration::from_hours(23)).await;
    for update in &updates {
        assert!(world.telegram().redeliver(update["update_id"].as_i64().unwrap()));
    }
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?"]
    );
    assert_eq!(world.agent_notes("Order 1042").len(), 0);
    world.finish().await;
}

#[tokio::test]
async fn an_answer_of_the_webhook_that_telegram_does_not_get_doubles_nothing() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    world.telegram().lose_webhook_answers(3);
    world.writes(world.maria, topic, "Hello");
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?"]
    );
    world.finish().await;
}

#[tokio::test]
async fn replies_that_are_told_in_another_order_all_cross_once() {
    let world = World::new().await;
    let topic = world.order().await;
    world.intercom().shuffle_notifications(Some(7));
    world.intercom().duplicate_notifications(1);
    for number in 1..=5 {
        world.agent_replies("Order 1042", &format!("<p>Reply {number}</p>"));
    }
    world.settle().await;
    let mut told = world.customer_is_told(topic);
    told.sort();
    let all: Vec<String> = (1..=5).map(|number| format!("<b>Anna</b>\nReply {number}")).collect();
    assert_eq!(told, all);
    world.finish().await;
}

#[tokio::test]
async fn replies_cross_in_the_order_in_which_they_were_told() {
    let world = World::new().await;
    let topic = world.order().await;
    for number in 1..=5 {
        world.agent_replies("Order 1042", &format!("<p>Reply {number}</p>"));
    }
    world.settle().await;
    let all: Vec<String> = (1..=5).map(|number| format!("<b>Anna</b>\nReply {number}")).collect();
    assert_eq!(world.customer_is_told(topic), all);
    world.finish().await;
}

#[tokio::test]
async fn many_messages_of_many_people_keep_their_order_in_each_topic() {
    let world = World::new().await;
    let topics: Vec<_> = (0..4).map(|number| world.topic(&format!("Topic {number}"))).collect();
    for round in 0..5 {
        for topic in &topics {
            world.writes(world.maria, *topic, &format!("Maria {round}"));
            world.writes(world.ken, *topic, &format!("Ken {round}"));
        }
    }
    world.settle().await;
    let expected: Vec<String> = (0..5)
        .flat_map(|round| [format!("Maria Lopez: Maria {round}"), format!("Ken: Ken {round}")])
        .collect();
    for number in 0..4 {
        assert_eq!(world.agent_sees(&format!("Topic {number}")), expected);
    }
    world.finish().await;
}

#[tokio::test]
async fn a_staff_reply_is_not_sent_back_however_soon_it_is_told() {
    for before in [false, true] {
        let world = Scene::new().await.with_sam_as_admin().open().await;
        let topic = world.order().await;
        world
            .intercom()
            .configure(|options| options.notify_before_answer = before);
        world.intercom().duplicate_notifications(1);
        world.writes(world.sam, topic, "ok");
        world.writes(world.sam, topic, "ok");
        world.settle().await;
        assert_eq!(
            world.agent_sees("Order 1042"),
            ["Maria Lopez: Hello", "Sam Hill: ok", "Sam Hill: ok"]
        );
        assert!(
            world.customer_is_told(topic).is_empty(),
            "told before the answer: {before}"
        );
        world.finish().await;
    }
}

#[tokio::test]
async fn an_agent_who_types_what_staff_wrote_in_telegram_is_no_echo() {
    for before in [false, true] {
        let world = Scene::new().await.with_sam_as_admin().open().await;
        let topic = world.order().await;
        world
            .intercom()
            .configure(|options| options.notify_before_answer = before);
        world.writes(world.sam, topic, "ok");
        world.settle().await;
        let sam = world.intercom().admin("Sam Hill");
        let id = world.conversation("Order 1042").id;
        world.intercom().agent_replies(&id, &sam, "ok");
        world.agent_replies("Order 1042", "ok");
        world.settle().await;
        assert_eq!(
            world.customer_is_told(topic),
            ["<b>Sam</b>\nok", "<b>Anna</b>\nok"],
            "told before the answer: {before}"
        );
        world.finish().await;
    }
}

/// The sweep finds the echo without any notification, and knows it too.
#[tokio::test]
async fn the_sweep_does_not_send_a_staff_reply_back() {
    let world = Scene::new().await.with_sam_as_admin().open().await;
    let topic = world.order().await;
    world.sweeps().await;
    world.intercom().lose_notifications(true);
    world.writes(world.sam, topic, "I will look into it.");
    world.settle().await;
    world.passes(Duration::from_mins(5)).await;
    world.sweeps().await;
    assert!(world.customer_is_told(topic).is_empty());
    world
        .finish_but(Left {
            lost_notifications: true,
            ..Left::default()
        })
        .await;
}
