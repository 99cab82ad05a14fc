//! Every kind of message leaves a trace.

use crate::fixtures::decode_message;
use bridge::rich_text::{Block, RichText, Run};
use proptest::prelude::*;
use serde_json::{Value, json};

fn plain(fields: &Value) -> String {
    decode_message(fields).text.to_plain()
}

#[test]
fn every_kind_of_content_is_one_honest_line() {
    let map = "(https://maps.google.com/maps?q=52.52000,13.40500)";
    let cases = [
        (json!({"photo": []}), "[photo]".to_owned()),
        (json!({"photo": [], "live_photo": {}}), "[live photo]".into()),
        (
            json!({"document": {"file_name": "report.pdf", "file_size": 23_000}}),
            "[file] report.pdf (23 kB)".into(),
        ),
        (
            json!({"document": {"file_name": "a.mp4"}, "animation": {"file_name": "a.mp4", "duration": 3}}),
            "[animation] a.mp4 (0:03)".into(),
        ),
        (
            json!({"video": {"duration": 13, "file_size": 1_400_000}}),
            "[video] (0:13, 1.4 MB)".into(),
        ),
        (
            json!({"audio": {"performer": "Ann", "title": "Song", "file_name": "x.mp3", "duration": 185}}),
            "[audio] Ann – Song (3:05)".into(),
        ),
        (
            json!({"voice": {"duration": 5, "file_size": 3_000_000_000_i64}}),
            "[voice message] (0:05, 3.0 GB)".into(),
        ),
        (json!({"video_note": {"duration": 7}}), "[video message] (0:07)".into()),
        (json!({"sticker": {"emoji": "😡"}}), "[sticker] 😡".into()),
        (
            json!({"paid_media": {"star_count": 5, "paid_media": [{}, {}]}}),
            "[paid media] 2 items for 5 stars".into(),
        ),
        (
            json!({"contact": {"first_name": "Bo", "last_name": "Ng", "phone_number": "+15550100"}}),
            "[contact] Bo Ng, +15550100".into(),
        ),
        (
            json!({"location": {"latitude": 52.52, "longitude": 13.405}}),
            format!("[location] 52.52000, 13.40500 {map}"),
        ),
        (
            json!({"location": {"latitude": 52.52, "longitude": 13.405, "live_period": 60}}),
            format!("[live location] 52.52000, 13.40500 {map}"),
        ),
        (
            json!({"location": {}, "venue": {"title": "Bar", "address": "Main St 1",
                "location": {"latitude": 52.52, "longitude": 13.405}}}),
            format!("[venue] Bar, Main St 1 {map}"),
        ),
        (
            json!({"poll": {"question": "Lunch?", "type": "regular", "options": [{"text": "Pizza"}, {"text": "Soup"}]}}),
            "[poll] Lunch? – Pizza / Soup".into(),
        ),
        (json!({"dice": {"emoji": "🎲", "value": 4}}), "[dice] 🎲 4".into()),
        (
            json!({"story": {"id": 2, "chat": {"title": "News"}}}),
            "[story] of News".into(),
        ),
        (
            json!({"checklist": {"title": "Move", "tasks": [{"id": 1, "text": "pack", "completion_date": 5}, {"id": 2, "text": "call"}]}}),
            "[checklist] Move – ☑ pack / ☐ call".into(),
        ),
        (json!({"game": {"title": "Chess"}}), "[game] Chess".into()),
        (
            json!({"invoice": {"title": "Tea", "description": "Green"}}),
            "[invoice] Tea – Green".into(),
        ),
        (
            json!({"giveaway": {"prize_description": "a car"}}),
            "[giveaway] a car".into(),
        ),
        (
            json!({"giveaway_winners": {"winner_count": 3}}),
            "[giveaway] 3 winners".into(),
        ),
        (json!({"gift": {"text": "for you"}}), "[gift] for you".into()),
        (
            json!({"unique_gift": {"gift": {"base_name": "Cake"}}}),
            "[gift] Cake".into(),
        ),
        (json!({"gift_upgrade_sent": {}}), "[gift upgrade]".into()),
        (
            json!({"hologram": {"depth": 3}}),
            "[a kind of message that this bridge does not know: hologram]".into(),
        ),
        (
            json!({}),
            "[a message whose content Telegram does not show to bots]".into(),
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(plain(&fields), expected, "{fields}");
    }
}

#[test]
fn captions_follow_their_line_and_keep_their_formatting() {
    let caption = json!({"caption": "look here", "caption_entities": [{"type": "bold", "offset": 5, "length": 4}]});
    let cases = [
        ("photo", json!([]), "[photo]"),
        (
            "hologram",
            json!({}),
            "[a kind of message that this bridge does not know: hologram]",
        ),
    ];
    for (field, content, line) in cases {
        let mut fields = caption.clone();
        fields[field] = content;
        let expected = RichText(vec![
            Block::paragraph(vec![Run::plain(line)]),
            Block::line(vec![Run::plain("look "), Run::bold("here")]),
        ]);
        assert_eq!(decode_message(&fields).text, expected);
    }
}

#[test]
fn a_rich_message_is_flattened() {
    let blocks = json!([
        {"type": "heading", "size": 2, "text": "Title"},
        {"type": "paragraph", "text": ["plain ", {"type": "bold", "text": ["bold ", {"type": "url", "url": "https://a.example", "text": "link"}]},
            {"type": "custom_emoji", "custom_emoji_id": "1", "alternative_text": "👍"}, {"type": "anchor", "name": "x"},
            {"type": "something new", "text": " new"}]},
        {"type": "list", "items": [
            {"label": "1.", "value": 1, "blocks": [{"type": "paragraph", "text": "one"}]},
            {"label": "2.", "has_checkbox": true, "is_checked": true, "blocks": [{"type": "paragraph", "text": "two"}]}]},
        {"type": "blockquote", "blocks": [{"type": "pullquote", "text": "inner"}], "credit": "Ann"},
        {"type": "pre", "language": "rust", "text": "fn main() {}"},
        {"type": "divider"},
        {"type": "table", "cells": [[{"text": "a", "is_header": true}, {}], [{"text": "b"}, {"text": "c"}]], "caption": "T"},
        {"type": "photo", "photo": [], "caption": {"text": "seen"}},
        {"type": "details", "summary": "More", "blocks": [{"type": "paragraph", "text": "inside"}]},
        {"type": "map", "location": {"latitude": 1.0, "longitude": 2.0}},
        {"type": "buttons", "buttons": [{"text": "Go", "callback_data": "x"}]},
        {"type": "mathematical_expression", "expression": "x^2"},
        {"type": "hologram"},
    ]);
    let text = plain(&json!({"rich_message": {"blocks": blocks}}));
    let expected = "Title\n\nplain bold link (https://a.example)👍 new\n\n1. one\n2. ☑ two\n\n> inner\n> — Ann\n\nfn main() {}\n\n———\n\n\
        a | \nb | c\n\nT\n\n[photo]\nseen\n\nMore\n\ninside\n\n\
        [location] 1.00000, 2.00000 (https://maps.google.com/maps?q=1.00000,2.00000)\n[button] Go\n\nx^2\n\n\
        [a kind of message that this bridge does not know: hologram]";
    assert_eq!(text, expected);
    let blank = plain(&json!({"rich_message": {"blocks": []}}));
    assert_eq!(blank, "[a message whose content Telegram does not show to bots]");
}

/// Any JSON, its keys preferably those that a message has.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "text",
        "entities",
        "caption",
        "caption_entities",
        "photo",
        "document",
        "poll",
        "options",
        "rich_message",
        "blocks",
        "type",
        "items",
        "cells",
        "buttons",
        "credit",
        "reply_to_message",
        "external_reply",
        "quote",
        "chat",
        "id",
        "from",
        "message_id",
        "is_topic_message",
        "message_thread_id",
        "location",
        "venue",
        "checklist",
        "tasks",
        "forum_topic_edited",
        "migrate_to_chat_id",
        "forward_origin",
        "sender_chat",
        "hologram",
        "title",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..8).prop_map(|fields| {
                fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            }),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_telegram_could_send_stops_the_reader(
        body in any_json(),
        kind in prop::sample::select(vec!["message", "edited_message", "my_chat_member", "message_reaction", "else"]),
    ) {
        use bridge::ports::UpdateReader;
        let update = json!({"update_id": 1, kind: body});
        let _ = telegram::TelegramUpdates.peek_value(&update).unwrap();
        let _ = telegram::TelegramUpdates.decode(&update, Some("our_bot"));
    }

    #[test]
    fn no_message_becomes_nothing(body in any_json()) {
        let mut fields = json!({});
        for (key, value) in body.as_object().into_iter().flatten() {
            fields[key] = value.clone();
        }
        fields["forum_topic_edited"] = Value::Null;
        fields["migrate_to_chat_id"] = Value::Null;
        prop_assert!(!decode_message(&fields).text.is_blank(), "{fields}");
    }
}
