//! A topic that was deleted in Telegram: it is made anew, once, and everything about it goes on there.

use scenarios::{Scene, World};
use simulators::{
    Fault,
    telegram::{Place, Right, Rights},
};
use std::time::Duration;

const ANEW: &str = "Bridge: The topic was deleted in Telegram. It has been created anew under the same title; what was \
                    written in it before is gone there.";
const MAY_NOT: &str = "Bridge: Not delivered to Telegram yet: the topic was deleted, and the bot lacks the right to manage \
                       topics, without which it cannot create it anew. It is tried again and again.";
const NOW: &str = "Bridge: The delayed reply has now been delivered to Telegram.";

#[tokio::test]
async fn a_reply_into_a_topic_that_was_deleted_makes_it_anew_and_arrives_there() {
    let world = World::new().await;
    let gone = world.order_without_topic().await;
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    let topic = world.topic_called("Order 1042");
    assert_ne!(topic, gone);
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    assert_eq!(world.agent_notes("Order 1042"), [ANEW]);
    world.writes(world.maria, topic, "Thank you");
    world.writes(world.ken, topic, "Me too");
    world.settle().await;
    world.agent_replies("Order 1042", "<p>You are welcome</p>");
    world.settle().await;
    assert_eq!(
        world.inbox(),
        [[
            "Maria Lopez: Hello",
            "Anna Weber: On its way",
            "Maria Lopez: Thank you",
            "Ken: Me too",
            "Anna Weber: You are welcome"
        ]]
    );
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nOn its way", "<b>Anna</b>\nYou are welcome"]
    );
    assert_eq!(world.agent_notes("Order 1042"), [ANEW], "once is enough");
    assert_eq!(world.telegram().calls_of("createForumTopic"), 1);
    world.finish().await;
}

/// Telegram itself believes for up to a minute that the topic is there, and then says it in other words.
#[tokio::test]
async fn a_topic_that_was_deleted_a_moment_ago_is_made_anew() {
    let world = World::new().await;
    let topic = world.order().await;
    world.agent_replies("Order 1042", "<p>First</p>");
    world.settle().await;
    world.delete_topic(topic);
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.settle().await;
    let anew = world.topic_called("Order 1042");
    assert_eq!(world.customer_is_told(anew), ["<b>Anna</b>\nSecond"]);
    world.finish().await;
}

#[tokio::test]
async fn a_correction_and_a_redaction_find_their_way_in_the_topic_that_was_made_anew() {
    // Otherwise nobody keeps a list of what was sent.
    let world = Scene::new().await.set("REACTIONS", "note").open().await;
    world.order_without_topic().await;
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.settle().await;
    let topic = world.topic_called("Order 1042");
    let part = world.agent_replies("Order 1042", "<p>The password is hunter2</p>");
    let message = world.writes(world.maria, topic, "At five");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic).len(), 2);
    world.telegram().edit(world.forum, message, "At nine");
    world.intercom().agent_redacts(&part);
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nOn its way"]);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.last().unwrap(), "Maria Lopez: Correction:\nAt nine", "{seen:?}");
    let shown: Vec<i64> = sent_messages(&world).await;
    let there: Vec<i64> = world.telegram().messages(topic).iter().map(|told| told.id).collect();
    assert_eq!(shown.len(), 2);
    assert!(
        shown.iter().all(|message| there.contains(message)),
        "{shown:?} {there:?}"
    );
    world.finish().await;
}

/// The messages that the bridge knows as its own, those of the topic made anew.
async fn sent_messages(world: &World) -> Vec<i64> {
    let items = world.store.items().await;
    let sent = items.iter().filter(|item| item.body["kind"] == "sent_message");
    let id = |pk: &str| pk.rsplit('#').next().unwrap().parse().unwrap();
    sent.map(|item| id(&item.key.pk)).collect()
}

#[tokio::test]
async fn a_renamed_topic_is_made_anew_under_its_last_title() {
    let world = World::new().await;
    let topic = world.order().await;
    let id = topic.topic.unwrap();
    world
        .telegram()
        .rename_topic(world.maria, world.forum, id, "Order 1042: late");
    world.settle().await;
    world.delete_topic(topic);
    world.agent_replies("Order 1042: late", "<p>On its way</p>");
    world.settle().await;
    let anew = world.topic_called("Order 1042: late");
    assert_eq!(world.customer_is_told(anew), ["<b>Anna</b>\nOn its way"]);
    world.finish().await;
}

