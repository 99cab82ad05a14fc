//! Calls to the vendors that go wrong, each kind of call in each way: nothing is lost, and in Intercom nothing is doubled.

use scenarios::{Left, Scene, World};
use simulators::Fault;
use std::time::Duration;

/// So short a (real) time a call may take where one is never answered; long enough for a machine that is busy.
const SHORT: Duration = Duration::from_secs(1);

fn faults() -> Vec<Fault> {
    vec![
        Fault::Refuse(500),
        Fault::Refuse(503),
        Fault::TooManyRequests(Duration::from_secs(7)),
        Fault::FailAfter(500),
        Fault::FailAfter(502),
        Fault::LoseAnswer,
        Fault::CutBefore,
        Fault::Hang,
        Fault::CommitLate,
        Fault::Garble,
    ]
}

async fn scene(fault: &Fault) -> Scene {
    let scene = Scene::new().await;
    match fault {
        Fault::Hang | Fault::CommitLate => scene.with_calls_of(SHORT),
        _ => scene,
    }
}

async fn world(fault: &Fault) -> World {
    scene(fault).await.open().await
}

/// Opens a conversation, continues it, and lets a second customer join, while one kind of call goes wrong.
async fn exchange_survives(call: &str, fault: Fault, times: usize) {
    let world = world(&fault).await;
    world.intercom().faults().arm(call, fault.clone(), times);
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "ok");
    world.writes(world.maria, topic, "ok");
    world.writes(world.ken, topic, "ok");
    world.writes(world.maria, topic, "Thanks");
    world.settle().await;
    let seen: Vec<Vec<String>> = world.inbox();
    assert_eq!(seen.len(), 1, "{call} {fault:?}: {seen:?}");
    let said: Vec<String> = seen[0].iter().map(|line| without_time(line)).collect();
    assert_eq!(
        said,
        ["Maria Lopez: ok", "Maria Lopez: ok", "Ken: ok", "Maria Lopez: Thanks"],
        "{call} {fault:?}"
    );
    assert_eq!(world.intercom().contacts().len(), 2, "{call} {fault:?}");
    // One call in which the fault struck may have been enough.
    assert!(world.intercom().faults().armed() < times, "{call} {fault:?}");
    world.intercom().faults().clear();
    world.finish().await;
}

/// What arrives long after it was written says when that was.
fn without_time(line: &str) -> String {
    match (line.split_once(": Written "), line.rsplit_once('\n')) {
        (Some((name, _)), Some((_, text))) => format!("{name}: {text}"),
        _ => line.to_owned(),
    }
}

#[tokio::test]
async fn a_lost_opening_is_found_again() {
    for fault in faults() {
        exchange_survives("POST /conversations", fault, 1).await;
    }
}

#[tokio::test]
async fn a_lost_reply_is_found_again() {
    for fault in faults() {
        exchange_survives("POST /conversations/{id}/reply", fault, 1).await;
    }
}

#[tokio::test]
async fn replies_that_are_lost_again_and_again_are_found_again() {
    for fault in faults() {
        exchange_survives("POST /conversations/{id}/reply", fault, 3).await;
    }
}

#[tokio::test]
async fn openings_that_are_lost_again_and_again_are_found_again() {
    for fault in faults() {
        exchange_survives("POST /conversations", fault, 3).await;
    }
}

#[tokio::test]
async fn a_lost_contact_is_found_again() {
    for fault in faults() {
        exchange_survives("POST /contacts", fault, 2).await;
    }
}

#[tokio::test]
async fn a_lost_attachment_is_made_again() {
    for fault in faults() {
        exchange_survives("POST /conversations/{id}/customers", fault, 2).await;
    }
}

#[tokio::test]
async fn not_knowing_who_we_are_holds_nothing_back_for_long() {
    for fault in faults() {
        exchange_survives("GET /me", fault, 2).await;
    }
}

#[tokio::test]
async fn whatever_goes_wrong_in_intercom_nothing_is_lost_or_doubled() {
    for fault in faults() {
        exchange_survives("*", fault, 5).await;
    }
}

