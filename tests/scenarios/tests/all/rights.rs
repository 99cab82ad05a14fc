//! The bot may not write in Telegram, for a while or for good.

use super::logs::Log;
use bridge::ports::QueueMessage;
use local::QueueName;
use scenarios::{Left, Scene, World};
use simulators::{intercom::Scope, telegram::Rights};
use std::time::Duration;

const NOT_YET: &str = "Bridge: Not delivered to Telegram yet: the bot was removed from the group or may not write there. It is tried again and again.";
const NOW: &str = "Bridge: The delayed reply has now been delivered to Telegram.";

#[tokio::test]
async fn the_agent_is_told_at_once_that_the_bot_was_removed_and_again_when_it_is_back() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(Duration::from_secs(5)).await;
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET]);
    world.passes(Duration::from_hours(2)).await;
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET], "once is enough");
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    world.settle().await;
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"]
    );
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET, NOW]);
    world.finish().await;
}

/// What waits is hidden in the queue, and nobody but time brings it out: so it is a quarter of an hour at most.
#[tokio::test]
async fn every_lane_goes_on_by_itself_within_a_quarter_of_an_hour_of_the_bots_return() {
    let world = World::new().await;
    let order = world.order().await;
    let invoice = world.topic("Invoice");
    world.writes(world.ken, invoice, "Hello");
    world.settle().await;
    let bot = &world.stage.vendors.bot;
    world.telegram().kick_bot(bot, world.forum);
    world.passes(Duration::from_mins(3)).await;
    for title in ["Order 1042", "Invoice"] {
        assert!(world.agent_notes(title).is_empty(), "nobody waits yet");
        world.agent_replies(title, "<p>First</p>");
        world.agent_replies(title, "<p>Second</p>");
    }
    world.passes(Duration::from_secs(10)).await;
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET]);
    assert_eq!(world.agent_notes("Invoice"), [NOT_YET]);
    world.passes(Duration::from_mins(50)).await;
    world.telegram().promote_bot(bot, world.forum, Rights::all());
    // And the pace of the group, for four messages.
    world.passes(Duration::from_mins(15) + Duration::from_secs(12)).await;
    for (title, topic) in [("Order 1042", order), ("Invoice", invoice)] {
        assert_eq!(
            world.customer_is_told(topic),
            ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"]
        );
        assert_eq!(world.agent_notes(title), [NOT_YET, NOW]);
    }
    world.agent_replies("Order 1042", "<p>Third</p>");
    world.passes(Duration::from_secs(10)).await;
    assert_eq!(world.customer_is_told(order).len(), 3, "all is as it was");
    world.finish().await;
}

/// By then it is a day old, but nothing is wrong with it: it only waits until the chat may be sent the next message.
#[tokio::test]
async fn a_reply_that_stood_behind_another_for_a_day_is_not_given_up_when_its_turn_comes() {
    let world = World::new().await;
    let topic = world.order().await;
    // So that its attempts, each a quarter of an hour after the last, miss the full day by some seconds.
    let fault = simulators::Fault::TooManyRequests(Duration::from_secs(7));
    world.telegram().faults().arm("sendMessage", fault, 1);
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.agent_replies("Order 1042", "<p>Second</p>");
    world.passes(Duration::from_mins(24 * 60 - 10)).await;
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    world.passes(Duration::from_mins(11)).await;
    world.settle().await;
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nFirst", "<b>Anna</b>\nSecond"]
    );
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET, NOW]);
    world.finish().await;
}

#[tokio::test]
async fn a_bot_that_may_only_read_is_as_good_as_removed() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().restrict_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_secs(5)).await;
    assert_eq!(world.agent_notes("Order 1042"), [NOT_YET]);
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    world.finish().await;
}

/// A bot that is an administrator may write in a closed topic; one that is not has to wait until somebody opens it.
#[tokio::test]
async fn a_closed_topic_is_waited_for() {
    let scene = Scene::new().await;
    let bot = scene.vendors.bot.clone();
    scene.vendors.telegram.set_privacy(&bot, false);
    let world = scene.open().await;
    let topic = world.order().await;
    world.telegram().promote_bot(&bot, world.forum, Rights::none());
    world.telegram().close_topic(world.telegram().owner(world.forum), topic);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_secs(5)).await;
    let told = world.customer_is_told(topic);
    if told.is_empty() {
        let notes = world.agent_notes("Order 1042");
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains("the topic is closed"), "{notes:?}");
        world
            .telegram()
            .reopen_topic(world.telegram().owner(world.forum), topic);
    }
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    world.finish().await;
}

