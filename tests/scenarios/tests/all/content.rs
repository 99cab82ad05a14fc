//! What is said, and how it looks: formatting both ways, long texts, things that are not text.

use scenarios::World;
use serde_json::{Value, json};
use simulators::telegram::{Compose, Media, MediaKind};

/// Sends a text with one entity over all of it as a second message; gives the body that Intercom was sent, and what an agent reads.
async fn inbound(world: &World, text: &str, entity: Value) -> (String, String) {
    let topic = world.topic("Formatting");
    world.writes(world.maria, topic, "First");
    world.settle().await;
    let mut entity = entity;
    entity["offset"] = 0.into();
    entity["length"] = text.encode_utf16().count().into();
    world.sends(world.maria, topic, Compose::text(text).with_entities(vec![entity]));
    world.settle().await;
    let calls = world.intercom().calls();
    let reply = calls.iter().rfind(|call| call.name == "POST /conversations/{id}/reply");
    let read = world
        .conversation_in(topic)
        .unwrap()
        .messages()
        .last()
        .unwrap()
        .text
        .clone();
    (reply.unwrap().body["body"].as_str().unwrap().to_owned(), read)
}

/// To the letter: a kind whose look is lost would still have its words. What Intercom has no form for stays plain.
#[tokio::test]
async fn every_kind_of_entity_reaches_the_agent() {
    let world = World::new().await;
    let of = |kind: &str| json!({"type": kind});
    for (entity, text, expected) in [
        (of("bold"), "bold", "<p><b>bold</b></p>"),
        (of("italic"), "italic", "<p><i>italic</i></p>"),
        (of("underline"), "underline", "<p><u>underline</u></p>"),
        (of("strikethrough"), "gone", "<p><s>gone</s></p>"),
        (of("spoiler"), "secret", "<p>secret</p>"),
        (of("code"), "a < b", "<p><code>a &lt; b</code></p>"),
        (of("pre"), "a\n  b", "<pre><code>a<br>  b</code></pre>"),
        (
            json!({"type": "pre", "language": "rust"}),
            "fn main() {}",
            "<pre><code>fn main() {}</code></pre>",
        ),
        (
            of("blockquote"),
            "somebody said",
            "<blockquote><p>somebody said</p></blockquote>",
        ),
        (
            of("expandable_blockquote"),
            "a long story",
            "<blockquote><p>a long story</p></blockquote>",
        ),
        (
            json!({"type": "text_link", "url": "https://example.com/a?b=1&c=2"}),
            "the page",
            "<p><a href=\"https://example.com/a?b=1&amp;c=2\">the page</a></p>",
        ),
        (
            of("url"),
            "example.com",
            "<p><a href=\"http://example.com\">example.com</a></p>",
        ),
        (
            of("email"),
            "ann@example.com",
            "<p><a href=\"mailto:ann@example.com\">ann@example.com</a></p>",
        ),
        (of("phone_number"), "+4512345678", "<p>+4512345678</p>"),
        (of("mention"), "@maria_l", "<p>@maria_l</p>"),
        (
            json!({"type": "text_mention", "user": {"id": 5, "is_bot": false, "first_name": "Ken"}}),
            "Ken",
            "<p>Ken</p>",
        ),
        (of("hashtag"), "#order", "<p>#order</p>"),
        (of("cashtag"), "$USD", "<p>$USD</p>"),
        (of("bot_command"), "/start", "<p>/start</p>"),
        (
            json!({"type": "custom_emoji", "custom_emoji_id": "5"}),
            "👍",
            "<p>👍</p>",
        ),
        (
            json!({"type": "date_time", "unix_time": 1_768_500_000, "date_time_format": "Dt"}),
            "on Thursday at six",
            "<p>on Thursday at six</p>",
        ),
        (of("a_kind_of_tomorrow"), "new", "<p>new</p>"),
    ] {
        let (sent, read) = inbound(&world, text, entity.clone()).await;
        assert_eq!(sent, expected, "{entity}");
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat(&read).starts_with(&flat(text)),
            "{entity}: an agent reads {read:?}"
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn entities_count_in_utf16() {
    let world = World::new().await;
    let topic = world.order().await;
    let bold = json!({"type": "bold", "offset": 3, "length": 4});
    world.sends(
        world.maria,
        topic,
        Compose::text("👩🏽 bold, not bold").with_entities(vec![bold.clone()]),
    );
    world.settle().await;
    // The emoji is four units long, so that the stretch begins inside it: nothing is lost, whatever becomes of it.
    assert_eq!(world.agent_sees("Order 1042")[1], "Maria Lopez: 👩🏽 bold, not bold");
    let bold = json!({"type": "bold", "offset": 5, "length": 4});
    world.sends(
        world.maria,
        topic,
        Compose::text("👩🏽 bold, not bold").with_entities(vec![bold]),
    );
    world.settle().await;
    let html = world.conversation("Order 1042").messages().last().unwrap().html.clone();
    assert!(html.contains("👩🏽 <b>bold</b>, not bold"), "{html}");
    world.finish().await;
}

#[tokio::test]
async fn html_reaches_the_customer_as_telegram_knows_it() {
    let world = World::new().await;
    let topic = world.order().await;
    for (html, expected) in [
        (
            "<p>a <b>bold</b> <strong>word</strong></p>",
            "a <b>bold</b> <b>word</b>",
        ),
        ("<p>a <i>leaning</i> <em>word</em></p>", "a <i>leaning</i> <i>word</i>"),
        ("<p>one<br>two</p>", "one\ntwo"),
        ("<p>one</p><p></p><p>two</p>", "one\n\ntwo"),
        ("<p>a &lt;tag&gt; &amp; more</p>", "a &lt;tag&gt; &amp; more"),
        (
            "<p>see <a href=\"https://example.com/a?b=1&amp;c=2\">the page</a></p>",
            "see <a href=\"https://example.com/a?b=1&amp;c=2\">the page</a>",
        ),
        ("<p>run <code>cargo run</code></p>", "run <code>cargo run</code>"),
        ("<ul><li>one</li><li>two</li></ul>", "\n• one\n• two"),
        ("<ol><li>one</li><li>two</li></ol>", "\n1. one\n2. two"),
        ("<h1>Title</h1><p>Text</p>", "\n<b>Title</b>\n\nText"),
        ("<p><mystery>kept</mystery></p>", "kept"),
    ] {
        world.agent_replies("Order 1042", html);
        world.settle().await;
        let told = world.customer_is_told(topic).pop().unwrap();
        assert_eq!(told, format!("<b>Anna</b>\n{expected}"), "{html}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_long_reply_is_cut_and_arrives_whole_and_in_order() {
    let world = World::new().await;
    let topic = world.order().await;
    let words: Vec<String> = (0..2_000).map(|number| format!("word{number}")).collect();
    world.agent_replies("Order 1042", &format!("<p>{}</p>", words.join(" ")));
    world.agent_replies("Order 1042", "<p>Behind it</p>");
    world.settle().await;
    let told: Vec<String> = world
        .telegram()
        .messages(topic)
        .into_iter()
        .filter(|message| message.from_bot)
        .map(|message| message.text)
        .collect();
    assert!(told.len() > 3, "{} messages", told.len());
    assert!(told.iter().all(|text| text.encode_utf16().count() <= 4_096));
    let all = told.join(" ");
    let arrived: Vec<&str> = all.split_whitespace().filter(|word| word.starts_with("word")).collect();
    assert_eq!(arrived, words);
    assert!(told.last().unwrap().ends_with("Behind it"));
    world.finish().await;
}

/// The messages that were sent before the fault stay, and only the rest is sent again.
#[tokio::test]
async fn a_long_reply_goes_on_where_it_was_interrupted() {
    let world = World::new().await;
    let topic = world.order().await;
    let paragraph = "A sentence that says nothing. ".repeat(100);
    world.agent_replies(
        "Order 1042",
        &format!("<p>{paragraph}</p><p>{paragraph}</p><p>{paragraph}</p>"),
    );
    world.stage.settle_now().await.unwrap();
    let sent = world.customer_is_told(topic).len();
    assert_eq!(sent, 1);
    world.telegram().faults().arm(
        "sendMessage",
        simulators::Fault::TooManyRequests(std::time::Duration::from_secs(9)),
        1,
    );
    world.settle().await;
    let told = world.customer_is_told(topic);
    let sentences: usize = told.iter().map(|text| text.matches("A sentence").count()).sum();
    assert_eq!(sentences, 300);
    world.finish().await;
}

#[tokio::test]
async fn every_kind_of_message_leaves_a_trace() {
    let world = World::new().await;
    let topic = world.order().await;
    let file = |kind, name: &str| Compose::media(Media::new(kind, name, "application/octet-stream", vec![1, 2, 3]));
    let cases = [
        (Compose::media(Media::photo(vec![1, 2, 3])).with_text("Look"), "Look"),
        (file(MediaKind::Document, "invoice.pdf"), "invoice.pdf"),
        (file(MediaKind::Video, "parcel.mp4"), "parcel.mp4"),
        (file(MediaKind::Audio, "song.mp3"), "song.mp3"),
        (Compose::media(Media::voice(vec![1, 2, 3])), "voice"),
        (file(MediaKind::Animation, "cat.gif"), "cat.gif"),
        (file(MediaKind::Sticker, ""), "👍"),
        (file(MediaKind::VideoNote, ""), "video"),
        (Compose::contact("+4512345678", "Ken"), "+4512345678"),
        (Compose::location(55.676, 12.568), "55.676"),
        (Compose::venue(55.676, 12.568, "The shop", "1 Main Street"), "The shop"),
        (Compose::poll("Lunch?", &["Pizza", "Soup"]), "Pizza"),
        (Compose::dice("🎲", 4), "4"),
        (Compose::content("hologram", json!({"depth": 3})), "hologram"),
    ];
    for (at, (message, trace)) in cases.into_iter().enumerate() {
        world.sends(world.maria, topic, message);
        world.settle().await;
        let seen = world.agent_sees("Order 1042");
        assert_eq!(seen.len(), at + 2, "{trace}: {seen:?}");
        assert!(
            seen.last().unwrap().contains(trace),
            "{trace:?} is not in {:?}",
            seen.last()
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn what_is_answered_and_from_whom_it_was_forwarded_is_said() {
    let world = World::new().await;
    let topic = world.order().await;
    let first = world.telegram().messages(topic)[0].id;
    world.sends(world.ken, topic, Compose::text("Me too").reply_to(first));
    world.settle().await;
    world.sends(
        world.maria,
        topic,
        Compose::text("Your parcel was lost.").forwarded_from("The carrier", 1_768_000_000),
    );
    world.settle().await;
    let seen = world.agent_sees("Order 1042");
    assert!(seen[1].starts_with("Ken: Maria Lopez wrote:"), "{seen:?}");
    assert!(seen[1].contains("Hello") && seen[1].ends_with("Me too"), "{seen:?}");
    assert!(
        seen[2].starts_with("Maria Lopez: Forwarded from The carrier:"),
        "{seen:?}"
    );
    assert!(seen[2].ends_with("Your parcel was lost."), "{seen:?}");
    world.finish().await;
}
