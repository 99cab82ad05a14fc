//! Topics and conversations that are to be closed and opened together, where something fails on the way.

use crate::{
    logs::Log,
    topic_states::{A_WHILE, agent_closes, agent_opens, agent_snoozes, calls, clicks, following, is_closed},
};
use simulators::{
    Fault,
    intercom::Reply,
    telegram::{Right, Rights},
};
use std::time::Duration;

#[tokio::test]
async fn what_fails_for_a_moment_is_tried_again() {
    for fault in [
        Fault::Refuse(502),
        Fault::LoseAnswer,
        Fault::TooManyRequests(Duration::from_secs(3)),
    ] {
        let world = following().await;
        let topic = world.order().await;
        world.telegram().faults().arm("closeForumTopic", fault.clone(), 1);
        world
            .intercom()
            .faults()
            .arm("POST /conversations/{id}/parts", fault.clone(), 1);
        agent_closes(&world);
        world.settle().await;
        assert!(is_closed(&world, topic), "{fault:?}");
        world.telegram().reopen_topic(world.sam, topic);
        world.settle().await;
        assert_eq!(world.conversation("Order 1042").state, "open");
        assert_eq!(clicks(&world, "Order 1042"), (1, 1), "{fault:?}");
        world.leave();
    }
}

#[tokio::test]
async fn a_right_that_is_missing_holds_no_reply_up_and_is_told_to_the_operator() {
    let (log, _listening) = Log::listening();
    let world = following().await;
    let topic = world.order().await;
    let bot = &world.stage.vendors.bot;
    world.telegram().remove_right(bot, world.forum, Right::ManageTopics);
    agent_closes(&world);
    world.settle().await;
    assert!(!is_closed(&world, topic));
    world.agent_replies("Order 1042", "<p>And yet</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nAnd yet"]);
    assert!(log.text().contains("a topic cannot be closed or opened"));
    world.leave();
}

/// Nobody knows whether the topic was closed, and meanwhile the agent wants it open.
#[tokio::test]
async fn what_was_done_by_a_call_whose_answer_was_lost_is_undone_if_it_is_not_wanted_any_more() {
    let world = following().await;
    let topic = world.order().await;
    world.telegram().faults().arm("closeForumTopic", Fault::LoseAnswer, 1);
    agent_closes(&world);
    world.stage.settle_now().await.unwrap();
    assert!(is_closed(&world, topic));
    agent_opens(&world);
    world.settle().await;
    assert!(!is_closed(&world, topic));
    world.finish().await;
}

/// Intercom tells of what we did there before we have learned that it was done, and staff have already changed their minds.
#[tokio::test]
async fn staff_who_change_their_minds_at_once_have_it_as_they_wanted_it_last() {
    let world = following().await;
    let topic = world.order().await;
    let parts = "POST /conversations/{id}/parts";
    world.intercom().faults().arm(parts, Fault::LoseAnswer, 1);
    world.telegram().close_topic(world.sam, topic);
    world.telegram().reopen_topic(world.sam, topic);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "open");
    assert!(!is_closed(&world, topic));
    world.finish().await;
}

#[tokio::test]
async fn what_telegram_refuses_is_not_tried_at_every_sweep() {
    let world = following().await;
    let topic = world.order().await;
    world.sweeps().await;
    let bot = &world.stage.vendors.bot;
    world.telegram().remove_right(bot, world.forum, Right::ManageTopics);
    agent_closes(&world);
    world.settle().await;
    for _ in 0..5 {
        world.passes(A_WHILE).await;
        world.sweeps().await;
    }
    assert_eq!(calls(&world), (2, 0), "once more for the sweep");
    // The next word tries it again.
    world.telegram().promote_bot(bot, world.forum, Rights::all());
    agent_snoozes(&world);
    agent_closes(&world);
    world.settle().await;
    assert!(is_closed(&world, topic));
    world.leave();
}

/// It is the operator's to mend, and everybody else's to wait for.
#[tokio::test]
async fn a_token_that_is_refused_for_hours_loses_no_state() {
    let world = following().await;
    let topic = world.order().await;
    world
        .telegram()
        .faults()
        .arm("closeForumTopic", Fault::Refuse(401), 10_000);
    agent_closes(&world);
    world.passes(Duration::from_hours(30)).await;
    assert!(!is_closed(&world, topic));
    world.telegram().faults().clear();
    // Whoever waited comes at once.
    let slowly = Fault::TooManyRequests(Duration::from_secs(3));
    world.telegram().faults().arm("closeForumTopic", slowly, 1);
    world.settle().await;
    assert!(is_closed(&world, topic));
    world.leave();
}

/// Staff see that it is not closed.
#[tokio::test]
async fn a_topic_whose_conversation_cannot_be_closed_is_opened_again() {
    let world = following().await;
    let topic = world.order().await;
    let parts = "POST /conversations/{id}/parts";
    world.intercom().faults().arm(parts, Fault::Refuse(422), 1);
    world.telegram().close_topic(world.sam, topic);
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").state, "open");
    assert!(!is_closed(&world, topic));
    world.leave();
}

/// What was said and done has come; nothing of it waits for Intercom.
#[tokio::test]
async fn a_reply_that_closes_waits_for_nothing_that_intercom_may_say_later() {
    let world = following().await;
    let topic = world.order().await;
    let reading = "GET /conversations/{id}";
    world.intercom().faults().arm(reading, Fault::Refuse(503), 10_000);
    world.agent_replies_with(
        "Order 1042",
        Reply {
            close: true,
            ..Reply::html("<p>Done</p>")
        },
    );
    world.passes(Duration::from_secs(30)).await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nDone"]);
    assert!(is_closed(&world, topic));
    world.intercom().faults().clear();
    world.settle().await;
    world.leave();
}
