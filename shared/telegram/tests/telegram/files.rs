//! Files: which of a message can be fetched, and the fetching of one over real HTTP.

use crate::{
    client::{TOKEN, client, error},
    fixtures::decode_message,
    server::{Act, Server},
};
use bridge::{
    failure::MessengerError,
    ports::{Download, Messenger},
    telegram_message::{FileKind, SentFile},
};
use mapping::FileId;
use serde_json::{Value, json};

/// Kind, id, line, name, type and size of each file.
type Row = (
    FileKind,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    Option<u64>,
);

fn row(file: &SentFile) -> (FileKind, &str, &str, Option<&str>, Option<&str>, Option<u64>) {
    (
        file.kind,
        file.id.as_str(),
        &file.line,
        file.name.as_deref(),
        file.content_type.as_deref(),
        file.size,
    )
}

fn cases() -> Vec<(Value, Vec<Row>)> {
    use FileKind::{Animation, Audio, Document, Photo, Sticker, Video, VideoMessage, VideoSticker, Voice};
    let sizes = json!([{"file_id": "s", "file_size": 9}, {"file_id": "l", "file_size": 90}]);
    vec![
        (
            json!({"photo": sizes}),
            vec![(Photo, "l", "[photo]", None, None, Some(90))],
        ),
        (
            json!({"document": {"file_id": "d", "file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 999}}),
            vec![(
                Document,
                "d",
                "[file] a.pdf (999 B)",
                Some("a.pdf"),
                Some("application/pdf"),
                Some(999),
            )],
        ),
        (
            json!({"video": {"file_id": "v", "duration": 13, "file_size": 3_000_000_000_i64}}),
            vec![(Video, "v", "[video] (0:13, 3.0 GB)", None, None, Some(3_000_000_000))],
        ),
        (
            json!({"document": {"file_id": "x"}, "animation": {"file_id": "a", "mime_type": "video/mp4"}}),
            vec![(Animation, "a", "[animation]", None, Some("video/mp4"), None)],
        ),
        (
            json!({"audio": {"file_id": "m", "performer": "Ann", "title": "Song", "file_name": "x.mp3"}}),
            vec![(Audio, "m", "[audio] Ann – Song", Some("x.mp3"), None, None)],
        ),
        (
            json!({"voice": {"file_id": "o", "duration": 5, "mime_type": "audio/ogg"}}),
            vec![(Voice, "o", "[voice message] (0:05)", None, Some("audio/ogg"), None)],
        ),
        (
            json!({"video_note": {"file_id": "n", "duration": 7}}),
            vec![(VideoMessage, "n", "[video message] (0:07)", None, None, None)],
        ),
        (
            json!({"sticker": {"file_id": "w", "emoji": "👍"}}),
            vec![(Sticker, "w", "[sticker] 👍", None, None, None)],
        ),
        (
            json!({"sticker": {"file_id": "t", "is_animated": true, "emoji": "👍", "thumbnail": {"file_id": "p"}}}),
            vec![(Sticker, "p", "[sticker] 👍", None, None, None)],
        ),
        (
            json!({"sticker": {"file_id": "t", "is_video": true, "emoji": "👍"}}),
            vec![(VideoSticker, "t", "[sticker] 👍", None, None, None)],
        ),
        (json!({"sticker": {"file_id": "t", "is_animated": true}}), vec![]),
        (
            json!({"photo": sizes, "live_photo": {"file_id": "f", "photo": sizes, "mime_type": "video/mp4"}}),
            vec![
                (Photo, "l", "[live photo]", None, None, Some(90)),
                (Video, "f", "[live photo]", None, Some("video/mp4"), None),
            ],
        ),
        (
            json!({"paid_media": {"star_count": 5, "paid_media": [
                {"type": "photo", "photo": sizes}, {"type": "preview"}, {"type": "video", "video": {"file_id": "v"}},
                {"type": "hologram"},
            ]}}),
            vec![
                (Photo, "l", "[photo]", None, None, Some(90)),
                (Video, "v", "[video]", None, None, None),
            ],
        ),
        (json!({"text": "hi"}), vec![]),
        (json!({"poll": {"question": "?"}}), vec![]),
        (json!({"hologram": {"file_id": "h"}}), vec![]),
    ]
}

#[test]
fn every_kind_of_file_is_found() {
    for (fields, expected) in cases() {
        let message = decode_message(&fields);
        let found: Vec<_> = message.files.iter().map(row).collect();
        assert_eq!(found, expected, "{fields}");
        assert!(!message.text.is_blank() || !found.is_empty(), "{fields}");
    }
}

#[test]
fn beside_a_file_only_its_caption_is_said() {
    let mut fields = json!({"caption": "look", "photo": [{"file_id": "a"}]});
    assert_eq!(decode_message(&fields).text.to_plain(), "look");
    fields["caption"] = Value::Null;
    assert!(decode_message(&fields).text.is_blank());
    let paid = json!({"caption": "look", "paid_media": {"star_count": 5, "paid_media": [
        {"type": "photo", "photo": [{"file_id": "a"}]}]}});
    assert_eq!(
        decode_message(&paid).text.to_plain(),
        "[paid media] 1 item for 5 stars\nlook"
    );
}

fn found(path: &str, size: u64) -> Act {
    let file = json!({"file_id": "f", "file_unique_id": "u", "file_size": size, "file_path": path});
    Act::json("200 OK", &json!({"ok": true, "result": file}))
}

fn content(content: &str) -> Act {
    Act::Answer {
        status: "200 OK",
        headers: String::new(),
        body: content.into(),
    }
}

async fn fetched(acts: Vec<Act>, most: u64) -> (Result<Download, MessengerError>, Vec<String>) {
    let server = Server::doing(acts).await;
    let went = client(&server.url).download(&FileId::new("f"), most).await;
    (went, server.seen().into_iter().map(|seen| seen.path).collect())
}

fn word(went: &Result<Download, MessengerError>) -> String {
    match went {
        Ok(Download::Whole(bytes)) => format!("{} bytes", bytes.len()),
        Ok(Download::TooBig) => "too big".into(),
        Ok(Download::Unavailable) => "unavailable".into(),
        Err(MessengerError::Transient { throttled: true, .. }) => "throttled".into(),
        Err(MessengerError::Transient { .. }) => "transient".into(),
        Err(other) => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_is_asked_for_and_then_fetched() {
    let (went, paths) = fetched(vec![found("documents/a b.pdf", 5), content("hello")], 5).await;
    assert_eq!(word(&went), "5 bytes");
    assert_eq!(
        paths,
        [
            format!("/bot{TOKEN}/getFile"),
            format!("/file/bot{TOKEN}/documents/a%20b.pdf")
        ]
    );
}

#[tokio::test]
async fn every_way_not_to_get_a_file_says_what_to_do_and_tells_no_token() {
    let none = json!({});
    let refused = |description: &str| error("400 Bad Request", 400, description, &none);
    let status = |status: &'static str| Act::Answer {
        status,
        headers: String::new(),
        body: format!("<h1>not found: /file/bot{TOKEN}/x</h1>"),
    };
    let raw = |text: &str| Act::Raw(text.as_bytes().to_vec());
    let file = || found("x", 5);
    let cases: Vec<(Vec<Act>, &str)> = vec![
        (vec![refused("Bad Request: file is too big")], "too big"),
        (
            vec![refused(
                "Bad Request: wrong file_id or the file is temporarily unavailable",
            )],
            "unavailable",
        ),
        (
            vec![error("500 Internal Server Error", 500, "Internal Server Error", &none)],
            "transient",
        ),
        (
            vec![error(
                "429 Too Many Requests",
                429,
                "Too Many Requests",
                &json!({"retry_after": 3}),
            )],
            "throttled",
        ),
        (vec![Act::Close], "transient"),
        (vec![Act::Hang], "transient"),
        (vec![found("x", 11)], "too big"),
        (vec![found("../x", 5)], "unavailable"),
        (vec![found("/var/lib/x", 5)], "unavailable"),
        (
            vec![Act::json("200 OK", &json!({"ok": true, "result": {}}))],
            "unavailable",
        ),
        (vec![file(), content("more than ten bytes")], "too big"),
        (
            vec![
                file(),
                raw("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nmore than ten bytes"),
            ],
            "too big",
        ),
        (
            vec![file(), raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello")],
            "transient",
        ),
        (vec![file(), status("404 Not Found")], "unavailable"),
        (vec![file(), status("302 Found")], "transient"),
        (vec![file(), status("502 Bad Gateway")], "transient"),
        (vec![file(), status("429 Too Many Requests")], "throttled"),
        (vec![file(), Act::Close], "transient"),
        (vec![file(), Act::Hang], "transient"),
        (vec![file(), raw("no HTTP at all")], "transient"),
    ];
    let secret = TOKEN.split_once(':').unwrap().1;
    for (acts, expected) in cases {
        let told = format!("{acts:?}");
        let (went, _) = fetched(acts, 10).await;
        assert_eq!(word(&went), expected, "{told}");
        if let Err(error) = went {
            let printed = format!("{error} {error:?}");
            assert!(!printed.contains(secret) && !printed.contains("/bot"), "{printed}");
        }
    }
}
