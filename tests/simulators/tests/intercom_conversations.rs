//! Conversations: what is written, by whom, and what the agent sees of it.

mod intercom_support;

use std::time::Duration;

use intercom_support::Caller;
use serde_json::{Value, json};
use simulators::intercom::{File, OutsiderReply, Reply};

#[tokio::test]
async fn an_opening_message_is_plain_text() {
    let caller = Caller::new().await;
    let contact = caller.contact("telegram:1", "Ada").await;
    let body = json!({"from": {"type": "user", "id": contact}, "body": "<b>1</b> & 2\nthree"});
    let made = caller.post("/conversations", body).await.body;
    assert_eq!(made["type"], "user_message");
    assert_ne!(made["id"], made["conversation_id"]);
    let id = made["conversation_id"].as_str().expect("an id");
    let seen = caller.sim.conversation(id).expect("a conversation");
    assert_eq!(
        seen.parts[0].text, "<b>1</b> & 2\nthree",
        "the agent sees the tags as they were typed"
    );
    assert_eq!(seen.parts[0].author_name, "Ada");
    let shown = caller.get(&format!("/conversations/{id}")).await.body;
    assert_eq!(shown["source"]["id"], made["id"]);
    assert_eq!(shown["source"]["body"], "<p>&lt;b&gt;1&lt;/b&gt; &amp; 2<br>three</p>");
    assert_eq!(shown["contacts"]["contacts"][0]["external_id"], "telegram:1");
    let plain = caller
        .get(&format!("/conversations/{id}?display_as=plaintext"))
        .await
        .body;
    assert_eq!(plain["source"]["body"], "<b>1</b> & 2\nthree");
}

#[tokio::test]
async fn the_type_of_the_sender_must_be_its_role() {
    let caller = Caller::new().await;
    let lead = caller
        .post("/contacts", json!({"role": "lead", "name": "Ada"}))
        .await
        .id();
    let from = |kind: &str| json!({"from": {"type": kind, "id": lead}, "body": "Hello"});
    assert_eq!(
        caller.post("/conversations", from("user")).await.message(),
        "User Not Found"
    );
    assert_eq!(caller.post("/conversations", from("lead")).await.status, 200);
    assert_eq!(caller.post("/conversations", from("contact")).await.status, 200);
}

#[tokio::test]
async fn a_reply_is_html_and_comes_back_in_paragraphs() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let answer = caller
        .reply(
            &conversation,
            &contact,
            "<b>bold</b> &lt;3 <script>x</script><blink>y</blink>",
        )
        .await;
    let part = &answer.body["conversation_parts"]["conversation_parts"][0];
    assert_eq!(part["body"], "<p><b>bold</b> &lt;3 y</p>");
    assert_eq!(
        (&part["part_type"], &part["author"]["type"]),
        (&json!("comment"), &json!("user"))
    );
    let seen = caller.sim.conversation(&conversation).expect("a conversation");
    assert_eq!(seen.parts[1].text, "bold <3 y");
}

#[tokio::test]
async fn a_contact_is_named_by_one_of_three_ids_and_last_means_the_newest() {
    let caller = Caller::new().await;
    let (contact, first) = caller.opened().await;
    let second = caller.conversation(&contact, "Another thing").await;
    let reply = json!({"message_type": "comment", "type": "user", "user_id": "telegram:1", "body": "x"});
    assert_eq!(
        caller.post("/conversations/last/reply", reply.clone()).await.id(),
        second
    );
    assert_eq!(
        caller.post(&format!("/conversations/{first}/reply"), reply).await.id(),
        first
    );
    let unknown = json!({"message_type": "comment", "type": "user", "email": "x@example.com", "body": "x"});
    let unknown = caller.post(&format!("/conversations/{first}/reply"), unknown).await;
    assert_eq!((unknown.status, unknown.message()), (404, "User Not Found"));
}

