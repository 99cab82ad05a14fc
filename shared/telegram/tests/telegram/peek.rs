//! What the webhook reads of an update.

use crate::fixtures::{GROUP, ann, decode_message, forum, message};
use bridge::{
    ports::UpdateReader,
    secrets::{Secret, Secrets},
    telegram_message::{Answered, ChatKind, ChatRef, Peek, Sender, SenderKind, Update, UpdateKind},
    webhook::{WebhookMethod, WebhookRequest},
};
use bytes::Bytes;
use mapping::{AlbumId, ChatId, CustomerId, MessageId, TopicId, UpdateId};
use serde_json::{Value, json};
use telegram::TelegramUpdates;

fn secrets(hooks: &[&str]) -> Secrets {
    Secrets {
        telegram_bot_token: Secret::new("123:abc"),
        telegram_webhook_secrets: hooks.iter().copied().map(Secret::new).collect(),
        intercom_access_token: Secret::new("x"),
        intercom_client_secrets: vec![Secret::new("x")],
    }
}

fn delivery(headers: &[(&str, &str)], body: &str) -> WebhookRequest {
    WebhookRequest {
        method: WebhookMethod::Post,
        headers: headers
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect(),
        body: Bytes::from(body.to_owned()),
    }
}

fn peek(kind: &str, body: &Value) -> Peek {
    TelegramUpdates
        .peek_value(&json!({"update_id": 9, kind: body}))
        .unwrap()
}

fn kind_of(fields: &Value) -> UpdateKind {
    peek("message", &message(fields)).kind
}

#[test]
fn only_a_right_secret_token_lets_a_body_in() {
    let body = json!({"update_id": 5, "message": message(&json!({"text": "hi"}))}).to_string();
    let verify =
        |headers: &[(&str, &str)], hooks: &[&str]| TelegramUpdates.verify(&delivery(headers, &body), &secrets(hooks));
    let header = "x-telegram-bot-api-secret-token";
    for right in ["old", "new"] {
        let verified = verify(&[(header, right)], &["old", "new"]).unwrap();
        let (peek, update) = TelegramUpdates.peek(&verified).unwrap();
        assert_eq!(peek.update, UpdateId(5));
        assert_eq!(update["message"]["text"], "hi");
        assert!(!format!("{verified:?}").contains("hi"));
    }
    let hooks: &[&str] = &["old", "new"];
    assert!(verify(&[], hooks).is_none());
    assert!(verify(&[(header, "ol")], hooks).is_none());
    assert!(verify(&[(header, "oldnew")], hooks).is_none());
    assert!(verify(&[(header, "old"), (header, "new")], hooks).is_none());
    assert!(verify(&[(header, "")], &["old", ""]).is_none());
    assert!(verify(&[(header, "old")], &[]).is_none());
}

#[test]
fn a_body_that_cannot_be_read_is_told_without_its_content() {
    for body in [
        "",
        "{",
        "[]",
        "{\"message\":{\"text\":\"secret words\"}}",
        "{\"update_id\":\"secret words\"}",
    ] {
        let request = delivery(&[("X-Telegram-Bot-Api-Secret-Token", "s")], body);
        let verified = TelegramUpdates.verify(&request, &secrets(&["s"])).unwrap();
        let error = TelegramUpdates.peek(&verified).unwrap_err();
        assert!(!error.to_string().contains("secret words"), "{error}");
    }
}

#[test]
fn a_message_in_a_topic_tells_where_it_stands_and_who_wrote_it() {
    let answered = json!({"message_id": 40, "chat": forum(), "from": {"id": 502, "first_name": "Bo"}, "text": "?"});
    let update = message(&json!({"text": "hi", "reply_to_message": answered}));
    let expected = Peek {
        update: UpdateId(9),
        chat: Some(ChatRef {
            id: ChatId(GROUP),
            kind: ChatKind::Forum,
        }),
        kind: UpdateKind::Message,
        topic: Some(TopicId(7)),
        message: Some(MessageId(42)),
        sender: Some(Sender {
            id: CustomerId(501),
            kind: SenderKind::User,
        }),
        replies_to: Some(Answered {
            author: CustomerId(502),
            message: Some(MessageId(40)),
        }),
        album: None,
    };
    assert_eq!(peek("message", &update), expected);
    assert_eq!(
        peek("edited_message", &update),
        Peek {
            kind: UpdateKind::Edited,
            ..expected
        }
    );
}

