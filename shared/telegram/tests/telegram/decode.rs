//! What the worker reads of an update.

use crate::fixtures::{decode_message, forum, message};
use bridge::{
    ports::UpdateReader,
    rich_text::RichText,
    telegram_message::{Reaction, Update},
};
use mapping::{Timestamp, TopicId};
use serde_json::{Value, json};
use telegram::TelegramUpdates;

#[test]
fn a_message_is_decoded_with_all_that_surrounds_it() {
    let decoded = decode_message(&json!({
        "text": "hi", "via_bot": {"id": 3, "username": "gif"},
        "forward_origin": {"type": "user", "date": 1, "sender_user": {"id": 1, "first_name": "Cy"}},
        "reply_to_message": {"message_id": 40, "text": "old", "from": {"id": 502, "first_name": "Bo"}},
    }));
    assert_eq!(decoded.chat_title, "Support");
    assert_eq!(decoded.author.name, "Ann Lee");
    assert_eq!(decoded.author.username.as_deref(), Some("annlee"));
    assert_eq!(decoded.author.language.as_deref(), Some("de"));
    assert_eq!(decoded.date, Timestamp::from_seconds(1_700_000_000));
    assert_eq!(decoded.text, RichText::plain("hi"));
    assert_eq!(decoded.via_bot.as_deref(), Some("gif"));
    assert_eq!(decoded.forwarded_from.as_deref(), Some("Cy"));
    let quote = decoded.quote.unwrap();
    assert_eq!(
        (quote.author.as_deref(), quote.text),
        (Some("Bo"), RichText::plain("old"))
    );
}

#[test]
fn a_change_is_as_old_as_the_change() {
    let changed =
        json!({"update_id": 1, "edited_message": message(&json!({"text": "hi", "edit_date": 1_700_000_100}))});
    let Update::Edited(edited) = TelegramUpdates.decode(&changed, None).unwrap() else {
        panic!()
    };
    assert_eq!(edited.date, Timestamp::from_seconds(1_700_000_100));
}

#[test]
fn an_anonymous_administrator_is_the_group_and_signs() {
    let fields = json!({"text": "hi", "sender_chat": forum(), "author_signature": "Boss",
        "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"}});
    let author = decode_message(&fields).author;
    assert_eq!(
        (author.name.as_str(), author.signature.as_deref()),
        ("Support", Some("Boss"))
    );
}

#[test]
fn forwards_name_who_is_known() {
    let cases = [
        (
            json!({"forward_origin": {"type": "hidden_user", "sender_user_name": "Di"}}),
            Some("Di"),
        ),
        (
            json!({"forward_origin": {"type": "chat", "sender_chat": {"title": "Team"}}}),
            Some("Team"),
        ),
        (
            json!({"forward_origin": {"type": "channel", "chat": {"title": "News"}, "author_signature": "Ed"}}),
            Some("News (Ed)"),
        ),
        (json!({"forward_origin": {"type": "something new"}}), Some("somebody")),
        (
            json!({"forward_from": {"first_name": "Flo"}, "forward_date": 1}),
            Some("Flo"),
        ),
        (json!({}), None),
    ];
    for (mut fields, expected) in cases {
        fields["text"] = json!("hi");
        assert_eq!(decode_message(&fields).forwarded_from.as_deref(), expected, "{fields}");
    }
}

#[test]
fn quotes_prefer_what_was_picked() {
    let bo = json!({"message_id": 40, "text": "one two three", "from": {"id": 502, "first_name": "Bo"}});
    let quote = json!({"text": "two", "position": 4});
    let cases = [
        (json!({"reply_to_message": bo, "quote": quote}), Some("Bo"), "two"),
        (json!({"quote": quote}), None, "two"),
        (
            json!({"external_reply": {"origin": {"type": "hidden_user", "sender_user_name": "Di"}, "photo": []}}),
            Some("Di"),
            "[photo]",
        ),
        (
            json!({"external_reply": {"origin": {}, "chat": {"title": "Team"}}, "quote": quote}),
            Some("Team"),
            "two",
        ),
        (
            json!({"reply_to_story": {"chat": {"title": "News"}, "id": 2}}),
            Some("News"),
            "[story] of News",
        ),
        (
            json!({"reply_to_message": {"message_id": 4, "from": {"first_name": "Bo"}, "photo": [], "caption": "a"}}),
            Some("Bo"),
            "[photo]\na",
        ),
    ];
    for (mut fields, author, text) in cases {
        fields["text"] = json!("hi");
        let quote = decode_message(&fields).quote.unwrap();
        assert_eq!(
            (quote.author.as_deref(), quote.text.to_plain().as_str()),
            (author, text),
            "{fields}"
        );
    }
}

#[test]
fn a_long_answered_message_is_not_repeated_whole() {
    let long = json!({"message_id": 40, "text": "👍".repeat(1_000), "from": {"id": 502}});
    let quote = decode_message(&json!({"text": "hi", "reply_to_message": long}))
        .quote
        .unwrap();
    let text = quote.text.to_plain();
    assert_eq!(text.chars().filter(|c| *c == '👍').count(), 150);
    assert!(text.ends_with('…'));
}