/// What Telegram told of the topic came before the bridge; the conversation has its title.
#[tokio::test]
async fn a_topic_whose_title_was_never_told_is_made_anew_under_that_of_its_conversation() {
    let scene = Scene::new().await;
    let title = "Older than the bridge";
    let id = scene.vendors.telegram.create_topic(scene.maria, scene.forum, title);
    let topic = Place::topic(scene.forum, id);
    let world = scene.open().await;
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    world.delete_topic(topic);
    world.agent_replies(title, "<p>On its way</p>");
    world.settle().await;
    assert_eq!(
        world.customer_is_told(world.topic_called(title)),
        ["<b>Anna</b>\nOn its way"]
    );
    world.finish().await;
}

/// Each customer of the topic has a conversation: there is one new topic for both, and each goes on in their own conversation.
#[tokio::test]
async fn two_customers_with_a_conversation_each_get_one_topic() {
    for fault in [None, Some(Fault::LoseAnswer), Some(Fault::FailAfter(502))] {
        let world = Scene::new().await.set("CONVERSATION_PER", "user").open().await;
        let lost = fault.is_some();
        let topic = world.topic("Ask us");
        world.writes(world.maria, topic, "From Maria");
        world.writes(world.ken, topic, "From Ken");
        world.settle().await;
        world.delete_topic(topic);
        world.passes(Duration::from_mins(5)).await;
        if let Some(fault) = fault {
            world.telegram().faults().arm("createForumTopic", fault, 1);
        }
        // Both replies find out at the same time.
        let conversations = world.intercom().conversations();
        for (conversation, text) in conversations.iter().zip(["<p>To Maria</p>", "<p>To Ken</p>"]) {
            world.intercom().agent_replies(&conversation.id, &world.anna, text);
        }
        world.settle().await;
        let anew = world.topic_called("Ask us");
        let mut told = world.customer_is_told(anew);
        told.sort();
        assert_eq!(told, ["<b>Anna</b>\nTo Ken", "<b>Anna</b>\nTo Maria"]);
        world.writes(world.ken, anew, "Ken again");
        world.writes(world.maria, anew, "Maria again");
        world.settle().await;
        assert_eq!(
            world.inbox(),
            [
                [
                    "Maria Lopez: From Maria",
                    "Anna Weber: To Maria",
                    "Maria Lopez: Maria again"
                ],
                ["Ken: From Ken", "Anna Weber: To Ken", "Ken: Ken again"]
            ],
            "with a lost answer: {lost}"
        );
        // Who never wrote before opens a conversation of their own.
        world.writes(world.sam, anew, "From Sam");
        world.settle().await;
        assert_eq!(world.inbox()[2], ["Sam Hill: From Sam"]);
        assert_eq!(world.telegram().calls_of("createForumTopic"), 1);
        world.finish().await;
    }
}

/// It was written before the topic was deleted, and is carried after it was made anew.
#[tokio::test]
async fn a_late_message_of_the_old_topic_reaches_the_same_conversation() {
    for per in ["topic", "user"] {
        let world = Scene::new().await.set("CONVERSATION_PER", per).open().await;
        let topic = world.order().await;
        let reply = "POST /conversations/{id}/reply";
        world.intercom().faults().arm(reply, Fault::Refuse(503), 1);
        world.writes(world.maria, topic, "Written before");
        world.writes(world.maria, topic, "This too");
        world.passes(Duration::from_secs(10)).await;
        world.delete_topic(topic);
        world.agent_replies("Order 1042", "<p>On its way</p>");
        world.passes(Duration::from_secs(20)).await;
        let anew = world.topic_called("Order 1042");
        assert_eq!(world.customer_is_told(anew), ["<b>Anna</b>\nOn its way"]);
        assert_eq!(world.inbox(), [["Maria Lopez: Hello", "Anna Weber: On its way"]]);
        world.settle().await;
        assert_eq!(
            world.inbox(),
            [[
                "Maria Lopez: Hello",
                "Anna Weber: On its way",
                "Maria Lopez: Written before",
                "Maria Lopez: This too"
            ]]
        );
        // What went with the topic cannot be replied to.
        world.agent_replies("Order 1042", "<p>Understood</p>");
        world.settle().await;
        let told = world.telegram().messages(anew);
        assert_eq!(told.last().unwrap().text, "Anna\nUnderstood");
        assert_eq!(told.last().unwrap().reply_to, None);
        world.finish().await;
    }
}