#[tokio::test]
async fn the_agent_is_told_of_a_reply_that_telegram_does_not_take_for_minutes() {
    let world = World::new().await;
    let topic = world.order().await;
    let fault = simulators::Fault::TooManyRequests(Duration::from_mins(1));
    world.telegram().faults().arm("sendMessage", fault, 15);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_mins(9)).await;
    assert!(world.agent_notes("Order 1042").is_empty());
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nFirst"]);
    assert_eq!(
        world.agent_notes("Order 1042"),
        [
            "Bridge: Not delivered to Telegram yet: Telegram could not be reached. It is tried again and again.",
            NOW
        ]
    );
    world.finish().await;
}

/// What it has taken is still carried to Intercom.
#[tokio::test]
async fn a_customers_message_arrives_though_the_bot_was_removed_since() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    let fault = simulators::Fault::TooManyRequests(Duration::from_mins(3));
    world.intercom().faults().arm("POST /contacts", fault, 1);
    world.writes(world.maria, topic, "Hello");
    world.stage.settle_now().await.unwrap();
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    world.finish().await;
}

#[tokio::test]
async fn a_reply_is_given_up_after_a_day_and_delivered_by_a_redrive() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.settle().await;
    let notes = world.agent_notes("Order 1042");
    assert_eq!(
        notes,
        [
            NOT_YET,
            "Bridge: Not delivered to Telegram: the bot was removed from the group or may not write there."
        ]
    );
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    world.passes(Duration::from_hours(3)).await;
    assert_eq!(world.sweeps().await, 0, "what was given up has a record");
    assert!(world.customer_is_told(topic).is_empty());
    assert_eq!(world.redrives().await, 1);
    let told = world.customer_is_told(topic);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Written 2026-01-15 09:"), "{told:?}");
    assert!(told[0].ends_with("First"), "{told:?}");
    assert_eq!(
        world.agent_notes("Order 1042")[2..],
        ["Bridge: The delayed reply has now been delivered to Telegram."]
    );
    assert_eq!(world.redrives().await, 0);
    world.finish().await;
}

/// It takes several messages, and is cut elsewhere than it would have been at once: the time stands above it.
#[tokio::test]
async fn of_a_long_reply_that_a_redrive_delivers_nothing_is_lost() {
    for words in [1_040, 2_500] {
        let world = World::new().await;
        let topic = world.order().await;
        world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
        let words: Vec<String> = (0..words).map(|word| word.to_string()).collect();
        world.agent_replies("Order 1042", &format!("<p>{}</p>", words.join(" ")));
        world.settle().await;
        world
            .telegram()
            .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
        assert_eq!(world.redrives().await, 1);
        let told = world.customer_is_told(topic).join(" ");
        let told: Vec<&str> = told
            .split_whitespace()
            .filter(|word| word.parse::<u32>().is_ok())
            .collect();
        assert_eq!(told, words);
        world.finish().await;
    }
}

#[tokio::test]
async fn a_customer_is_told_that_a_message_was_given_up_and_a_redrive_delivers_it() {
    let world = World::new().await;
    let topic = world.order().await;
    let refused = simulators::Fault::Refuse(422);
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", refused, 1);
    let message = world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let told = world.telegram().messages(topic);
    let line = told.iter().find(|message| message.from_bot).unwrap();
    assert_eq!(
        line.text,
        "Sorry, a message could not be passed on to our support team. Please send it again."
    );
    assert_eq!(line.reply_to, Some(message));
    world.passes(Duration::from_hours(1)).await;
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].starts_with("Maria Lopez: Written 2026-01-15 09:"), "{seen:?}");
    assert!(seen[1].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// A message that Intercom takes for a day, and whose answer never comes.
#[tokio::test]
async fn a_message_that_intercom_cannot_take_for_a_day_is_given_up_on_both_sides() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .intercom()
        .faults()
        .arm("POST /conversations/{id}/reply", simulators::Fault::Refuse(503), 10_000);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    let calls = world.intercom().calls_of("POST /conversations/{id}/reply");
    assert!(
        calls < 200,
        "{calls} calls in a day are too many for a service that is down"
    );
    world.intercom().faults().clear();
    assert_eq!(
        world.customer_is_told(topic),
        ["Sorry, a message could not be passed on to our support team. Please send it again."]
    );
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// It had arrived, and nobody could know: a redrive looks first.
#[tokio::test]
async fn a_redrive_of_what_had_arrived_after_all_doubles_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    let reply = "POST /conversations/{id}/reply";
    world.intercom().faults().arm(reply, simulators::Fault::LoseAnswer, 1);
    let read = "GET /conversations/{id}";
    world
        .intercom()
        .faults()
        .arm(read, simulators::Fault::Refuse(503), 10_000);
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world.intercom().faults().clear();
    assert_eq!(world.customer_is_told(topic).len(), 1, "the customer was told");
    assert_eq!(world.redrives().await, 1);
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Maria Lopez: Anybody?"]
    );
    world.finish().await;
}

