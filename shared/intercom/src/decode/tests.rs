use super::*;
use crate::IntercomNotifications;
use bridge::ports::NotificationReader;
use proptest::prelude::*;
use serde_json::json;

fn notification_of(topic: &str, item: &Value) -> Value {
    json!({
        "type": "notification_event", "app_id": "abc123", "id": "notif_1", "topic": topic,
        "data": {"type": "notification_event_data", "item": item}, "delivery_attempts": 1, "created_at": 1_700_000_100,
    })
}

fn decoded(topic: &str, item: &Value) -> Event {
    let notification = IntercomNotifications.decode(&notification_of(topic, item)).unwrap();
    assert_eq!(notification.workspace.as_str(), "abc123");
    notification.event
}

fn one_conversation(topic: &str, item: &Value) -> Conversation {
    match decoded(topic, item) {
        Event::Conversation(conversation) => *conversation,
        other => panic!("{other:?}"),
    }
}

fn modern(part: &Value) -> Value {
    json!({
        "type": "conversation", "id": "2100", "created_at": 1_700_000_000, "updated_at": 1_700_000_100,
        "source": {
            "type": "conversation", "id": "31", "delivered_as": "customer_initiated", "body": "<p>the opening</p>",
            "author": {"type": "user", "id": "c1", "name": null}, "attachments": [], "redacted": false,
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "c1", "external_id": "telegram:5"}]},
        "admin_assignee_id": 0, "team_assignee_id": null, "open": true, "state": "snoozed", "title": "", "priority": "none",
        "statistics": {"first_contact_reply_at": 1_700_000_000},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
    })
}

fn comment() -> Value {
    json!({
        "type": "conversation_part", "id": 4100, "part_type": "comment", "created_at": 1_700_000_090,
        "body": "<p class=\"no-margin\">Hi, try <b>this</b></p>",
        "author": {"type": "admin", "id": 77, "name": "Bea", "from_ai_agent": false},
        "attachments": [{
            "type": "upload", "name": "plan.png", "url": "https://downloads.example.com/plan.png?expires=1",
            "content_type": "image/png", "filesize": 4821, "width": 10,
        }],
        "redacted": false, "metadata": {"quick_reply_options": [{"text": "Yes", "uuid": "u1"}, {"text": ""}]},
        "app_package_code": null,
    })
}

#[test]
fn a_bare_part_is_not_taken_for_a_conversation() {
    let event = decoded("conversation.admin.replied", &comment());
    assert_eq!(event, Event::Other("conversation.admin.replied".into()));
}

#[test]
fn what_is_closed_and_linked_to_others_may_have_been_merged_into_them() {
    let merged_into = |state: &str, linked: Value| {
        let mut item = modern(&comment());
        item["state"] = json!(state);
        item["linked_objects"] = json!({"type": "list", "data": linked, "total_count": 2, "has_more": false});
        one_conversation("conversation.admin.closed", &item).merged_into
    };
    let linked = json!([{"type": "ticket", "id": "7"}, {"type": "conversation", "id": 2200}, {"type": "conversation"}]);
    assert_eq!(merged_into("closed", linked.clone()), [ConversationId::new("2200")]);
    assert!(merged_into("open", linked).is_empty());
    assert!(merged_into("closed", json!([{"type": "ticket", "id": "7"}])).is_empty());
    assert!(merged_into("closed", json!("none")).is_empty());
}

#[test]
fn a_reply_is_read_whole() {
    let conversation = one_conversation("conversation.admin.replied", &modern(&comment()));
    assert_eq!(conversation.id, ConversationId::new("2100"));
    assert_eq!(conversation.state, Some(ConversationState::Snoozed));
    assert_eq!(conversation.title, None);
    assert_eq!(conversation.updated_at, Some(Timestamp::from_seconds(1_700_000_100)));
    assert_eq!(conversation.total_parts, Some(1));
    let contact = ContactRef {
        id: ContactId::new("c1"),
        external_id: Some("telegram:5".into()),
    };
    assert_eq!(conversation.contacts, [contact]);
    let source = conversation.source.unwrap();
    assert_eq!(source.kind, PartKind::Other("source".into()));
    assert_eq!(source.created_at, Timestamp::from_seconds(1_700_000_000));
    let [part] = &conversation.parts[..] else { panic!() };
    assert_eq!(part.id, PartId::new("4100"));
    assert_eq!(part.kind, PartKind::Comment);
    assert_eq!(part.body.to_plain(), "Hi, try this");
    assert!(!part.body_is_plain && !part.redacted);
    assert_eq!(part.author.admin().unwrap().as_str(), "77");
    assert_eq!(part.author.name.as_deref(), Some("Bea"));
    assert_eq!(part.created_at, Timestamp::from_seconds(1_700_000_090));
    assert_eq!(part.quick_replies, ["Yes"]);
    let attachment = Attachment {
        name: "plan.png".into(),
        url: "https://downloads.example.com/plan.png?expires=1".into(),
        content_type: Some("image/png".into()),
        size: Some(4821),
    };
    assert_eq!(part.attachments, [attachment]);
}

