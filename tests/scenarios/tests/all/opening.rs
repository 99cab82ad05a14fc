//! The first messages of a topic, and what a new conversation gets.

use super::doors::Door;
use reqwest::StatusCode;
use scenarios::{Scene, World};
use serde_json::json;
use simulators::{
    Fault,
    telegram::{Compose, Rights},
};
use std::time::Duration;

#[tokio::test]
async fn the_first_message_opens_the_conversation_and_the_next_continue_it() {
    let world = World::new().await;
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "My parcel has not come.");
    world.writes(world.maria, topic, "It was due on Monday.");
    world.settle().await;
    world.writes(world.maria, topic, "Hello?");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        [
            "Maria Lopez: My parcel has not come.",
            "Maria Lopez: It was due on Monday.",
            "Maria Lopez: Hello?"
        ]
    );
    world.agent_replies("Order 1042", "<p>It is <b>on its way</b>.</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nIt is <b>on its way</b>."]);
    world.finish().await;
}

/// Telegram gives an id of 0 to what it will send later.
#[tokio::test]
async fn messages_without_an_id_are_told_apart_by_their_updates() {
    for topic in [None, Some("Order 1042")] {
        let world = World::new().await;
        let place = topic.map_or(world.general(), |title| world.topic(title));
        world.settle().await;
        let door = Door::telegram(&world);
        world
            .intercom()
            .faults()
            .arm("POST /conversations", Fault::LoseAnswer, 1);
        for (update, text) in [
            (900_000_001, "Hello"),
            (900_000_002, "Anybody?"),
            (900_000_002, "Anybody?"),
        ] {
            let mut body = json!({"update_id": update, "message": {
                "message_id": 0, "date": world.stage.vendors.clock.now_s(), "text": text,
                "chat": {"id": world.forum, "type": "supergroup", "title": "Acme Support", "is_forum": true},
                "from": {"id": world.maria.0, "is_bot": false, "first_name": "Maria", "last_name": "Lopez"},
            }});
            if let Some(topic) = place.topic {
                body["message"]["message_thread_id"] = topic.into();
                body["message"]["is_topic_message"] = true.into();
            }
            assert_eq!(door.takes_update(body.to_string()).await, StatusCode::OK);
        }
        world.settle().await;
        let group = -world.forum - 1_000_000_000_000;
        let link = place
            .topic
            .map_or(group.to_string(), |topic| format!("{group}/{topic}"));
        let seen = world.inbox();
        assert_eq!(seen, [["Maria Lopez: Hello", "Maria Lopez: Anybody?"]]);
        let whole = world.intercom().conversations()[0].parts[0].text.clone();
        assert!(whole.ends_with(&format!("https://t.me/c/{link}#900000001")), "{whole}");
        world.finish().await;
    }
}

#[tokio::test]
async fn each_topic_is_a_conversation_of_its_own() {
    let world = World::new().await;
    let order = world.topic("Order 1042");
    let invoice = world.topic("Invoice");
    world.writes(world.maria, order, "Where is it?");
    world.writes(world.maria, invoice, "Can I have one?");
    world.settle().await;
    world.writes(world.maria, order, "It was due on Monday.");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        ["Maria Lopez: Where is it?", "Maria Lopez: It was due on Monday."]
    );
    assert_eq!(world.agent_sees("Invoice"), ["Maria Lopez: Can I have one?"]);
    world.agent_replies("Invoice", "<p>Here it is.</p>");
    world.settle().await;
    assert_eq!(world.customer_is_told(invoice), ["<b>Anna</b>\nHere it is."]);
    assert!(world.customer_is_told(order).is_empty());
    world.finish().await;
}