/// The app is for the operator to mend, too: until it has its scope again, everything waits.
#[tokio::test]
async fn a_scope_that_was_taken_away_gives_nothing_up() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .intercom()
        .configure(|options| options.withheld = [Scope::WriteConversations].into());
    let (log, guard) = Log::listening();
    world.writes(world.maria, topic, "Anybody?");
    world.passes(Duration::from_hours(5 * 24)).await;
    drop(guard);
    assert!(
        world.customer_is_told(topic).is_empty(),
        "it is nothing to the customer"
    );
    assert!(log.counted("token_refused") > 0, "the operator is told");
    world.intercom().configure(|options| options.withheld.clear());
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// A conversation that lacks its tags is a conversation.
#[tokio::test]
async fn without_the_scope_for_tags_a_conversation_opens_all_the_same() {
    let world = World::new().await;
    world
        .intercom()
        .configure(|options| options.withheld = [Scope::ReadTags, Scope::WriteTags].into());
    world.order().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    assert!(world.conversation("Order 1042").tags.is_empty());
    world.finish().await;
}

/// The same, and the customer said the same once more and again before it was put back.
#[tokio::test]
async fn a_redrive_looks_behind_what_was_said_since() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .give_up_in_doubt(topic, "Anybody?", simulators::Fault::LoseAnswer)
        .await;
    for text in ["Anybody?", "It is urgent", "Anybody?"] {
        world.writes(world.maria, topic, text);
    }
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(world.redrives().await, 1);
    assert_eq!(world.agent_sees("Order 1042"), seen, "it was there");
    world.finish().await;
}

/// It had not arrived, and what looks like it belongs to the message before, which hundreds have followed since.
#[tokio::test]
async fn a_redrive_takes_nothing_that_an_old_neighbour_holds() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    world
        .give_up_in_doubt(topic, "Anybody?", simulators::Fault::Refuse(503))
        .await;
    let other = world.topic("Small talk");
    for at in 0..210 {
        world.writes(world.ken, other, &format!("And {at}"));
    }
    world.settle().await;
    assert_eq!(world.redrives().await, 1);
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[2].ends_with("Anybody?"), "{seen:?}");
    world.finish().await;
}

/// Put back twice within the time in which the queue takes the same only once.
#[tokio::test]
async fn what_cannot_be_read_stays_among_the_dead_letters_however_often_it_is_put_back() {
    let world = World::new().await;
    for queue in [QueueName::Inbound, QueueName::Outbound] {
        let message = QueueMessage {
            lane: "a lane".into(),
            dedupe: "unreadable".into(),
            body: "{}".into(),
            gave_up: None,
        };
        world.stage.machine.lanes().queue(queue).send(message).await.unwrap();
    }
    world.settle().await;
    for _ in 0..3 {
        world.passes(Duration::from_secs(1)).await;
        assert_eq!(world.redrives().await, 2);
    }
    let left = Left {
        dead_letters: 2,
        ..Left::default()
    };
    world.finish_but(left).await;
}

/// Our own settings are for the operator to mend: a wrong token gives nothing up for twelve days.
#[tokio::test]
async fn a_token_that_is_refused_gives_nothing_up() {
    let world = World::new().await;
    let topic = world.order().await;
    world
        .intercom()
        .faults()
        .arm("*", simulators::Fault::Refuse(401), 100_000);
    world.writes(world.maria, topic, "Anybody?");
    world.passes(Duration::from_hours(5 * 24)).await;
    assert!(world.customer_is_told(topic).is_empty());
    world.intercom().faults().clear();
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].ends_with("Anybody?"), "{seen:?}");
    world.finish_but(Left::default()).await;
}
