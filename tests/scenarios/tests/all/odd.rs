//! Odd names, odd texts, odd places.

use scenarios::{Scene, World};
use serde_json::json;
use simulators::{
    intercom::{File, Reply},
    telegram::{Compose, Place, Rights},
};
use std::time::Duration;

#[tokio::test]
async fn odd_names_hurt_nobody() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let odd = [
        telegram.user("<b>Bobby</b> & \"Sons\"", Some("'; DROP TABLE --"), None),
        telegram.user("עברית\u{202e}evil", None, Some("rtl_user")),
        telegram.user("👩🏽‍💻", Some("👍"), None),
        telegram.user(&"n".repeat(64), Some(&"m".repeat(64)), None),
    ];
    let group = telegram.supergroup(&"A group with a <long> title & more ".repeat(7), true);
    telegram.promote_bot(&scene.vendors.bot, group, Rights::all());
    let world = scene.bridging(group).open().await;
    for (at, who) in odd.into_iter().enumerate() {
        let title = format!("<i>Topic</i> & {at} 🫖\u{202e}");
        let topic = Place::topic(group, world.telegram().create_topic(who, group, &title));
        world.writes(who, topic, "Hello");
        world.writes(who, topic, "Anybody?");
        world.settle().await;
        assert_eq!(world.agent_sees(&title).len(), 2, "{:?}", world.inbox());
        let conversation = world.conversation_in(topic).unwrap();
        world
            .intercom()
            .agent_replies(&conversation.id, &world.anna, "<p>Yes</p>");
        world.settle().await;
        assert_eq!(world.customer_is_told(topic), ["<b>Anna</b>\nYes"]);
    }
    world.finish().await;
}

/// Intercom takes no empty text, and a message that shows nothing is one.
#[tokio::test]
async fn messages_that_show_nothing_stop_nothing() {
    let world = World::new().await;
    let topic = world.topic("Blank");
    for text in ["\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}", "\u{feff}\u{200d}"] {
        world.writes(world.maria, topic, text);
        world.settle().await;
    }
    world.writes(world.maria, topic, "Sorry");
    world.settle().await;
    let seen = world.agent_sees_in(topic);
    assert_eq!(seen.last().unwrap(), "Maria Lopez: Sorry");
    assert!(
        world.customer_is_told(topic).is_empty(),
        "{:?}",
        world.customer_is_told(topic)
    );
    world.finish().await;
}

#[tokio::test]
async fn replies_that_show_nothing_send_nothing() {
    let world = World::new().await;
    let topic = world.order().await;
    for html in ["<p></p>", "<p> </p>", "<p>&nbsp;</p>", "<p><br></p>", "<p>\u{200b}</p>"] {
        world.agent_replies("Order 1042", html);
    }
    world.agent_replies("Order 1042", "<p>Sorry</p>");
    world.settle().await;
    let told = world.customer_is_told(topic);
    assert_eq!(told.last().unwrap(), "<b>Anna</b>\nSorry");
    assert!(world.agent_notes("Order 1042").is_empty());
    world.finish().await;
}

#[tokio::test]
async fn a_text_as_long_as_telegram_takes_arrives_whole() {
    let world = World::new().await;
    let topic = world.order().await;
    let text: String = "<&> 👍 ".chars().cycle().take(3_000).collect();
    let text = text.trim_end();
    world.writes(world.maria, topic, text);
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert_eq!(seen[1].matches("<&>").count(), text.matches("<&>").count());
    assert_eq!(seen[1].matches('👍').count(), text.matches('👍').count());
    world.finish().await;
}