#[tokio::test]
async fn everybody_who_writes_in_a_topic_takes_part_in_its_conversation() {
    let world = World::new().await;
    let topic = world.order().await;
    world.writes(world.ken, topic, "Mine is late, too.");
    world.writes(world.maria, topic, "See?");
    world.writes(world.ken, topic, "Same carrier.");
    world.settle().await;
    assert_eq!(
        world.agent_sees("Order 1042"),
        [
            "Maria Lopez: Hello",
            "Ken: Mine is late, too.",
            "Maria Lopez: See?",
            "Ken: Same carrier."
        ]
    );
    let names: Vec<_> = world
        .conversation("Order 1042")
        .contacts
        .into_iter()
        .map(|contact| contact.name.unwrap_or_default())
        .collect();
    assert_eq!(names, ["Maria Lopez", "Ken"]);
    world.finish().await;
}

#[tokio::test]
async fn one_person_is_one_contact_in_all_topics() {
    let world = World::new().await;
    world.order().await;
    let other = world.topic("Invoice");
    world.writes(world.maria, other, "Another thing");
    world.settle().await;
    let contacts = world.intercom().contacts();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].role, "user");
    assert_eq!(contacts[0].external_id, Some(format!("telegram:{}", world.maria.0)));
    world.finish().await;
}

#[tokio::test]
async fn who_has_a_new_name_has_it_in_intercom_too() {
    let world = World::new().await;
    let topic = world.order().await;
    world.telegram().rename_user(world.maria, "Maria", Some("Lopez-Hill"));
    world.writes(world.maria, topic, "I got married.");
    world.settle().await;
    let contacts = world.intercom().contacts();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].name.as_deref(), Some("Maria Lopez-Hill"));
    world.finish().await;
}

#[tokio::test]
async fn a_new_conversation_gets_title_tags_note_and_link() {
    let world = World::new().await;
    let topic = world.order().await;
    let conversation = world.conversation("Order 1042");
    assert_eq!(conversation.tags, ["telegram", "Acme Support"]);
    assert_eq!((conversation.assignee, conversation.team), (None, None));
    let notes: Vec<_> = conversation.parts.iter().filter(|part| part.kind == "note").collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(
        notes[0].text.trim(),
        "From: Maria Lopez\nUsername: @maria_l\nTelegram chat: Acme Support\nTopic: Order 1042\nLanguage of the app: en"
    );
    let first = world.telegram().messages(topic)[0].id;
    let group = -world.forum - 1_000_000_000_000;
    let link = format!("https://t.me/c/{group}/{}/{first}", topic.topic.unwrap());
    assert!(
        conversation.parts[0].text.trim().ends_with(&link),
        "{}",
        conversation.parts[0].text
    );
    world.finish().await;
}

#[tokio::test]
async fn the_title_follows_the_topic() {
    let world = World::new().await;
    let topic = world.topic("Ordre 1042");
    let id = topic.topic.unwrap();
    world
        .telegram()
        .rename_topic(world.maria, world.forum, id, "Order 1042");
    world.settle().await;
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    world
        .telegram()
        .rename_topic(world.maria, world.forum, id, "Order 1042: solved");
    world.settle().await;
    assert_eq!(world.agent_sees("Order 1042: solved"), ["Maria Lopez: Hello"]);
    world.finish().await;
}

/// Telegram shows what a topic's messages implicitly answer: the message that created it.
#[tokio::test]
async fn a_topic_that_is_older_than_the_bridge_has_its_title_from_the_message() {
    let scene = Scene::new().await;
    let id = scene
        .vendors
        .telegram
        .create_topic(scene.maria, scene.forum, "Older than the bridge");
    // What happened before the webhook was set is gone by the time that it is.
    let topic = simulators::telegram::Place::topic(scene.forum, id);
    let world = scene.open().await;
    world.writes(world.maria, topic, "Hello");
    world.settle().await;
    assert_eq!(world.agent_sees("Older than the bridge"), ["Maria Lopez: Hello"]);
    world.finish().await;
}

