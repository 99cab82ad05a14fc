//! Files are sent by their bytes, one by itself or several as an album, over real HTTP.

use crate::{
    client::{CHAT, client, error, in_topic, text},
    server::{Act, Server},
};
use bridge::{
    failure::MessengerError,
    media::{Media, MediaKind},
    ports::{FlatText, Messenger, Place, Span, SpanKind, Upload},
};
use bytes::Bytes;
use mapping::MessageId;
use serde_json::{Value, json};

fn media(kind: MediaKind, name: &str) -> Media {
    Media {
        kind,
        file: Upload {
            name: name.into(),
            content_type: "application/pdf".into(),
            bytes: Bytes::from(format!("bytes of {name}")),
        },
    }
}

fn sent(result: &Value) -> Act {
    Act::json("200 OK", &json!({"ok": true, "result": result}))
}

/// The parts of a form: what heads each, without the words that all have, and what is in it.
fn parts(form: &Value) -> Vec<(String, String)> {
    let form = form.as_str().unwrap();
    let boundary = form.lines().next().unwrap();
    let part = |part: &str| {
        let (head, body) = part.trim_start().split_once("\r\n\r\n")?;
        let head = head.replace("Content-Disposition: form-data; ", "");
        Some((head.replace("\r\nContent-Type: ", "; "), body.trim_end().to_owned()))
    };
    form.split(boundary).filter_map(part).collect()
}

fn pair(head: &str, body: impl Into<String>) -> (String, String) {
    (head.into(), body.into())
}

#[tokio::test]
async fn each_kind_has_its_method() {
    let kinds = [
        (MediaKind::Photo, "sendPhoto", "photo"),
        (MediaKind::Video, "sendVideo", "video"),
        (MediaKind::Animation, "sendAnimation", "animation"),
        (MediaKind::Audio, "sendAudio", "audio"),
        (MediaKind::Voice, "sendVoice", "voice"),
        (MediaKind::Document, "sendDocument", "document"),
    ];
    for (kind, method, field) in kinds {
        let server = Server::doing(vec![sent(&json!({"message_id": 9}))]).await;
        let files = [media(kind, "Übersicht 1.pdf")];
        let went = client(&server.url).send_media(in_topic(), &files, None).await;
        assert_eq!(went, Ok(vec![MessageId(9)]));
        let [seen] = server.seen().try_into().unwrap();
        assert!(seen.path.ends_with(method), "{}", seen.path);
        let head = format!("name=\"{field}\"; filename=\"Übersicht 1.pdf\"; application/pdf");
        assert_eq!(
            parts(&seen.body),
            [
                pair("name=\"chat_id\"", CHAT.to_string()),
                pair("name=\"message_thread_id\"", "7"),
                pair(&head, "bytes of Übersicht 1.pdf"),
            ]
        );
    }
}

#[tokio::test]
async fn a_caption_stands_below_the_first_of_an_album() {
    let result = json!([{"message_id": 9}, {"message_id": 10}]);
    let server = Server::doing(vec![sent(&result)]).await;
    let caption = FlatText {
        spans: vec![Span {
            offset: 0,
            length: 4,
            kind: SpanKind::Bold,
        }],
        ..text("Anna\n1 < 2")
    };
    let place = Place {
        topic: None,
        reply_to: Some(MessageId(4)),
        ..in_topic()
    };
    let files = [media(MediaKind::Photo, "a.jpg"), media(MediaKind::Video, "b.mp4")];
    let went = client(&server.url).send_media(place, &files, Some(&caption)).await;
    assert_eq!(went, Ok(vec![MessageId(9), MessageId(10)]));
    let [seen] = server.seen().try_into().unwrap();
    assert!(seen.path.ends_with("sendMediaGroup"), "{}", seen.path);
    let parts = parts(&seen.body);
    let field = |name: &str| {
        let head = format!("name=\"{name}\"");
        let found = parts.iter().find(|(found, _)| *found == head);
        serde_json::from_str::<Value>(&found.unwrap().1).unwrap()
    };
    let bold = json!([{"type": "bold", "offset": 0, "length": 4}]);
    assert_eq!(
        field("media"),
        json!([
            {"type": "photo", "media": "attach://file0", "caption": "Anna\n1 < 2", "caption_entities": bold},
            {"type": "video", "media": "attach://file1"},
        ])
    );
    assert_eq!(
        field("reply_parameters"),
        json!({"message_id": 4, "allow_sending_without_reply": true})
    );
    assert_eq!(
        parts[3..],
        [
            pair("name=\"file0\"; filename=\"a.jpg\"; application/pdf", "bytes of a.jpg"),
            pair("name=\"file1\"; filename=\"b.mp4\"; application/pdf", "bytes of b.mp4"),
        ]
    );
}

#[tokio::test]
async fn what_may_have_been_sent_is_told_from_what_was_not() {
    let refused = error(
        "400 Bad Request",
        400,
        "Bad Request: PHOTO_INVALID_DIMENSIONS",
        &json!({}),
    );
    let too_large = error(
        "413 Request Entity Too Large",
        413,
        "Request Entity Too Large",
        &json!({}),
    );
    let busy = error(
        "429 Too Many Requests",
        429,
        "Too Many Requests",
        &json!({"retry_after": 3}),
    );
    let broken = error("500 Internal Server Error", 500, "Internal Server Error", &json!({}));
    let cases = [
        (refused, "refused"),
        (too_large, "refused"),
        (busy, "throttled"),
        (broken, "unknown"),
        (Act::Close, "unknown"),
        (Act::Hang, "unknown"),
        (sent(&json!(true)), "unknown"),
        (sent(&json!([{"message_id": 9}])), "unknown"),
        (sent(&json!([{"message_id": 9}, {}])), "unknown"),
    ];
    for (act, expected) in cases {
        let shown = format!("{act:?}");
        let server = Server::doing(vec![act]).await;
        let files = [media(MediaKind::Photo, "a.jpg"), media(MediaKind::Photo, "b.jpg")];
        let went = client(&server.url).send_media(in_topic(), &files, None).await;
        let word = match went.unwrap_err() {
            MessengerError::Refused { .. } => "refused",
            MessengerError::Transient { throttled: true, .. } => "throttled",
            MessengerError::Unknown { .. } => "unknown",
            _ => "something else",
        };
        assert_eq!(word, expected, "{shown}");
        assert_eq!(server.seen().len(), 1, "{shown}");
    }
}