#[tokio::test]
async fn only_participants_reply() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let other = caller.contact("telegram:2", "Bob").await;
    assert_eq!(caller.reply(&conversation, &other, "hi").await.status, 404);
    caller
        .sim
        .configure(|options| options.outsider_reply = OutsiderReply::Invalid);
    assert_eq!(caller.reply(&conversation, &other, "hi").await.status, 422);

    let attach = json!({"admin_id": caller.sim.own_admin(), "customer": {"intercom_user_id": other}});
    let path = format!("/conversations/{conversation}/customers");
    let attached = caller.post(&path, attach).await.body;
    assert_eq!(attached["customers"].as_array().map(Vec::len), Some(2));
    assert_eq!(caller.reply(&conversation, &other, "hi").await.status, 200);
    let detach = json!({"admin_id": caller.sim.own_admin()});
    let left = caller.call("DELETE", &format!("{path}/{other}"), detach).await.body;
    assert_eq!(left["customers"].as_array().map(Vec::len), Some(1));

    caller
        .sim
        .configure(|options| options.outsider_reply = OutsiderReply::Accepted);
    assert_eq!(caller.reply(&conversation, &other, "hi").await.status, 200);
    assert_eq!(
        caller
            .sim
            .conversation(&conversation)
            .expect("a conversation")
            .contacts
            .len(),
        2
    );
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_message_reopens_and_a_note_does_not() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    let state = || caller.sim.conversation(&conversation).expect("a conversation").state;
    let last = || {
        caller
            .sim
            .conversation(&conversation)
            .expect("a conversation")
            .parts
            .pop()
            .expect("a part")
    };

    caller.sim.agent_closes(&conversation, &agent);
    assert_eq!(state(), "closed");
    caller.sim.agent_notes(&conversation, &agent, "for us");
    assert_eq!((state(), last().kind), ("closed".to_owned(), "note".to_owned()));
    caller.reply(&conversation, &contact, "again").await;
    assert_eq!((state(), last().kind), ("open".to_owned(), "open".to_owned()));

    caller
        .sim
        .agent_snoozes(&conversation, &agent, caller.clock.now_s() + 3600);
    assert_eq!(state(), "snoozed");
    caller.reply(&conversation, &contact, "and again").await;
    assert_eq!(state(), "open");
    caller.sim.agent_closes(&conversation, &agent);
    caller.comment(&conversation, "from the API").await;
    assert_eq!((state(), last().kind), ("open".to_owned(), "open".to_owned()));

    caller
        .sim
        .agent_snoozes(&conversation, &agent, caller.clock.now_s() + 60);
    assert_eq!(caller.sim.next_waking_ms(), Some((caller.clock.now_s() + 60) * 1000));
    caller.advance(60);
    assert_eq!((state(), last().kind), ("open".to_owned(), "timer_unsnooze".to_owned()));
}

#[tokio::test]
async fn conversations_are_managed_through_the_api() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let own = caller.sim.own_admin();
    let agent = caller.sim.admin("Grace");
    let team = caller.sim.team("Support");
    let path = format!("/conversations/{conversation}/parts");
    let assign =
        |kind: &str, to: &str| json!({"message_type": "assignment", "type": kind, "admin_id": own, "assignee_id": to});
    let kind = |answer: &intercom_support::Answer| {
        let parts = answer.body["conversation_parts"]["conversation_parts"]
            .as_array()
            .expect("parts")
            .clone();
        parts.last().expect("a part")["part_type"]
            .as_str()
            .expect("a kind")
            .to_owned()
    };
    let assigned = caller.post(&path, assign("admin", &agent)).await;
    assert_eq!(assigned.body["admin_assignee_id"].to_string(), agent);
    assert_eq!(kind(&assigned), "assignment");
    let again = caller.post(&path, assign("admin", &agent)).await;
    assert_eq!(again.status, 422);
    assert!(again.message().contains("already assigned"));
    assert_eq!(
        caller.post(&path, assign("team", &team)).await.body["team_assignee_id"].to_string(),
        team
    );
    let close = json!({"message_type": "close", "type": "admin", "admin_id": own, "body": "Bye"});
    let closed = caller.post(&path, close).await;
    assert_eq!((kind(&closed).as_str(), &closed.body["open"]), ("close", &json!(false)));
    let unassigned = caller.post(&path, assign("admin", "0")).await;
    assert_eq!(kind(&unassigned), "assign_and_reopen");
    assert_eq!(unassigned.body["admin_assignee_id"], 0);
    let snooze = json!({"message_type": "snoozed", "admin_id": own, "snoozed_until": caller.clock.now_s() + 60});
    assert_eq!(caller.post(&path, snooze).await.body["state"], "snoozed");
    let open = json!({"message_type": "open", "admin_id": own});
    assert_eq!(caller.post(&path, open).await.body["state"], "open");
    let seen = caller.sim.conversation(&conversation).expect("a conversation");
    assert_eq!((seen.assignee, seen.team), (None, None));
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn titles_attributes_and_tags_are_set() {
    let mut caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let path = format!("/conversations/{conversation}");
    let custom = json!({"title": "Topic", "custom_attributes": {"Telegram topic": "7"}});
    assert_eq!(
        caller.call("PUT", &path, custom.clone()).await.status,
        400,
        "the attribute is not defined yet"
    );
    let attribute = json!({"name": "Telegram topic", "data_type": "string"});
    caller.version = "2.15";
    assert_eq!(
        caller.post("/conversations/attributes", attribute.clone()).await.status,
        404
    );
    caller.version = "2.16";
    assert_eq!(caller.post("/conversations/attributes", attribute).await.status, 200);
    let listed = caller.get("/conversations/attributes").await.body;
    assert_eq!(listed["data"][0]["name"], "Telegram topic");
    assert_eq!(caller.call("PUT", &path, custom).await.body["title"], "Topic");

    let tag = caller.post("/tags", json!({"name": "telegram"})).await.id();
    assert_eq!(
        caller.post("/tags", json!({"name": "Telegram"})).await.id(),
        tag,
        "names are found whatever their case"
    );
    let apply = json!({"id": tag, "admin_id": caller.sim.own_admin()});
    assert_eq!(caller.post(&format!("{path}/tags"), apply).await.id(), tag);
    assert_eq!(
        caller.sim.conversation(&conversation).expect("a conversation").tags,
        ["telegram"]
    );
    let admin = json!({"admin_id": caller.sim.own_admin()});
    assert_eq!(
        caller.call("DELETE", &format!("{path}/tags/{tag}"), admin).await.status,
        200
    );
    let seen = caller.sim.conversation(&conversation).expect("a conversation");
    assert_eq!((seen.tags.len(), seen.title.as_deref()), (0, Some("Topic")));
}