#[tokio::test]
async fn new_conversations_go_to_whom_the_settings_name() {
    let scene = Scene::new().await;
    let vip = scene.vendors.telegram.supergroup("Acme VIP", true);
    scene
        .vendors
        .telegram
        .promote_bot(&scene.vendors.bot, vip, Rights::all());
    let team = scene.vendors.intercom.team("Support");
    let anna = scene.anna.clone();
    let world = scene
        .bridging(vip)
        .set("INTERCOM_ASSIGNEE", format!("team:{team},{vip}=admin:{anna}"))
        .open()
        .await;
    world.order().await;
    let vip_topic = simulators::telegram::Place::topic(vip, world.telegram().create_topic(world.ken, vip, "Contract"));
    world.writes(world.ken, vip_topic, "We should talk.");
    world.settle().await;
    assert_eq!(world.conversation("Order 1042").team.as_deref(), Some("Support"));
    assert_eq!(world.conversation("Contract").assignee.as_deref(), Some("Anna Weber"));
    assert_eq!(world.conversation("Contract").tags, ["telegram", "Acme VIP"]);
    world.finish().await;
}

/// While Intercom wants no calls, each attempt comes a little further.
#[tokio::test]
async fn what_a_new_conversation_gets_it_gets_when_intercom_takes_calls_again() {
    let scene = Scene::new().await;
    let team = scene.vendors.intercom.team("Support");
    let world = scene.set("INTERCOM_ASSIGNEE", format!("team:{team}")).open().await;
    let wants_no_calls = Fault::TooManyRequests(Duration::from_secs(7));
    for call in [
        "PUT /conversations/{id}",
        "POST /conversations/{id}/tags",
        "POST /conversations/{id}/parts",
    ] {
        world.intercom().faults().arm(call, wants_no_calls.clone(), 1);
    }
    world.order().await;
    let conversation = world.conversation("Order 1042");
    assert_eq!(conversation.team.as_deref(), Some("Support"));
    assert!(conversation.tags.contains(&"telegram".to_owned()));
    let notes = conversation.parts.iter().filter(|part| part.kind == "note");
    assert_eq!(notes.count(), 1);
    assert_eq!(world.agent_sees("Order 1042"), ["Maria Lopez: Hello"]);
    world.finish().await;
}

/// Nor does one thing that it never gets stop the others; and what comes after its message waits some minutes at most.
#[tokio::test]
async fn what_a_new_conversation_never_gets_holds_nothing_up() {
    let wants_no_calls = Fault::TooManyRequests(Duration::from_secs(7));
    for fault in [Fault::Refuse(500), wants_no_calls.clone()] {
        let world = World::new().await;
        let faults = world.intercom().faults();
        faults.arm("PUT /conversations/{id}", fault.clone(), 10_000);
        let topic = world.topic("Order 1042");
        world.writes(world.maria, topic, "Hello");
        world.writes(world.maria, topic, "Anybody?");
        world.passes(Duration::from_mins(6)).await;
        faults.clear();
        let [said] = world.inbox().try_into().expect("one conversation");
        assert_eq!(said.len(), 2, "{said:?}");
        let conversation = &world.intercom().conversations()[0];
        let notes = conversation.parts.iter().filter(|part| part.kind == "note").count();
        if fault != wants_no_calls {
            assert_eq!((conversation.tags.len(), notes), (2, 1));
        }
        world.finish().await;
    }
}

/// The answer to the note is lost, so that nobody knows whether it is there; then Intercom wants no calls.
#[tokio::test]
async fn a_conversation_whose_note_is_doubtful_is_assigned_all_the_same() {
    let scene = Scene::new().await;
    let team = scene.vendors.intercom.team("Support");
    let world = scene.set("INTERCOM_ASSIGNEE", format!("team:{team}")).open().await;
    let faults = world.intercom().faults();
    faults.arm("POST /conversations/{id}/reply", Fault::LoseAnswer, 1);
    let wants_no_calls = Fault::TooManyRequests(Duration::from_secs(7));
    faults.arm("POST /conversations/{id}/parts", wants_no_calls, 1);
    world.order().await;
    let conversation = world.conversation("Order 1042");
    assert_eq!(conversation.team.as_deref(), Some("Support"));
    let notes = conversation.parts.iter().filter(|part| part.kind == "note");
    assert_eq!(notes.count(), 1);
    world.finish().await;
}

