//! Every way in which a call fails over real HTTP: what it means, and that no error tells the token.

use crate::{
    client::{TOKEN, client, error, in_topic, text, variant},
    server::{Act, Server},
};
use bridge::{failure::MessengerError, ports::Messenger};
use serde_json::{Value, json};
use std::error::Error;

/// One way to fail: what the server does, and what that means for a write and for a read.
struct Fault {
    act: Act,
    write: &'static str,
    read: &'static str,
}

fn faults() -> Vec<Fault> {
    let fault = |act, write, read| Fault { act, write, read };
    let html = |status| Act::Answer {
        status,
        headers: String::new(),
        body: format!("<html>/bot{TOKEN}/sendMessage failed</html>"),
    };
    let cut_short = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":true".to_vec();
    let too_long = format!(
        "HTTP/1.1 200 OK\r\n\r\n{{\"ok\":true,\"result\":\"{}\"}}",
        "x".repeat(2 << 20)
    );
    let elsewhere = Act::Answer {
        status: "302 Found",
        headers: format!("location: /bot{TOKEN}/elsewhere\r\n"),
        body: String::new(),
    };
    let none = Value::Null;
    vec![
        fault(Act::Close, "Unknown", "Transient"),
        fault(Act::Hang, "Unknown", "Transient"),
        fault(Act::Raw(b"not HTTP at all\r\n\r\n".to_vec()), "Unknown", "Transient"),
        fault(Act::Raw(cut_short), "Unknown", "Transient"),
        fault(Act::Raw(too_long.into_bytes()), "Unknown", "Transient"),
        fault(html("200 OK"), "Unknown", "Transient"),
        fault(Act::json("200 OK", &json!({"ok": true})), "Unknown", "Transient"),
        fault(html("502 Bad Gateway"), "Unknown", "Transient"),
        fault(html("403 Forbidden"), "Transient", "Transient"),
        fault(elsewhere, "Transient", "Transient"),
        fault(
            error(
                "500 Internal Server Error",
                500,
                "Internal Server Error: restart",
                &none,
            ),
            "Unknown",
            "Transient",
        ),
        fault(
            error("401 Unauthorized", 401, "Unauthorized", &none),
            "Unauthorized",
            "Unauthorized",
        ),
        fault(
            error("404 Not Found", 404, "Not Found", &none),
            "Unauthorized",
            "Unauthorized",
        ),
        fault(
            error(
                "403 Forbidden",
                403,
                "Forbidden: bot was kicked from the supergroup chat",
                &none,
            ),
            "NoRights",
            "NoRights",
        ),
        fault(
            error("400 Bad Request", 400, "Bad Request: message thread not found", &none),
            "TopicGone",
            "TopicGone",
        ),
        fault(
            error(
                "400 Bad Request",
                400,
                &format!("Bad Request: cannot use {TOKEN} here"),
                &none,
            ),
            "Refused",
            "Refused",
        ),
        fault(
            error(
                "400 Bad Request",
                400,
                "Bad Request: upgraded",
                &json!({"migrate_to_chat_id": -100_987}),
            ),
            "Migrated",
            "Migrated",
        ),
    ]
}

fn assert_tells_no_token(error: &MessengerError) {
    let mut told = vec![format!("{error} {error:?} {error:#?}")];
    let mut source = error.source();
    while let Some(cause) = source {
        told.push(format!("{cause} {cause:?}"));
        source = cause.source();
    }
    let secret = TOKEN.split_once(':').unwrap().1;
    for told in told {
        assert!(!told.contains(secret) && !told.contains("/bot"), "{told}");
    }
}

#[tokio::test]
async fn every_way_to_fail_says_what_to_do_and_tells_no_token() {
    for fault in faults() {
        let server = Server::doing(vec![fault.act.clone()]).await;
        let client = client(&server.url);
        let write = client.send(in_topic(), &text("hi")).await.unwrap_err();
        let read = client.identity().await.unwrap_err();
        assert_eq!(variant(&write), fault.write, "{:?}: {write:?}", fault.act);
        assert_eq!(variant(&read), fault.read, "{:?}: {read:?}", fault.act);
        assert_tells_no_token(&write);
        assert_tells_no_token(&read);
        assert_eq!(server.seen().len(), 2, "nothing is repeated: {:?}", fault.act);
    }
}

#[tokio::test]
async fn what_was_never_sent_did_not_happen() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let plain = Server::doing(vec![Act::Raw(b"no TLS here".to_vec())]).await;
    let tls = plain.url.replace("http://", "https://");
    // A listener that accepts nothing: TLS gets no answer within the connect timeout.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("https://{}", silent.local_addr().unwrap());
    let mistyped = "not an address";
    for url in [format!("http://{closed}"), tls, silent_url, mistyped.into()] {
        let error = client(&url).send(in_topic(), &text("hi")).await.unwrap_err();
        assert!(
            matches!(
                error,
                MessengerError::Transient {
                    after: None,
                    throttled: false,
                    ..
                }
            ),
            "{url}: {error:?}"
        );
        assert_tells_no_token(&error);
    }
}