#[tokio::test]
async fn what_is_redacted_shows_that_it_was_deleted() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let answer = caller.reply(&conversation, &contact, "secret").await;
    let part = answer.body["conversation_parts"]["conversation_parts"][0]["id"].clone();
    let redact = json!({"type": "conversation_part", "conversation_id": conversation, "conversation_part_id": part});
    let redacted = caller.post("/conversations/redact", redact).await;
    let shown = &redacted.body["conversation_parts"]["conversation_parts"][0];
    assert_eq!(shown["body"], "<p><i>This message was deleted</i></p>");
    assert_eq!(shown["redacted"], true);

    let agent = caller.sim.admin("Grace");
    let bare = caller.sim.agent_closes(&conversation, &agent);
    let redact =
        |id: &str| json!({"type": "conversation_part", "conversation_id": conversation, "conversation_part_id": id});
    let refused = caller.post("/conversations/redact", redact(&bare)).await;
    assert_eq!(refused.code(), "conversation_part_not_redactable");
    let refused = caller.post("/conversations/redact", redact("7")).await;
    assert_eq!(
        (refused.status, refused.code()),
        (404, "conversation_part_or_message_not_found")
    );
    let source = answer.body["source"]["id"].clone();
    let redact = json!({"type": "source", "conversation_id": conversation, "source_id": source});
    assert_eq!(
        caller.post("/conversations/redact", redact).await.body["source"]["redacted"],
        true
    );
}