#[test]
fn a_command_for_another_bot_is_told() {
    let command = |text: &str, offset| {
        let entities = json!([{"type": "bot_command", "offset": offset, "length": 5}]);
        decode_message(&json!({"text": text, "entities": entities})).for_another_bot
    };
    assert!(command("/help@other_bot now", 0));
    assert!(!command("/help@OUR_bot now", 0));
    assert!(!command("/help now", 0));
    assert!(!command("see /help@other_bot", 4));
    assert!(!decode_message(&json!({"text": "/help@other_bot"})).for_another_bot);
}

#[test]
fn topics_tell_their_title_and_whether_they_are_open() {
    let decode = |fields: &Value| {
        TelegramUpdates
            .decode(&json!({"update_id": 1, "message": message(fields)}), None)
            .unwrap()
    };
    let topic = Some(TopicId(7));
    let titled = |title: &str| Update::TopicTitle {
        topic,
        title: title.into(),
    };
    assert_eq!(decode(&json!({"forum_topic_created": {"name": "A"}})), titled("A"));
    assert_eq!(decode(&json!({"forum_topic_edited": {"name": "B"}})), titled("B"));
    let icon = json!({"forum_topic_edited": {"icon_custom_emoji_id": ""}});
    assert_eq!(decode(&icon), Update::Other("forum_topic_edited".into()));
    assert_eq!(
        decode(&json!({"forum_topic_closed": {}})),
        Update::TopicClosed { topic, closed: true }
    );
    let general = json!({"forum_topic_reopened": {}, "is_topic_message": null, "message_thread_id": null});
    assert_eq!(
        decode(&general),
        Update::TopicClosed {
            topic: None,
            closed: false
        }
    );
    let hidden = json!({"general_forum_topic_hidden": {}});
    assert_eq!(decode(&hidden), Update::Other("general_forum_topic_hidden".into()));
}

#[test]
fn membership_tells_what_the_bot_may_do() {
    let decode = |member: Value| {
        let update = json!({"update_id": 1, "my_chat_member": {"chat": forum(), "new_chat_member": member}});
        let Update::Membership {
            present,
            administrator,
            manages_topics,
        } = TelegramUpdates.decode(&update, None).unwrap()
        else {
            panic!()
        };
        [present, administrator, manages_topics]
    };
    let cases = [
        (
            json!({"status": "administrator", "can_manage_topics": true}),
            [true, true, true],
        ),
        (
            json!({"status": "administrator", "can_manage_topics": false}),
            [true, true, false],
        ),
        (json!({"status": "member"}), [true, false, false]),
        (
            json!({"status": "restricted", "is_member": true, "can_send_messages": true}),
            [true, false, false],
        ),
        (
            json!({"status": "restricted", "is_member": true, "can_send_messages": false}),
            [false, false, false],
        ),
        (json!({"status": "left"}), [false, false, false]),
        (json!({"status": "kicked"}), [false, false, false]),
    ];
    for (member, expected) in cases {
        assert_eq!(decode(member.clone()), expected, "{member}");
    }
}

#[test]
fn reactions_tell_what_changed() {
    let emoji = |emoji: &str| json!({"type": "emoji", "emoji": emoji});
    let reacted = |old: Value, new: Value| {
        let user = json!({"id": 501, "first_name": "Ann"});
        let body = json!({"chat": forum(), "message_id": 42, "user": user, "old_reaction": old, "new_reaction": new});
        let update = json!({"update_id": 1, "message_reaction": body});
        let Update::Reaction(Reaction { by, added, taken_back }) = TelegramUpdates.decode(&update, None).unwrap()
        else {
            panic!()
        };
        assert_eq!(by, "Ann");
        (added.join(" "), taken_back.join(" "))
    };
    let changed = |added: &str, gone: &str| (added.to_owned(), gone.to_owned());
    assert_eq!(reacted(json!([]), json!([emoji("👍")])), changed("👍", ""));
    assert_eq!(reacted(json!([emoji("👍")]), json!([])), changed("", "👍"));
    let both = json!([emoji("👍"), emoji("🔥")]);
    assert_eq!(reacted(json!([emoji("👍")]), both), changed("🔥", ""));
    let odd = json!([{"type": "custom_emoji", "custom_emoji_id": "5"}, {"type": "paid"}, {"type": "new"}]);
    assert_eq!(
        reacted(json!([]), odd),
        changed("a custom emoji a star a custom emoji", "")
    );
    let anonymous = json!({"update_id": 1, "message_reaction": {"chat": forum(), "message_id": 42,
        "actor_chat": forum(), "new_reaction": [emoji("👍")]}});
    let Update::Reaction(reaction) = TelegramUpdates.decode(&anonymous, None).unwrap() else {
        panic!()
    };
    assert_eq!(reaction.by, "Support");
}

#[test]
fn a_live_location_tells_where_it_ended() {
    let end = message(&json!({"location": {"latitude": 1.0, "longitude": 2.0}, "edit_date": 1_700_000_100}));
    let update = json!({"update_id": 1, "edited_message": end});
    let Update::LocationEnded(ended) = TelegramUpdates.decode(&update, None).unwrap() else {
        panic!()
    };
    assert_eq!(
        ended.text.to_plain(),
        "[live location ended] 1.00000, 2.00000 (https://maps.google.com/maps?q=1.00000,2.00000)"
    );
    assert_eq!(ended.date, Timestamp::from_seconds(1_700_000_100));
}
