//! The bot may not write in Telegram, for a while or for good.

use super::logs::Log;
use scenarios::{Left, Scene, World};
use simulators::{intercom::Scope, telegram::Rights};
use std::time::Duration;

pub(crate) const NOT_YET: &str = "Bridge: Not delivered to Telegram yet: the bot was removed from the group or may not write there. It is tried again and again.";
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