/// Title, tags and the index of conversations are worth no message.
#[tokio::test]
async fn what_a_new_conversation_does_not_get_repeats_nothing() {
    for call in ["PUT /conversations/{id}", "POST /conversations/{id}/tags", "POST /tags"] {
        for fault in faults() {
            let world = world(&fault).await;
            world.intercom().faults().arm(call, fault.clone(), 2);
            let topic = world.topic("Order 1042");
            world.writes(world.maria, topic, "Hello");
            world.writes(world.maria, topic, "Anybody?");
            world.settle().await;
            world.intercom().faults().clear();
            assert_eq!(
                world.inbox(),
                [["Maria Lopez: Hello", "Maria Lopez: Anybody?"]],
                "{call} {fault:?}"
            );
            let conversation = &world.intercom().conversations()[0];
            let notes = conversation.parts.iter().filter(|part| part.kind == "note").count();
            assert_eq!(notes, 1, "{call} {fault:?}");
            if matches!(fault, Fault::TooManyRequests(_)) {
                assert_eq!(conversation.title.as_deref(), Some("Order 1042"), "{call}");
                assert!(conversation.tags.contains(&"telegram".to_owned()), "{call}");
            }
            world.finish().await;
        }
    }
}

/// The search for an opening that was lost goes wrong, too.
#[tokio::test]
async fn an_opening_is_not_repeated_because_it_cannot_be_looked_for() {
    for fault in faults() {
        let world = world(&fault).await;
        let faults = world.intercom().faults();
        faults.arm("POST /conversations", Fault::LoseAnswer, 1);
        faults.arm("POST /conversations/search", fault.clone(), 2);
        world.intercom().lose_notifications(true);
        let topic = world.topic("Order 1042");
        world.writes(world.maria, topic, "Hello");
        world.settle().await;
        assert_eq!(world.agent_sees_in(topic).len(), 1, "{fault:?}");
        assert_eq!(world.conversations(), 1, "{fault:?}");
        let left = Left {
            lost_notifications: true,
            ..Left::default()
        };
        world.finish_but(left).await;
    }
}

/// Looking for a lost reply goes wrong, too.
#[tokio::test]
async fn a_reply_is_not_repeated_because_it_cannot_be_looked_for() {
    for fault in faults() {
        let world = world(&fault).await;
        let topic = world.order().await;
        let faults = world.intercom().faults();
        faults.arm("POST /conversations/{id}/reply", Fault::LoseAnswer, 1);
        faults.arm("GET /conversations/{id}", fault.clone(), 2);
        world.writes(world.maria, topic, "Anybody?");
        world.settle().await;
        assert_eq!(
            world.agent_sees("Order 1042"),
            ["Maria Lopez: Hello", "Maria Lopez: Anybody?"],
            "{fault:?}"
        );
        world.finish().await;
    }
}

/// A name that cannot be changed holds no message back.
#[tokio::test]
async fn a_new_name_that_intercom_does_not_take_holds_nothing_back() {
    for fault in faults() {
        let world = world(&fault).await;
        let topic = world.order().await;
        world.intercom().faults().arm("PUT /contacts/{id}", fault.clone(), 1);
        world.telegram().rename_user(world.maria, "Marie", None);
        world.writes(world.maria, topic, "I am Marie now");
        world.writes(world.maria, topic, "Really");
        world.settle().await;
        assert_eq!(world.agent_sees("Order 1042").len(), 3, "{fault:?}");
        assert_eq!(
            world.intercom().contacts()[0].name.as_deref(),
            Some("Marie"),
            "{fault:?}"
        );
        world.finish().await;
    }
}

/// What an agent took back is deleted though Telegram does not answer at first.
#[tokio::test]
async fn a_redaction_whose_call_went_wrong_is_carried() {
    for fault in faults() {
        let world = world(&fault).await;
        let topic = world.order().await;
        let part = world.agent_replies("Order 1042", "<p>hunter2</p>");
        world.settle().await;
        world.telegram().faults().arm("deleteMessage", fault.clone(), 1);
        world.intercom().agent_redacts(&part);
        world.settle().await;
        assert!(world.customer_is_told(topic).is_empty(), "{fault:?}");
        world.finish().await;
    }
}

/// The note that tells an agent what was not delivered is itself told once.
#[tokio::test]
async fn a_notice_whose_call_went_wrong_is_told_once() {
    for fault in faults() {
        let world = world(&fault).await;
        world.order().await;
        let refused = Fault::Refuse(413);
        world.telegram().faults().arm("sendMessage", refused, 1);
        world
            .intercom()
            .faults()
            .arm("POST /conversations/{id}/reply", fault.clone(), 1);
        world.agent_replies("Order 1042", "<p>First</p>");
        world.settle().await;
        assert_eq!(
            world.agent_notes("Order 1042"),
            ["Bridge: Not delivered to Telegram: Telegram did not accept it."],
            "{fault:?}"
        );
        let left = Left {
            dead_letters: 1,
            undeliverable: 1,
            ..Left::default()
        };
        world.finish_but(left).await;
    }
}