#[test]
fn a_plain_text_body_is_marked() {
    let mut part = comment();
    part["body"] = "Hi, try\nthis (https://example.com/?a=1&b=2)\n1 < 2 & 3 > 2".into();
    let conversation = one_conversation("conversation.admin.replied", &modern(&part));
    assert!(conversation.parts[0].body_is_plain);
    let text = "Hi, try\nthis (https://example.com/?a=1&b=2)\n1 < 2 & 3 > 2";
    assert_eq!(conversation.parts[0].body.to_plain(), text);
}

#[test]
fn the_layout_before_version_2_5_is_read() {
    let item = json!({
        "type": "conversation", "id": "2200", "created_at": 1_500_000_000, "updated_at": 1_500_000_100,
        "user": {"type": "user", "id": "c9", "user_id": "telegram:9", "name": "Cy", "email": ""},
        "assignee": {"type": "nobody_admin", "id": null},
        "conversation_message": {
            "type": "conversation_message", "id": "55", "body": "<p>Hello</p>", "author": {"type": "user", "id": "c9"},
        },
        "conversation_parts": {
            "conversation_parts": [{
                "id": "56", "part_type": "assignment", "body": "<p>How can I help?</p>", "created_at": 1_500_000_100,
                "assigned_to": {"type": "admin", "id": "7"}, "author": {"type": "admin", "id": "7"}, "attachments": [],
            }],
            "total_count": 1,
        },
        "open": false,
    });
    let conversation = one_conversation("conversation.admin.replied", &item);
    assert_eq!(conversation.contacts[0].external_id.as_deref(), Some("telegram:9"));
    assert_eq!(conversation.source.unwrap().body.to_plain(), "Hello");
    assert_eq!(conversation.state, Some(ConversationState::Closed));
    assert_eq!(conversation.parts[0].kind, PartKind::Assignment);
    assert_eq!(conversation.parts[0].body.to_plain(), "How can I help?");
}

#[test]
fn only_what_is_on_the_list_has_a_kind_of_its_own() {
    let kinds = [
        ("comment", PartKind::Comment),
        ("quick_reply", PartKind::QuickReply),
        ("assignment", PartKind::Assignment),
        ("assign_and_reopen", PartKind::Assignment),
        ("assign_and_unsnooze", PartKind::Assignment),
        ("open", PartKind::Open),
        ("close", PartKind::Close),
        ("note", PartKind::Other("note".into())),
        ("note_and_reopen", PartKind::Other("note_and_reopen".into())),
        (
            "channel_and_reply_time_expectation",
            PartKind::Other("channel_and_reply_time_expectation".into()),
        ),
        ("", PartKind::Other(String::new())),
    ];
    for (name, kind) in kinds {
        let mut part = comment();
        part["part_type"] = name.into();
        assert_eq!(
            one_conversation("conversation.admin.closed", &modern(&part)).parts[0].kind,
            kind
        );
    }
    let authors = [
        ("admin", AuthorKind::Admin),
        ("bot", AuthorKind::Bot),
        ("operator", AuthorKind::Bot),
        ("user", AuthorKind::Contact),
        ("lead", AuthorKind::Contact),
        ("contact", AuthorKind::Contact),
        ("visitor", AuthorKind::Contact),
        ("team", AuthorKind::Other),
        ("", AuthorKind::Other),
    ];
    for (name, kind) in authors {
        let mut part = comment();
        part["author"]["type"] = name.into();
        let conversation = one_conversation("conversation.operator.replied", &modern(&part));
        assert_eq!(conversation.parts[0].author.kind, kind, "{name}");
    }
}

#[test]
fn events_are_told_apart_by_name_and_by_what_they_bring() {
    let whole = modern(&comment());
    let mut bare = whole.clone();
    bare.as_object_mut().unwrap().remove("conversation_parts");
    let contact = json!({"type": "contact", "id": "c1"});
    let attached = json!({"conversation": {"parts": [], "model": {"id": 2100}}, "contact": contact});
    let rows = [
        ("conversation.admin.replied", &whole, "conversation"),
        ("conversation.admin.replied", &bare, "conversation"),
        ("conversation.admin.replied.translated", &whole, "conversation"),
        ("conversation.operator.replied", &whole, "conversation"),
        ("conversation.admin.noted", &whole, "conversation"),
        ("conversation.user.replied", &whole, "conversation"),
        ("conversation.rating.added", &whole, "conversation"),
        ("conversation.read", &bare, "other"),
        ("conversation.user.created", &whole, "opened"),
        ("conversation.user.created", &bare, "opened"),
        (
            "conversation.deleted",
            &json!({"type": "conversation", "conversation_id": "2100"}),
            "other",
        ),
        ("conversation.contact.attached", &attached, "other"),
        ("conversation_part.tag.created", &comment(), "other"),
        ("contact.merged", &contact, "other"),
        (
            "ticket.admin.replied",
            &json!({"type": "ticket_ticket_part", "ticket_part": comment()}),
            "other",
        ),
        ("ping", &json!({"type": "ping", "message": "hi"}), "other"),
        ("conversation.admin.replied", &json!(null), "other"),
        ("conversation.admin.replied", &json!([1, 2]), "other"),
    ];
    for (topic, item, expected) in rows {
        let kind = match decoded(topic, item) {
            Event::Conversation(_) => "conversation",
            Event::Opened(_) => "opened",
            Event::Redacted { .. } => "redacted",
            Event::Other(name) => {
                assert_eq!(name, topic);
                "other"
            }
        };
        assert_eq!(kind, expected, "{topic} {item}");
    }
}