#[tokio::test]
async fn the_500_newest_parts_are_shown() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    for number in 0..503 {
        caller.sim.agent_notes(&conversation, &agent, &number.to_string());
    }
    let shown = caller.get(&format!("/conversations/{conversation}")).await.body;
    let parts = shown["conversation_parts"]["conversation_parts"]
        .as_array()
        .expect("parts");
    assert_eq!(parts.len(), 500);
    assert!(parts[0]["body"].as_str().expect("a body").contains(">3<"));
    assert_eq!(shown["conversation_parts"]["total_count"], 503);
    let ids: Vec<u64> = parts
        .iter()
        .map(|part| part["id"].as_str().expect("an id").parse().expect("digits"))
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn deleted_and_merged_conversations_take_nothing() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let other = caller.conversation(&contact, "Another thing").await;
    caller.sim.merge_conversations(&conversation, &other);
    assert_eq!(caller.reply(&conversation, &contact, "hi").await.status, 422);
    let shown = caller.get(&format!("/conversations/{conversation}")).await.body;
    assert_eq!(
        (&shown["state"], &shown["linked_objects"]["data"][0]["id"]),
        (&json!("closed"), &json!(other))
    );

    let deleted = caller
        .call("DELETE", &format!("/conversations/{other}"), Value::Null)
        .await;
    assert_eq!(
        deleted.body,
        json!({"id": other, "object": "conversation", "deleted": true})
    );
    let refused = caller.reply(&other, &contact, "hi").await;
    assert_eq!((refused.status, refused.message()), (404, "Resource Not Found"));
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn files_arrive_with_their_bytes_and_urls_expire() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let file = json!({"name": "hällo 1.txt", "content_type": "text/plain", "data": "aGVsbG8="});
    let reply = json!({
        "message_type": "comment", "type": "user", "intercom_user_id": contact, "body": "see file",
        "attachment_files": [file],
    });
    let answer = caller
        .post(&format!("/conversations/{conversation}/reply"), reply)
        .await
        .body;
    let seen = caller.sim.conversation(&conversation).expect("a conversation");
    let attached = &seen.parts[1].attachments[0];
    assert_eq!(
        (attached.name.as_str(), attached.bytes.as_slice(), attached.size),
        ("hällo 1.txt", &b"hello"[..], 5)
    );
    assert!(caller.sim.calls().last().expect("a call").body["attachment_files"][0]["data"] == "<8 bytes of base64>");

    let url = answer["conversation_parts"]["conversation_parts"][0]["attachments"][0]["url"]
        .as_str()
        .expect("a URL");
    let fetched = caller.http.get(url).send().await.expect("an answer");
    assert_eq!(fetched.headers()["content-type"], "text/plain");
    assert_eq!(fetched.bytes().await.expect("bytes").as_ref(), b"hello");
    let forged = url.replace("expires=1", "expires=2");
    assert_eq!(caller.http.get(forged).send().await.expect("an answer").status(), 403);
    caller.clock.advance(Duration::from_mins(30));
    assert_eq!(caller.http.get(url).send().await.expect("an answer").status(), 403);
    let again = caller.get(&format!("/conversations/{conversation}")).await.body;
    let url = again["conversation_parts"]["conversation_parts"][0]["attachments"][0]["url"]
        .as_str()
        .expect("a URL");
    assert_eq!(caller.http.get(url).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn agents_send_files_images_and_buttons() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    let reply = Reply {
        quick_replies: vec!["Yes".to_owned(), "No".to_owned()],
        ..Reply::html("<p>look <img src=\"cid:0\"> here</p>")
    };
    let reply = reply
        .with_image(File::new("shot.png", "image/png", *b"png"))
        .with_file(File::new("a.pdf", "application/pdf", *b"pdf"));
    caller.sim.agent_replies_with(&conversation, &agent, reply);
    let shown = caller.get(&format!("/conversations/{conversation}")).await.body;
    let part = &shown["conversation_parts"]["conversation_parts"][0];
    assert_eq!(part["metadata"]["quick_reply_options"][1]["text"], "No");
    assert_eq!(part["attachments"][0]["name"], "a.pdf");
    let body = part["body"].as_str().expect("a body");
    let url = body
        .split("src=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("an image");
    let fetched = caller
        .http
        .get(url.replace("&amp;", "&"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(fetched.bytes().await.expect("bytes").as_ref(), b"png");
    let seen = caller.sim.conversation(&conversation).expect("a conversation");
    assert_eq!(seen.parts[1].text, "look [Image] here");
    assert_eq!(
        seen.parts[1].attachments.iter().filter(|file| file.is_inline).count(),
        1
    );
}

#[tokio::test]
async fn urls_of_attachments_are_fetched_and_must_be_images() {
    let caller = Caller::new().await;
    let (_, conversation) = caller.opened().await;
    let agent = caller.sim.admin("Grace");
    let with_files = Reply::text("files")
        .with_file(File::new("a.png", "image/png", *b"png"))
        .with_file(File::new("a.pdf", "application/pdf", *b"pdf"));
    caller.sim.agent_replies_with(&conversation, &agent, with_files);
    let shown = caller.get(&format!("/conversations/{conversation}")).await.body;
    let files = shown["conversation_parts"]["conversation_parts"][0]["attachments"].clone();
    let reply = |url: &Value| json!({"message_type": "comment", "type": "admin", "admin_id": agent, "body": "x", "attachment_urls": [url]});
    let path = format!("/conversations/{conversation}/reply");
    assert_eq!(caller.post(&path, reply(&files[0]["url"])).await.status, 200);
    assert_eq!(caller.post(&path, reply(&files[1]["url"])).await.status, 422);
    assert_eq!(
        caller
            .post(&path, reply(&json!("http://127.0.0.1:9/x.png")))
            .await
            .status,
        422
    );
}
