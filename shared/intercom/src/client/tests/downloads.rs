//! Files are fetched from Intercom and from nowhere else, whatever an address or an answer says.

use super::*;
use bridge::failure::Failure;

const NOW: Timestamp = Timestamp::from_seconds(1_768_467_600);
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\xff\0";

fn file(bytes: &[u8]) -> Step {
    Step::Bytes {
        said: bytes.len(),
        bytes: bytes.to_vec(),
    }
}

fn led_to(url: &str) -> Step {
    Step::status(302, &Value::Null).with("location", url)
}

/// What came of it, in a word.
fn word(fetched: &Result<Download, HelpdeskError>) -> &'static str {
    match fetched {
        Ok(Download::Whole(_)) => "whole",
        Ok(Download::TooBig) => "too big",
        Ok(Download::Unavailable) => "unavailable",
        Err(error) => match error.failure() {
            Failure::Transient { .. } => "later",
            Failure::Permanent => "never",
            Failure::Unknown => "unknown",
        },
    }
}

async fn fetched(script: Vec<Step>, most: u64) -> (Result<Download, HelpdeskError>, Vec<Request>) {
    let (client, server) = scripted(script).await;
    let url = format!("{}/downloads/a.png?signature=x", server.url);
    let fetched = client.download(&url, most, NOW).await;
    (fetched, server.finish())
}

#[tokio::test]
async fn a_file_is_fetched_without_the_token() {
    let (fetched, asked) = fetched(vec![file(PNG)], 100).await;
    let Ok(Download::Whole(bytes)) = fetched else {
        panic!("{}", word(&fetched))
    };
    assert_eq!(bytes, PNG);
    assert_eq!(asked[0].line, "GET /downloads/a.png?signature=x");
    assert_eq!(asked[0].header("authorization"), None);
}

#[tokio::test]
async fn what_intercom_answers_decides() {
    let answers = [
        (vec![file(PNG)], "whole"),
        (vec![file(b"")], "whole"),
        (vec![file(&[7; 100])], "whole"),
        (vec![file(&[7; 101])], "too big"),
        (
            vec![Step::Bytes {
                said: 1 << 40,
                bytes: vec![7; 10],
            }],
            "too big",
        ),
        (vec![Step::error(403, "forbidden", "expired")], "unavailable"),
        (vec![Step::error(404, "not_found", "gone")], "unavailable"),
        (vec![Step::error(410, "gone", "gone")], "unavailable"),
        (vec![Step::error(400, "x", "x")], "unavailable"),
        (vec![Step::error(429, "x", "x")], "later"),
        (vec![Step::error(503, "x", "x")], "later"),
        (vec![Step::CutOff], "later"),
        (vec![Step::Drop], "later"),
        (vec![Step::status(204, &Value::Null)], "never"),
        (vec![Step::status(302, &Value::Null)], "never"),
    ];
    for (at, (script, expected)) in answers.into_iter().enumerate() {
        let (fetched, _) = fetched(script, 100).await;
        assert_eq!(word(&fetched), expected, "{at}");
    }
}

#[tokio::test]
async fn redirects_are_followed_only_to_where_files_may_be() {
    let (found, asked) = fetched(vec![led_to("/downloads/b.png"), file(PNG)], 100).await;
    assert_eq!((word(&found), asked.len()), ("whole", 2));
    assert_eq!(asked[1].line, "GET /downloads/b.png");
    let elsewhere = [
        "https://evil.example/a.png",
        "http://127.0.0.1:9/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://downloads.intercomcdn.com/a.png",
        "//evil.example/a.png",
        "file:///etc/passwd",
    ];
    for to in elsewhere {
        let (found, asked) = fetched(vec![led_to(to)], 100).await;
        assert_eq!((word(&found), asked.len()), ("never", 1), "{to}");
        assert!(!found.err().unwrap().to_string().contains("example"), "{to}");
    }
    let round = (0..=3).map(|_| led_to("/downloads/a.png")).collect();
    let (found, asked) = fetched(round, 100).await;
    assert_eq!((word(&found), asked.len()), ("never", 4));
}

#[tokio::test]
async fn an_address_that_has_ended_is_not_asked() {
    let (client, server) = scripted(vec![file(PNG)]).await;
    let url = |expires: i64| format!("{}/downloads/a.png?expires={expires}&signature=x", server.url);
    let ended = client.download(&url(1_768_467_600), 100, NOW).await;
    assert_eq!(word(&ended), "unavailable");
    let good = client.download(&url(1_768_467_601), 100, NOW).await;
    assert_eq!(word(&good), "whole");
    server.finish();
}

#[tokio::test]
async fn nothing_is_asked_of_anybody_else() {
    let (client, server) = scripted(vec![]).await;
    for url in [
        "https://media.giphy.com/a.gif",
        "http://localhost:1/a",
        "no address",
        "",
    ] {
        assert!(!client.keeps(url), "{url}");
        assert_eq!(word(&client.download(url, 100, NOW).await), "never", "{url}");
    }
    assert!(client.keeps("https://downloads.intercomcdn.com/a.png"));
    assert!(client.keeps(&format!("{}/downloads/a.png", server.url)));
    assert!(server.finish().is_empty());
}

#[tokio::test]
async fn a_file_that_comes_too_slowly_comes_later() {
    let server = Server::start(vec![Step::Hang]).await;
    let client = client_at(&server.url, fixed(), HURRIED);
    let fetched = client.download(&format!("{}/a", server.url), 100, NOW).await;
    assert_eq!(word(&fetched), "later");
}
