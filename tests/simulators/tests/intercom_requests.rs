//! What the simulated API refuses, and what counts as a mistake of the caller.

mod intercom_support;

use intercom_support::{Caller, read};
use serde_json::{Value, json};
use simulators::intercom::Scope;

#[tokio::test]
async fn a_caller_needs_a_token_a_version_and_to_accept_json() {
    let caller = Caller::new().await;
    let url = format!("{}/me", caller.sim.base_url());
    let plain = || caller.http.get(&url);

    let nothing = read(plain()).await;
    assert_eq!((nothing.status, nothing.code()), (401, "missing_authorization"));
    let wrong = read(plain().bearer_auth("wrong")).await;
    assert_eq!(
        (wrong.status, wrong.code(), wrong.message()),
        (401, "unauthorized", "Access Token Invalid")
    );
    assert_eq!(wrong.body["type"], "error.list");
    assert!(wrong.body["request_id"].is_string());
    assert!(
        !wrong.headers.contains_key("x-ratelimit-limit"),
        "limits are told to callers with a valid token only"
    );

    let token = caller.sim.access_token();
    for version in ["2.3", "2.99", "nonsense"] {
        let refused = read(plain().bearer_auth(&token).header("Intercom-Version", version)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (400, "intercom_version_invalid"),
            "of {version}"
        );
    }
    let unacceptable = read(plain().bearer_auth(&token).header("Intercom-Version", "2.16")).await;
    assert_eq!(unacceptable.status, 406);

    let mine = caller.get("/me").await;
    assert_eq!(mine.status, 200);
    assert_eq!(mine.body["app"]["id_code"], caller.sim.workspace_id());
    assert_eq!(mine.id(), caller.sim.own_admin());
    let violations = caller.sim.violations();
    assert_eq!(
        violations.len(),
        5,
        "a wrong token is bad luck, the rest are mistakes: {violations:?}"
    );
}

#[tokio::test]
async fn what_the_app_may_not_do_is_refused_and_a_mistake_if_it_never_might() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    caller.sim.configure(|options| {
        options.scopes.remove(&Scope::WriteTags);
        options.withheld.insert(Scope::WriteConversations);
    });
    let reply = caller.reply(&conversation, &contact, "Hello?").await;
    assert_eq!((reply.status, reply.code()), (403, "forbidden"));
    assert_eq!(
        reply.message(),
        "You do not have the required scope (write_conversations) to access this resource"
    );
    assert_eq!(caller.sim.violations(), Vec::<String>::new(), "somebody took it away");
    let tag = caller.post("/tags", json!({"name": "telegram"})).await;
    assert_eq!((tag.status, tag.code()), (403, "forbidden"));
    assert_eq!(caller.sim.violations().len(), 1, "nobody ever gave it");
    let read = caller.get(&format!("/conversations/{conversation}")).await;
    assert_eq!((read.status, caller.get("/me").await.status), (200, 200));
}