#[test]
fn a_redaction_is_read_in_every_form() {
    let topic = "conversation_part.redacted";
    let mut redacted = comment();
    redacted["redacted"] = true.into();
    let mut other = comment();
    other["id"] = "4200".into();
    let mut whole = modern(&redacted);
    whole["conversation_parts"]["conversation_parts"] = json!([redacted, other]);
    let rows = [
        (whole, Some(vec!["4100"])),
        (
            json!({"type": "conversation_part", "id": "4100", "conversation_id": "2100"}),
            Some(vec!["4100"]),
        ),
        (
            json!({"id": "4100", "conversation": {"id": 2100}, "part_type": "comment"}),
            Some(vec!["4100"]),
        ),
        (json!({"type": "conversation", "id": "2100"}), Some(vec![])),
        (json!({"type": "conversation", "conversation_id": "2100"}), Some(vec![])),
        (json!({"type": "conversation_part", "id": "4100"}), None),
        (json!({}), None),
    ];
    for (item, parts) in rows {
        let expected = parts.map_or(Event::Other(topic.into()), |parts| Event::Redacted {
            conversation: ConversationId::new("2100"),
            parts: parts.into_iter().map(PartId::new).collect(),
        });
        assert_eq!(decoded(topic, &item), expected, "{item}");
    }
}

#[test]
fn what_has_the_wrong_form_counts_as_missing() {
    let item = json!({
        "type": "conversation", "id": 2100, "title": 5, "state": ["open"], "open": "yes", "updated_at": "2026-01-10T07:56:29Z",
        "source": "gone", "contacts": [{"id": "c1"}, "odd", {"external_id": "no id"}], "user": [],
        "conversation_parts": {"conversation_parts": [
            5, ["a", "list"], {"body": "no id"},
            {"id": "1", "part_type": 7, "body": ["x"], "created_at": {}, "author": [], "attachments": {"url": "x"}, "redacted": "no",
             "metadata": {"quick_reply_options": "none"}},
            {"id": "2", "attachments": [{"name": "no url"}, {"url": "https://example.com/f", "filesize": "big"}]},
        ], "total_count": "many"},
    });
    let conversation = one_conversation("conversation.admin.replied", &item);
    assert_eq!(conversation.contacts.len(), 1);
    assert_eq!(
        (&conversation.title, conversation.state, &conversation.source),
        (&None, None, &None)
    );
    assert_eq!(conversation.updated_at, Some(Timestamp::from_seconds(1_768_031_789)));
    assert_eq!(conversation.total_parts, None);
    let [first, second] = &conversation.parts[..] else {
        panic!()
    };
    assert_eq!(
        (&first.kind, first.author.kind),
        (&PartKind::Other(String::new()), AuthorKind::Other)
    );
    assert!(first.body.is_blank() && first.attachments.is_empty() && !first.redacted);
    assert_eq!(
        first.created_at,
        Timestamp::from_seconds(1_768_031_789),
        "that of the conversation"
    );
    assert_eq!(
        (second.attachments[0].name.as_str(), second.attachments[0].size),
        ("file", None)
    );
}

#[test]
fn without_a_workspace_nothing_is_read() {
    for value in [
        json!({"topic": "ping"}),
        json!([]),
        json!("x"),
        json!(null),
        json!({"app_id": 0}),
    ] {
        assert!(IntercomNotifications.decode(&value).is_err(), "{value}");
    }
}

/// JSON of any form, under the names that are looked at.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9<>/]{0,8}".prop_map(Value::from),
        Just(Value::from("conversation_part")),
    ];
    let names = [
        "type",
        "id",
        "conversation_id",
        "conversation",
        "conversation_parts",
        "part_type",
        "model",
        "redacted",
        "body",
        "author",
        "attachments",
        "metadata",
        "quick_reply_options",
        "source",
        "contacts",
        "user",
        "created_at",
        "updated_at",
        "url",
        "text",
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let field = (proptest::sample::select(names.to_vec()), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            proptest::collection::vec(field, 0..8).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_that_is_signed_is_an_error(
        topic in prop_oneof![
            Just("conversation.admin.replied"), Just("conversation_part.redacted"), Just("conversation.user.created"),
            Just("conversation.contact.attached"), Just("ticket.created"),
        ],
        item in any_json(),
    ) {
        let value = notification_of(topic, &item);
        prop_assert!(IntercomNotifications.decode(&value).is_ok());
        let envelope = envelope(&value).unwrap();
        prop_assert!(peek(envelope).is_ok());
    }
}