/// The messages that it had begun with went with the topic.
#[tokio::test]
async fn a_reply_that_had_begun_to_arrive_arrives_whole() {
    let world = World::new().await;
    let topic = world.order().await;
    let lines = ["alpha", "beta", "gamma"].map(|word| vec![word; 600].join(" "));
    world.agent_replies("Order 1042", &format!("<p>{}</p>", lines.join("</p><p>")));
    // Each of its messages has to wait for its turn.
    world.passes(Duration::from_secs(1)).await;
    assert_eq!(world.customer_is_told(topic).len(), 1);
    world.delete_topic(topic);
    world.settle().await;
    let told = world.customer_is_told(world.topic_called("Order 1042"));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].starts_with("<b>Anna</b>\nalpha"), "{told:?}");
    world.finish().await;
}

#[tokio::test]
async fn a_late_answer_in_an_earlier_conversation_follows() {
    let world = Scene::new().await.set("NEW_CONVERSATION", "after_close").open().await;
    let topic = world.order().await;
    let earlier = world.conversation("Order 1042").id;
    world.intercom().agent_closes(&earlier, &world.anna);
    world.settle().await;
    world.writes(world.maria, topic, "One more thing");
    world.settle().await;
    world.delete_topic(topic);
    let later = world.conversation_in(topic).unwrap().id;
    world.intercom().agent_replies(&later, &world.anna, "<p>Later</p>");
    world.settle().await;
    world.intercom().agent_replies(&earlier, &world.anna, "<p>Earlier</p>");
    world.settle().await;
    assert_eq!(
        world.customer_is_told(world.topic_called("Order 1042")),
        ["<b>Anna</b>\nLater", "<b>Anna</b>\nEarlier"]
    );
    assert_eq!(world.telegram().calls_of("createForumTopic"), 1);
    world.finish().await;
}

#[tokio::test]
async fn a_topic_can_be_deleted_again_and_again() {
    let world = World::new().await;
    let mut topic = world.order().await;
    for round in 1..=3 {
        world.delete_topic(topic);
        world.passes(Duration::from_hours(2)).await;
        world.agent_replies("Order 1042", &format!("<p>Answer {round}</p>"));
        world.settle().await;
        topic = world.topic_called("Order 1042");
        assert_eq!(world.customer_is_told(topic), [format!("<b>Anna</b>\nAnswer {round}")]);
        world.writes(world.ken, topic, &format!("Message {round}"));
        world.settle().await;
    }
    let said = world.inbox();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(said[0].last().unwrap(), "Ken: Message 3");
    assert_eq!(world.agent_notes("Order 1042").len(), 3);
    world.finish().await;
}

#[tokio::test]
async fn without_the_right_to_manage_topics_the_agent_is_told_at_once_and_the_reply_waits_for_it() {
    let world = World::new().await;
    world.order_without_topic().await;
    let bot = &world.stage.vendors.bot;
    world.telegram().remove_right(bot, world.forum, Right::ManageTopics);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(Duration::from_secs(5)).await;
    assert_eq!(world.agent_notes("Order 1042"), [MAY_NOT]);
    world.passes(Duration::from_hours(2)).await;
    assert_eq!(world.agent_notes("Order 1042"), [MAY_NOT], "once is enough");
    world.telegram().promote_bot(bot, world.forum, Rights::all());
    world.passes(Duration::from_mins(16)).await;
    assert_eq!(
        world.customer_is_told(world.topic_called("Order 1042")),
        ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"]
    );
    let mut notes = world.agent_notes("Order 1042");
    notes.sort();
    assert_eq!(notes, [MAY_NOT, NOW, ANEW]);
    world.finish().await;
}

/// The word that a message was given up has nobody to read it in a topic that is gone, and makes none anew.
#[tokio::test]
async fn a_customer_is_told_where_the_topic_is_now_that_a_message_was_given_up() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, Fault::Refuse(503), 1);
    world.writes(world.maria, topic, "Written before");
    world.passes(Duration::from_secs(10)).await;
    world.delete_topic(topic);
    world.agent_replies("Order 1042", "<p>On its way</p>");
    world.passes(Duration::from_secs(20)).await;
    world.intercom().faults().arm(reply, Fault::Refuse(422), 1);
    world.settle().await;
    let told = world.customer_is_told(world.topic_called("Order 1042"));
    assert_eq!(
        told,
        [
            "<b>Anna</b>\nOn its way",
            "Sorry, a message could not be passed on to our support team. Please send it again."
        ]
    );
    assert_eq!(world.redrives().await, 1);
    world.finish().await;
}