#[test]
fn an_item_tells_its_album() {
    let item = message(&json!({"photo": [], "media_group_id": "77"}));
    assert_eq!(peek("message", &item).album, Some(AlbumId::new("77")));
}

#[test]
fn a_thread_id_alone_is_no_topic() {
    let reply = json!({"is_topic_message": null, "message_thread_id": 40, "text": "hi",
        "reply_to_message": {"message_id": 40, "from": {"id": 502}}});
    let peek = peek("message", &message(&reply));
    let answered = peek.replies_to.map(|answered| (answered.author, answered.message));
    assert_eq!(
        (peek.topic, answered),
        (None, Some((CustomerId(502), Some(MessageId(40)))))
    );
}

#[test]
fn the_message_that_created_the_topic_is_not_answered_by_every_message_in_it() {
    let root = json!({"message_id": 7, "from": {"id": 502}, "forum_topic_created": {"name": "Order 12"}});
    let fields = json!({"text": "hi", "reply_to_message": root});
    assert_eq!(peek("message", &message(&fields)).replies_to, None);
    let decoded = decode_message(&fields);
    assert_eq!(
        (decoded.quote, decoded.topic_title.as_deref()),
        (None, Some("Order 12"))
    );
    assert_eq!(decoded.topic_creator, Some(CustomerId(502)));
}

#[test]
fn message_id_zero_names_no_message() {
    assert_eq!(
        peek("message", &message(&json!({"message_id": 0, "text": "hi"}))).message,
        None
    );
}

#[test]
fn ids_may_be_written_as_text() {
    let update = json!({"update_id": "9", "message": {"message_id": "42", "text": "hi",
        "chat": {"id": GROUP.to_string(), "type": "supergroup"}, "from": {"id": "501"}}});
    let peek = TelegramUpdates.peek_value(&update).unwrap();
    assert_eq!(peek.message, Some(MessageId(42)));
    assert_eq!(
        peek.chat,
        Some(ChatRef {
            id: ChatId(GROUP),
            kind: ChatKind::Group
        })
    );
}

#[test]
fn chats_are_of_four_kinds() {
    let kinds = [
        (json!({"id": 1, "type": "private", "is_forum": true}), ChatKind::Private),
        (json!({"id": 1, "type": "group"}), ChatKind::Group),
        (json!({"id": 1, "type": "supergroup"}), ChatKind::Group),
        (
            json!({"id": 1, "type": "supergroup", "is_forum": true}),
            ChatKind::Forum,
        ),
        (json!({"id": 1, "type": "channel"}), ChatKind::Channel),
        (json!({"id": 1, "type": "something new"}), ChatKind::Group),
    ];
    for (chat, kind) in kinds {
        let peek = peek("message", &message(&json!({"chat": chat, "text": "hi"})));
        assert_eq!(peek.chat.unwrap().kind, kind, "{chat}");
    }
}

#[test]
fn senders_are_told_apart() {
    let group = json!({"id": 1_087_968_824, "is_bot": true, "first_name": "Group"});
    let channel = json!({"id": -1_009, "type": "channel", "title": "News"});
    let cases = [
        (json!({}), 501, SenderKind::User),
        (json!({"via_bot": {"id": 9, "is_bot": true}}), 501, SenderKind::User),
        (json!({"from": {"id": 77, "is_bot": true}}), 77, SenderKind::Bot),
        (
            json!({"from": group, "sender_chat": forum()}),
            GROUP,
            SenderKind::AnonymousAdmin,
        ),
        (
            json!({"from": {"id": 136_817_688, "is_bot": true}, "sender_chat": channel}),
            -1_009,
            SenderKind::Channel,
        ),
        (
            json!({"from": {"id": 777_000}, "sender_chat": channel, "is_automatic_forward": true}),
            -1_009,
            SenderKind::LinkedChannel,
        ),
        (
            json!({"from": {"id": 777_000, "is_bot": false}}),
            777_000,
            SenderKind::LinkedChannel,
        ),
    ];
    for (fields, id, kind) in cases {
        let mut fields = fields;
        fields["text"] = json!("hi");
        let sender = peek("message", &message(&fields)).sender;
        assert_eq!(
            sender,
            Some(Sender {
                id: CustomerId(id),
                kind
            }),
            "{fields}"
        );
    }
    assert_eq!(
        peek("message", &message(&json!({"from": null, "text": "hi"}))).sender,
        None
    );
}