#[tokio::test]
async fn a_rotated_token_makes_the_old_one_useless() {
    let caller = Caller::new().await;
    let old = caller.sim.access_token();
    let new = caller.sim.rotate_access_token();
    assert_ne!(old, new);
    assert_eq!(caller.get("/me").await.status, 200);
    let with_old = caller
        .http
        .get(format!("{}/me", caller.sim.base_url()))
        .bearer_auth(old);
    assert_eq!(read(with_old).await.status, 401);
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn calls_are_counted_in_windows_of_ten_seconds() {
    let caller = Caller::new().await;
    caller.sim.configure(|options| options.calls_per_window = 2);
    let first = caller.get("/me").await;
    assert_eq!(first.headers["x-ratelimit-limit"], "2");
    assert_eq!(first.headers["x-ratelimit-remaining"], "1");
    assert_eq!(first.headers["x-ratelimit-reset"], "1770000010");
    assert_eq!(caller.get("/me").await.headers["x-ratelimit-remaining"], "0");
    let over = caller.get("/me").await;
    assert_eq!((over.status, over.code()), (429, "rate_limit_exceeded"));
    assert_eq!(over.message(), "Exceeded rate limit of 2 in 10_seconds");
    caller.advance(10);
    assert_eq!(caller.get("/me").await.status, 200);
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

const INVALID: (u16, &str) = (400, "parameter_invalid");
const MISSING: (u16, &str) = (400, "parameter_not_found");
const MISMATCH: (u16, &str) = (400, "type_mismatch");

/// Sends bodies that are wrong in one way each: all are refused as expected, noted, and change nothing.
async fn refuses(caller: &Caller, path: &str, rows: &[(Value, (u16, &str))]) {
    let before = (caller.sim.conversations(), caller.sim.contacts());
    for (body, expected) in rows {
        let noted = caller.sim.violations().len();
        let refused = caller.post(path, body.clone()).await;
        let answer = (refused.status, refused.code());
        assert_eq!(answer, *expected, "{path} {body} was answered {}", refused.body);
        let violations = caller.sim.violations();
        assert_eq!(
            violations.len(),
            noted + 1,
            "{path} {body} must be noted: {violations:?}"
        );
    }
    let after = (caller.sim.conversations(), caller.sim.contacts());
    assert_eq!(before, after, "a refused call does nothing");
}

#[tokio::test]
async fn mistakes_about_contacts_and_attributes() {
    let caller = Caller::new().await;
    let rows = [
        (json!({"name": "nobody"}), MISSING),
        (json!({"role": "admin"}), INVALID),
        (json!({"role": "user", "external_id": 7}), MISMATCH),
        (json!({"role": "user", "external_id": " "}), INVALID),
        (json!({"role": "user", "nickname": "x"}), INVALID),
        (json!({"role": "user", "email_verified": true}), INVALID),
    ];
    refuses(&caller, "/contacts", &rows).await;
    let rows = [
        (
            json!({"name": "x", "model": "conversation", "data_type": "string"}),
            INVALID,
        ),
        (
            json!({"name": "!nv@l!d", "model": "contact", "data_type": "string"}),
            INVALID,
        ),
        (json!({"name": "x", "model": "contact"}), MISSING),
    ];
    refuses(&caller, "/data_attributes", &rows).await;
    refuses(&caller, "/tags", &[(json!({"name": ""}), INVALID)]).await;
}

#[tokio::test]
async fn mistakes_about_new_conversations() {
    let caller = Caller::new().await;
    let contact = caller.contact("telegram:1", "Ada").await;
    let from = json!({"type": "user", "id": contact});
    let rows = [
        (json!({"from": from}), MISSING),
        (json!({"from": from, "body": " "}), INVALID),
        (json!({"from": {"type": "user", "id": "7"}, "body": "x"}), INVALID),
        (json!({"from": {"type": "bot", "id": contact}, "body": "x"}), INVALID),
        (json!({"from": from, "body": "x", "attachment_files": []}), INVALID),
        (
            json!({"from": from, "body": "x", "attachment_urls": vec!["https://example.com/x"; 11]}),
            INVALID,
        ),
    ];
    refuses(&caller, "/conversations", &rows).await;
}

#[tokio::test]
async fn mistakes_about_replies_of_contacts() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let reply = |extra: Value| {
        let whole = json!({"message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "x"});
        merged(whole, &extra)
    };
    let file = json!({"name": "a.txt", "content_type": "text/plain", "data": "YQ=="});
    let with_file = |name: &str, content_type: &str, data: &str| {
        reply(json!({"attachment_files": [{"name": name, "content_type": content_type, "data": data}]}))
    };
    let rows = [
        (reply(json!({"body": "<p> </p>"})), INVALID),
        (reply(json!({"body": null})), MISMATCH),
        (reply(json!({"message_type": "note"})), INVALID),
        (reply(json!({"user_id": "telegram:1"})), INVALID),
        (reply(json!({"created_at": "now"})), MISMATCH),
        (reply(json!({"created_at": intercom_support::START_MS})), INVALID),
        (reply(json!({"attachment_files": vec![file; 11]})), INVALID),
        (
            reply(json!({"attachment_files": [{"name": "a", "content_type": "b", "data": "%"}]})),
            INVALID,
        ),
        (
            reply(json!({"attachment_files": [{"name": "a", "data": "YQ=="}]})),
            MISSING,
        ),
        (with_file("a/b.txt", "text/plain", "YQ=="), INVALID),
        (with_file("no ending", "text/plain", "YQ=="), INVALID),
        (with_file("a.txt", "text", "YQ=="), INVALID),
        (with_file("a.txt", "text/plain; charset=utf-8", "YQ=="), INVALID),
        (with_file("a.txt", "text/plain", "YQ"), INVALID),
        (with_file("a.txt", "text/plain", "YQ==YQ=="), INVALID),
        (json!([]), MISMATCH),
    ];
    refuses(&caller, &format!("/conversations/{conversation}/reply"), &rows).await;
}

#[tokio::test]
async fn mistakes_about_what_admins_do() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let admin = caller.sim.own_admin();
    let reply = |extra: Value| {
        let whole = json!({"message_type": "comment", "type": "admin", "admin_id": admin, "body": "x"});
        merged(whole, &extra)
    };
    let rows = [
        (reply(json!({"body": ""})), INVALID),
        (reply(json!({"admin_id": true})), MISMATCH),
        (reply(json!({"message_type": "quick_reply"})), MISSING),
        (reply(json!({"reply_options": [{"text": "Yes", "uuid": "1"}]})), INVALID),
        (
            json!({"message_type": "comment", "type": "admin", "admin_id": admin}),
            MISSING,
        ),
        (
            json!({"message_type": "comment", "type": "admin", "body": "x"}),
            MISSING,
        ),
    ];
    refuses(&caller, &format!("/conversations/{conversation}/reply"), &rows).await;
    let rows = [
        (json!({"message_type": "close", "admin_id": admin}), MISSING),
        (
            json!({"message_type": "open", "type": "admin", "admin_id": admin}),
            INVALID,
        ),
        (
            json!({"message_type": "snoozed", "admin_id": admin, "snoozed_until": 1}),
            INVALID,
        ),
        (json!({"message_type": "delete", "admin_id": admin}), INVALID),
    ];
    refuses(&caller, &format!("/conversations/{conversation}/parts"), &rows).await;
    let rows = [
        (json!({"admin_id": admin}), MISSING),
        (json!({"admin_id": admin, "customer": {}}), MISSING),
    ];
    refuses(&caller, &format!("/conversations/{conversation}/customers"), &rows).await;
}

#[tokio::test]
async fn mistakes_about_searches() {
    let caller = Caller::new().await;
    let with = |extra: Value| merged(json!({"query": filters(1)[0]}), &extra);
    let by = |field: &str, operator: &str, value: Value| json!({"query": {"field": field, "operator": operator, "value": value}});
    let rows = [
        (json!({}), MISSING),
        (with(json!({"pagination": {"per_page": 151}})), INVALID),
        (with(json!({"pagination": {"starting_after": "nonsense"}})), INVALID),
        (with(json!({"sort": {"field": "updated_at", "order": "asc"}})), INVALID),
        (with(json!({"sort": {"field": "nonsense"}})), INVALID),
        (by("title", "=", json!("x")), INVALID),
        (by("updated_at", ">", json!("soon")), MISMATCH),
        (by("updated_at", ">=", json!(1)), INVALID),
        (by("contact_ids", "IN", json!("x")), MISMATCH),
        (by("contact_ids", ">", json!("x")), INVALID),
        (by("open", "~", json!(true)), INVALID),
        (json!({"query": {"operator": "AND", "value": filters(16)}}), INVALID),
        (json!({"query": {"operator": "XOR", "value": filters(2)}}), INVALID),
        (json!({"query": nested(3)}), INVALID),
    ];
    refuses(&caller, "/conversations/search", &rows).await;
    let by_day = [
        (by("created_at", "!=", json!(1)), INVALID),
        (by("created_at", "IN", json!([1])), INVALID),
    ];
    refuses(&caller, "/contacts/search", &by_day).await;
}

#[tokio::test]
async fn calls_that_do_not_exist_are_noted() {
    let caller = Caller::new().await;
    let rows = [
        ("GET", "/conversations/last", 404),
        ("GET", "/contacts?page=1", 404),
        ("GET", "/tags?colour=red", 400),
        ("PATCH", "/tags", 404),
    ];
    for (at, (method, path, status)) in rows.into_iter().enumerate() {
        assert_eq!(
            caller.call(method, path, Value::Null).await.status,
            status,
            "{method} {path}"
        );
        assert_eq!(caller.sim.violations().len(), at + 1, "{method} {path}");
    }
}

fn merged(mut body: Value, extra: &Value) -> Value {
    for (name, value) in extra.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

fn filters(count: usize) -> Vec<Value> {
    vec![json!({"field": "id", "operator": "=", "value": "1"}); count]
}

fn nested(levels: usize) -> Value {
    let inner = if levels == 1 {
        filters(1)
    } else {
        vec![nested(levels - 1)]
    };
    json!({"operator": "AND", "value": inner})
}

#[tokio::test]
async fn what_happens_in_real_life_is_no_mistake() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let admin = caller.sim.own_admin();
    let parts = format!("/conversations/{conversation}/parts");
    let rows = [
        (
            "POST",
            "/contacts".to_owned(),
            json!({"external_id": "telegram:1"}),
            (409, "conflict"),
        ),
        (
            "POST",
            "/contacts".to_owned(),
            json!({"external_id": "new", "custom_attributes": {"plan": "x"}}),
            (400, "parameter_invalid"),
        ),
        (
            "GET",
            "/contacts/0123456789abcdef01234567".to_owned(),
            Value::Null,
            (404, "not_found"),
        ),
        ("GET", "/conversations/7".to_owned(), Value::Null, (404, "not_found")),
        (
            "POST",
            parts.clone(),
            json!({"message_type": "open", "admin_id": 7}),
            (404, "admin_not_found"),
        ),
        (
            "POST",
            parts,
            json!({"message_type": "assignment", "type": "admin", "admin_id": admin, "assignee_id": "7"}),
            (404, "assignee_not_found"),
        ),
        (
            "DELETE",
            format!("/conversations/{conversation}/customers/{contact}"),
            json!({"admin_id": admin}),
            (422, "parameter_invalid"),
        ),
    ];
    for (method, path, body, expected) in rows {
        let refused = caller.call(method, &path, body).await;
        assert_eq!(
            (refused.status, refused.code()),
            expected,
            "{method} {path}: {}",
            refused.body
        );
    }
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}