/// It is older than anything that is still tried, but it has arrived.
#[tokio::test]
async fn an_old_message_that_has_opened_a_conversation_is_not_given_up() {
    let world = Scene::new().await.set("GIVE_UP_AFTER", "1h").open().await;
    let topic = world.topic("Order 1042");
    let faults = world.intercom().faults();
    faults.arm("POST /conversations", Fault::Refuse(401), 10_000);
    world.writes(world.maria, topic, "Hello");
    world.passes(Duration::from_hours(2)).await;
    faults.clear();
    let wants_no_calls = Fault::TooManyRequests(Duration::from_secs(7));
    faults.arm("PUT /conversations/{id}", wants_no_calls, 2);
    world.settle().await;
    assert!(world.inbox()[0][0].ends_with("Hello"), "{:?}", world.inbox());
    assert_eq!(world.customer_is_told(topic), Vec::<String>::new());
    assert_eq!(world.conversation("Order 1042").tags.len(), 2);
    world.finish().await;
}

#[tokio::test]
async fn what_a_new_conversation_cannot_get_stops_no_message() {
    let world = World::new().await;
    for call in ["PUT /conversations/{id}", "POST /conversations/{id}/tags"] {
        world.intercom().faults().arm(call, simulators::Fault::Refuse(422), 1);
    }
    let topic = world.topic("Order 1042");
    world.writes(world.maria, topic, "Hello");
    world.writes(world.maria, topic, "Anybody?");
    world.settle().await;
    assert_eq!(world.inbox(), [["Maria Lopez: Hello", "Maria Lopez: Anybody?"]]);
    world.finish().await;
}

/// The opening message is taken as plain text; what follows keeps its formatting.
#[tokio::test]
async fn text_arrives_to_the_letter() {
    let world = World::new().await;
    let topic = world.topic("Code");
    let odd = "a <b>tag</b> & an &amp; entity,\n\nanother paragraph, \u{1f469}\u{200d}\u{1f4bb} and \u{200f}עברית";
    world.writes(world.maria, topic, odd);
    world.settle().await;
    let bold = json!({"type": "bold", "offset": 0, "length": 1});
    world.sends(
        world.maria,
        topic,
        Compose::text("a <b>tag</b> & an &amp; entity").with_entities(vec![bold]),
    );
    world.settle().await;
    let seen = world.agent_sees("Code");
    assert_eq!(seen[0], format!("Maria Lopez: {odd}"));
    assert_eq!(seen[1], "Maria Lopez: a <b>tag</b> & an &amp; entity");
    let html = world.conversation("Code").messages().last().unwrap().html.clone();
    assert!(html.contains("<b>a</b> &lt;b&gt;tag"), "{html}");
    world.finish().await;
}

#[tokio::test]
async fn the_settings_can_name_who_writes_the_notes() {
    let scene = Scene::new().await;
    let anna = scene.anna.clone();
    let world = scene.set("INTERCOM_ADMIN_ID", anna).open().await;
    world.order().await;
    let conversation = world.conversation("Order 1042");
    let note = conversation.parts.iter().find(|part| part.kind == "note").unwrap();
    assert_eq!(note.author_name, "Anna Weber");
    world.finish().await;
}

/// Its members need not wait for one another.
#[tokio::test]
async fn first_messages_of_many_topics_and_people_at_once() {
    let world = World::new().await;
    let topics: Vec<_> = (0..20).map(|number| world.topic(&format!("Topic {number}"))).collect();
    for topic in &topics {
        world.writes(world.maria, *topic, "From Maria");
        world.writes(world.ken, *topic, "From Ken");
    }
    world.settle().await;
    for topic in topics {
        assert_eq!(world.agent_sees_in(topic), ["Maria Lopez: From Maria", "Ken: From Ken"]);
    }
    assert_eq!(world.intercom().contacts().len(), 2);
    world.finish().await;
}
