//! Calls that break, and calls that have to wait.

use super::*;

#[tokio::test]
async fn a_broken_call_is_unknown_only_where_it_may_have_happened() {
    let faults: [fn() -> Step; 6] = [
        || Step::Drop,
        || Step::Hang,
        || Step::CutOff,
        || Step::Garbage,
        || Step::status(500, &json!({})),
        || Step::json(&json!("odd")),
    ];
    for (at, fault) in faults.iter().enumerate() {
        let server = Server::start(vec![fault(), fault()]).await;
        let client = client_at(&server.url, fixed(), HURRIED);
        let error = client
            .reply_as_contact(&id("12"), &ann(), &reply("x"))
            .await
            .unwrap_err();
        assert!(matches!(error, HelpdeskError::Unknown { .. }), "{at}: {error}");
        let error = client.conversation(&id("12")).await.unwrap_err();
        assert!(matches!(error, HelpdeskError::Transient { .. }), "{at}: {error}");
        server.finish();
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let too_long = || Step::Answer {
        status: 200,
        headers: vec![],
        body: "x".repeat((16 << 20) + 1),
    };
    let server = Server::start(vec![too_long(), too_long()]).await;
    let client = client_at(&server.url, fixed(), PATIENT);
    let error = client.conversation(&id("12")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Refused { .. }), "{error}");
    let error = client
        .reply_as_contact(&id("12"), &ann(), &reply("x"))
        .await
        .unwrap_err();
    assert!(matches!(error, HelpdeskError::Unknown { .. }), "{error}");
}

#[tokio::test]
async fn without_a_connection_nothing_happened() {
    let no_tls = Server::start(vec![]).await.url.replace("http://", "https://");
    for url in [
        "http://127.0.0.1:1",
        "http://no-such-host.invalid",
        "not a url",
        &no_tls,
    ] {
        let client = client_at(url, fixed(), HURRIED);
        let error = client
            .reply_as_contact(&id("12"), &ann(), &reply("x"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HelpdeskError::Transient { after: None, .. }),
            "{url}: {error}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(vec![]).await;
    let step = Step::status(302, &json!({})).with("Location", format!("{}/me", elsewhere.url));
    let (client, server) = scripted(vec![step]).await;
    assert!(matches!(client.identity().await, Err(HelpdeskError::Transient { .. })));
    assert_eq!(server.finish().len(), 1);
    assert_eq!(elsewhere.finish().len(), 0);
}

#[tokio::test]
async fn a_429_says_when_and_the_next_call_waits_for_it() {
    let limited =
        Step::error(429, "rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds").with("Retry-After", "9");
    let (client, server) = scripted(vec![limited]).await;
    let after = |error: HelpdeskError| match error {
        HelpdeskError::Transient { after, .. } => after.unwrap(),
        other => panic!("{other}"),
    };
    let refused = client
        .reply_as_contact(&id("12"), &ann(), &reply("x"))
        .await
        .unwrap_err();
    assert_eq!(after(refused), Duration::from_secs(9));
    let held = client.conversation(&id("12")).await.unwrap_err();
    assert!(after(held) > Duration::from_secs(8));
    assert_eq!(server.finish().len(), 1);
}

#[tokio::test]
async fn the_last_call_of_a_window_is_the_last() {
    let me = json!({"id": "77", "app": {"id_code": "abc"}});
    let step = Step::json(&me)
        .with("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .with("X-RateLimit-Remaining", "0")
        .with("X-RateLimit-Reset", "784111782");
    let (client, server) = scripted(vec![step]).await;
    assert!(client.identity().await.is_ok());
    let error = client.identity().await.unwrap_err();
    assert!(
        matches!(error, HelpdeskError::Transient { after: Some(_), .. }),
        "{error}"
    );
    assert_eq!(server.finish().len(), 1);
}