#[test]
fn messages_are_service_messages_only_if_they_are_known_to_be() {
    let from = ChatId(GROUP);
    let service = |name: &str| UpdateKind::Service(name.into());
    let cases = [
        (json!({"forum_topic_created": {"name": "A"}}), UpdateKind::Topic),
        (json!({"forum_topic_edited": {}}), UpdateKind::Topic),
        (json!({"forum_topic_closed": {}}), UpdateKind::Topic),
        (json!({"forum_topic_reopened": {}}), UpdateKind::Topic),
        (json!({"general_forum_topic_hidden": {}}), UpdateKind::Topic),
        (json!({"general_forum_topic_unhidden": {}}), UpdateKind::Topic),
        (
            json!({"new_chat_members": [ann()], "new_chat_participant": ann()}),
            service("new_chat_members"),
        ),
        (
            json!({"pinned_message": {"message_id": 3, "date": 0}}),
            service("pinned_message"),
        ),
        (json!({"community_chat_added": {}}), service("community_chat_added")),
        (json!({"delete_chat_photo": true}), service("delete_chat_photo")),
        (
            json!({"migrate_to_chat_id": -1_002}),
            UpdateKind::Migration {
                from,
                to: ChatId(-1_002),
            },
        ),
        (
            json!({"migrate_from_chat_id": -5}),
            UpdateKind::Migration {
                from: ChatId(-5),
                to: from,
            },
        ),
        (json!({"migrate_to_chat_id": "?"}), service("migrate_to_chat_id")),
        (json!({"hologram": {"depth": 3}}), UpdateKind::Message),
        (json!({}), UpdateKind::Message),
    ];
    for (fields, expected) in cases {
        assert_eq!(kind_of(&fields), expected, "{fields}");
    }
}

#[test]
fn updates_without_a_message_are_named() {
    let member = json!({"chat": forum(), "from": ann(), "date": 1, "new_chat_member": {"status": "member"}});
    let membership = peek("my_chat_member", &member);
    assert_eq!((membership.kind, membership.message), (UpdateKind::Membership, None));
    assert_eq!(membership.sender.unwrap().id, CustomerId(501));

    let reaction = json!({"chat": forum(), "message_id": 42, "user": ann(), "new_reaction": []});
    let reacted = peek("message_reaction", &reaction);
    assert_eq!(
        (reacted.kind, reacted.message),
        (UpdateKind::Reaction, Some(MessageId(42)))
    );
    assert_eq!(reacted.sender.unwrap().id, CustomerId(501));
    let anonymous = json!({"chat": forum(), "message_id": 42, "actor_chat": forum()});
    let anonymous = peek("message_reaction", &anonymous).sender.unwrap();
    assert_eq!(
        anonymous,
        Sender {
            id: CustomerId(GROUP),
            kind: SenderKind::AnonymousAdmin
        }
    );

    let pressed = peek(
        "callback_query",
        &json!({"id": "1", "from": ann(), "message": message(&json!({}))}),
    );
    assert_eq!(pressed.kind, UpdateKind::Other("callback_query".into()));
    assert_eq!(
        (pressed.chat.unwrap().id, pressed.sender.unwrap().id),
        (ChatId(GROUP), CustomerId(501))
    );

    let new = TelegramUpdates
        .peek_value(&json!({"update_id": 1, "telepathy": {"thought": 1}}))
        .unwrap();
    assert_eq!((new.kind, new.chat), (UpdateKind::Other("telepathy".into()), None));
    let empty = TelegramUpdates.peek_value(&json!({"update_id": 1})).unwrap();
    assert_eq!(empty.kind, UpdateKind::Other("nothing".into()));
}

#[test]
fn of_a_walk_only_the_end_is_told() {
    let step = message(&json!({"location": {"latitude": 1.0, "longitude": 2.0, "live_period": 60}, "edit_date": 2}));
    assert_eq!(
        peek("edited_message", &step).kind,
        UpdateKind::Other("live_location".into())
    );
    let decoded = TelegramUpdates
        .decode(&json!({"update_id": 1, "edited_message": step}), None)
        .unwrap();
    assert_eq!(decoded, Update::Other("live_location".into()));
    let end = message(&json!({"location": {"latitude": 1.0, "longitude": 2.0}, "edit_date": 2}));
    assert_eq!(peek("edited_message", &end).kind, UpdateKind::Edited);
}