/// What Telegram is asked on the way to Intercom: who we are, who administers the group.
#[tokio::test]
async fn what_telegram_does_not_answer_holds_nothing_back_for_long() {
    for fault in faults() {
        let world = world(&fault).await;
        world.telegram().faults().arm("*", fault.clone(), 3);
        let topic = world.topic("Order 1042");
        world.writes(world.maria, topic, "Hello");
        world.settle().await;
        let inbox = world.inbox();
        assert_eq!(inbox.len(), 1, "{fault:?}");
        assert!(inbox[0][0].ends_with("Hello"), "{fault:?}: {inbox:?}");
        world.telegram().faults().clear();
        world.finish().await;
    }
}

/// Nothing can be looked up in Telegram: after an answer that was lost, a message may be shown twice, and never not at all.
#[tokio::test]
async fn a_reply_whose_sending_went_wrong_arrives() {
    for fault in faults() {
        let world = world(&fault).await;
        let topic = world.order().await;
        world.telegram().faults().arm("sendMessage", fault.clone(), 1);
        world.agent_replies("Order 1042", "<p>First</p>");
        world.agent_replies("Order 1042", "<p>Second</p>");
        world.settle().await;
        let told = world.customer_is_told(topic);
        let was_done = matches!(
            fault,
            Fault::FailAfter(_) | Fault::LoseAnswer | Fault::CommitLate | Fault::Garble
        );
        let mut expected = vec!["<b>Anna</b>\nFirst"; if was_done { 2 } else { 1 }];
        expected.push("<b>Anna</b>\nSecond");
        assert_eq!(told, expected, "{fault:?}");
        assert!(world.agent_notes("Order 1042").is_empty());
        world.finish().await;
    }
}

#[tokio::test]
async fn a_staff_reply_whose_answer_was_lost_is_found_again_and_is_no_echo() {
    for fault in faults() {
        let world = scene(&fault).await.with_sam_as_admin().open().await;
        let topic = world.order().await;
        world
            .intercom()
            .faults()
            .arm("POST /conversations/{id}/reply", fault.clone(), 1);
        world.writes(world.sam, topic, "ok");
        world.writes(world.sam, topic, "ok");
        world.settle().await;
        assert_eq!(
            world.agent_sees("Order 1042"),
            ["Maria Lopez: Hello", "Sam Hill: ok", "Sam Hill: ok"],
            "{fault:?}"
        );
        assert!(world.customer_is_told(topic).is_empty(), "{fault:?}");
        world.finish().await;
    }
}

#[tokio::test]
async fn a_note_of_staff_whose_answer_was_lost_is_found_again() {
    for fault in faults() {
        let world = scene(&fault).await.with_sam_as_staff().open().await;
        let topic = world.order().await;
        world
            .intercom()
            .faults()
            .arm("POST /conversations/{id}/reply", fault.clone(), 1);
        world.writes(world.sam, topic, "ok");
        world.writes(world.sam, topic, "ok");
        world.settle().await;
        let note = "Bridge: Sam Hill in Telegram:\nok";
        assert_eq!(world.agent_notes("Order 1042"), [note, note], "{fault:?}");
        world.finish().await;
    }
}

/// Intercom tells of a conversation that it opened though we never got the answer; that is quicker than looking for it.
#[tokio::test]
async fn a_notification_confirms_an_opening_whose_answer_was_lost() {
    let world = World::new().await;
    world
        .intercom()
        .faults()
        .arm("POST /conversations", Fault::LoseAnswer, 1);
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "Hello");
    world.stage.settle_now().await.unwrap();
    let id = world.intercom().conversations()[0].id.clone();
    world.intercom().agent_replies(&id, &world.anna, "<p>Good morning</p>");
    world.passes(Duration::from_secs(30)).await;
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna</b>\nGood morning"],
        "the answer does not wait until the lost call is looked for"
    );
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Hello", "Anna Weber: Good morning"]
    );
    world.finish().await;
}