#[tokio::test]
async fn entities_that_make_no_sense_hurt_nobody() {
    let world = World::new().await;
    let topic = world.order().await;
    let entity = |kind: &str, offset: i64, length: i64| json!({"type": kind, "offset": offset, "length": length});
    for entities in [
        vec![entity("bold", 100, 5)],
        vec![entity("bold", -1, 5)],
        vec![entity("bold", 0, 0)],
        vec![entity("bold", 0, 1_000_000)],
        vec![entity("bold", 0, 5), entity("italic", 3, 5), entity("code", 2, 9)],
        vec![json!({"type": "text_link", "offset": 0, "length": 4, "url": "javascript:alert(1)"})],
        vec![json!({"type": "text_link", "offset": 0, "length": 4})],
        vec![json!({"type": 5, "offset": "x"})],
        vec![json!("bold")],
    ] {
        let before = world.agent_sees("Order 1042").len();
        let shown = format!("{entities:?}");
        world.sends(world.maria, topic, Compose::text("some words").with_entities(entities));
        world.settle().await;
        let seen = world.agent_sees("Order 1042");
        assert_eq!(seen.len(), before + 1, "{shown}");
        assert_eq!(seen.last().unwrap(), "Maria Lopez: some words", "{shown}");
        let html = world.conversation("Order 1042").messages().last().unwrap().html.clone();
        assert!(!html.contains("javascript"), "{html}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_reply_that_is_nothing_but_a_file_or_a_picture_leaves_a_trace() {
    for version in ["2.14", "2.16"] {
        let world = World::new().await;
        let topic = world.order().await;
        world.intercom().set_api_version(version);
        let picture = || File::new("kettle.png", "image/png", vec![1; 100]);
        world.agent_replies_with("Order 1042", Reply::default().with_file(picture()));
        world.settle().await;
        world.agent_replies_with("Order 1042", Reply::default().with_image(picture()));
        world.settle().await;
        world.agent_replies_with("Order 1042", Reply::html("<p>See:</p>").with_image(picture()));
        world.settle().await;
        let told = world.customer_is_told(topic);
        assert_eq!(told, ["<b>Anna</b>", "<b>Anna</b>", "<b>Anna</b>\nSee:"], "{version}");
        let shown = world
            .telegram()
            .messages(topic)
            .into_iter()
            .filter_map(|seen| seen.media);
        let sizes: Vec<usize> = shown.map(|media| media.bytes.len()).collect();
        assert_eq!(sizes, [100; 3], "{version}");
        world.finish().await;
    }
}

/// As many messages as a group takes in a minute, all topics together, and no more: Telegram never has to refuse one.
#[tokio::test]
async fn a_group_is_not_sent_more_than_it_takes() {
    let world = World::new().await;
    let order = world.order().await;
    let invoice = world.topic("Invoice");
    world.writes(world.ken, invoice, "Hello");
    world.settle().await;
    let begin = world.stage.vendors.clock.now_ms();
    for number in 0..15 {
        world.agent_replies("Order 1042", &format!("<p>{number}</p>"));
        world.agent_replies("Invoice", &format!("<p>{number}</p>"));
    }
    world.settle().await;
    let expected: Vec<String> = (0..15).map(|number| format!("<b>Anna</b>\n{number}")).collect();
    assert_eq!(world.customer_is_told(order), expected);
    assert_eq!(world.customer_is_told(invoice), expected);
    let refused = world
        .telegram()
        .calls()
        .into_iter()
        .filter(|call| matches!(call.outcome, simulators::telegram::Outcome::Refused { code: 429, .. }));
    assert_eq!(refused.count(), 0);
    let took = Duration::from_millis(u64::try_from(world.stage.vendors.clock.now_ms() - begin).unwrap());
    assert!(took < Duration::from_secs(29 * 3 + 10), "{took:?}");
    world.finish().await;
}

#[tokio::test]
async fn one_group_does_not_wait_for_another() {
    let scene = Scene::new().await;
    let telegram = &scene.vendors.telegram;
    let other = telegram.supergroup("Acme VIP", true);
    telegram.promote_bot(&scene.vendors.bot, other, Rights::all());
    let world = scene.bridging(other).open().await;
    world.order().await;
    let vip = Place::topic(other, world.telegram().create_topic(world.ken, other, "Contract"));
    world.writes(world.ken, vip, "Hello");
    world.settle().await;
    world.passes(Duration::from_mins(1)).await;
    for number in 0..20 {
        world.agent_replies("Order 1042", &format!("<p>{number}</p>"));
    }
    world.stage.settle_now().await.unwrap();
    world.agent_replies("Contract", "<p>At once</p>");
    world.stage.settle_now().await.unwrap();
    assert_eq!(world.customer_is_told(vip), ["<b>Anna</b>\nAt once"]);
    world.settle().await;
    world.finish().await;
}

#[tokio::test]
async fn the_settings_say_how_long_a_message_is_tried() {
    let world = Scene::new().await.set("GIVE_UP_AFTER", "1h").open().await;
    let topic = world.order().await;
    world.telegram().kick_bot(&world.stage.vendors.bot, world.forum);
    world.agent_replies("Order 1042", "<p>First</p>");
    world.passes(Duration::from_mins(50)).await;
    assert_eq!(world.agent_notes("Order 1042").len(), 1);
    world.passes(Duration::from_mins(40)).await;
    assert_eq!(world.agent_notes("Order 1042").len(), 2);
    world
        .telegram()
        .promote_bot(&world.stage.vendors.bot, world.forum, Rights::all());
    assert_eq!(world.redrives().await, 1);
    assert_eq!(world.customer_is_told(topic).len(), 1);
    world.finish().await;
}

/// A person who blocks the bot in a private chat.
#[tokio::test]
async fn an_agent_is_told_that_a_person_blocked_the_bot() {
    let scene = Scene::new().await.set("PRIVATE_CHATS", "on");
    let chat = Place::chat(scene.vendors.telegram.private_chat(scene.maria));
    let world = scene.open().await;
    world.writes(world.maria, chat, "Psst");
    world.settle().await;
    world.telegram().set_blocked(world.maria, true);
    world.agent_replies("Maria Lopez", "<p>Yes?</p>");
    world.passes(Duration::from_mins(1)).await;
    assert_eq!(world.agent_notes("Maria Lopez").len(), 1);
    world.telegram().set_blocked(world.maria, false);
    world.settle().await;
    assert_eq!(world.customer_is_told(chat), ["<b>Anna</b>\nYes?"]);
    world.finish().await;
}

/// The bridge ends in the middle of everything and starts anew on its file.
#[tokio::test]
async fn a_restart_loses_nothing() {
    let mut world = Scene::new().await.with_file().open().await;
    let topic = world.order().await;
    world.writes(world.maria, topic, "Before");
    world.agent_replies("Order 1042", "<p>One</p>");
    world.agent_replies("Order 1042", "<p>Two</p>");
    // Taken by the webhooks, carried by nobody.
    world.telegram().pump().await;
    world.intercom().pump().await;
    world.restart_with("AGENT_NAMES", "full").await;
    world.writes(world.maria, topic, "After");
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    let of_maria: Vec<_> = seen.iter().filter(|line| line.starts_with("Maria")).collect();
    assert_eq!(
        of_maria,
        ["Maria Lopez: Hello", "Maria Lopez: Before", "Maria Lopez: After"]
    );
    assert_eq!(
        world.customer_is_told(topic),
        ["<b>Anna Weber</b>\nOne", "<b>Anna Weber</b>\nTwo"]
    );
    world.finish().await;
}
