//! Search: the lag of the index, operators, groups, pages.

mod intercom_support;

use intercom_support::Caller;
use serde_json::{Value, json};

async fn ids(caller: &Caller, query: Value) -> Vec<String> {
    let found = caller.post("/conversations/search", json!({"query": query})).await;
    assert_eq!(found.status, 200, "{}", found.body);
    let found = found.body["conversations"].as_array().into_iter().flatten();
    found.filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
}

fn filter(field: &str, operator: &str, value: impl Into<Value>) -> Value {
    json!({"field": field, "operator": operator, "value": value.into()})
}

#[tokio::test]
async fn contacts_are_found_after_a_while_unless_archived() {
    let caller = Caller::new().await;
    let id = caller.contact("telegram:1", "Ada").await;
    let search = json!({"query": filter("external_id", "=", "telegram:1")});
    let count = async || caller.post("/contacts/search", search.clone()).await.body["total_count"].clone();
    assert_eq!(count().await, 0);
    caller.advance(120);
    assert_eq!(count().await, 1);
    caller.sim.archive_contact(&id);
    assert_eq!(count().await, 0);
    let by_day = json!({"query": filter("created_at", ">", caller.clock.now_s() - 3600)});
    assert_eq!(caller.post("/contacts/search", by_day).await.body["total_count"], 0);
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn conversations_are_found_by_what_the_index_knows() {
    let caller = Caller::new().await;
    let (contact, conversation) = caller.opened().await;
    let by_contact = filter("contact_ids", "=", contact.as_str());
    assert!(ids(&caller, by_contact.clone()).await.is_empty());
    caller.advance(30);
    assert_eq!(ids(&caller, by_contact.clone()).await, [conversation.as_str()]);

    caller.sim.agent_closes(&conversation, &caller.sim.own_admin());
    let closed = filter("state", "=", "closed");
    assert!(
        ids(&caller, closed.clone()).await.is_empty(),
        "the index still has the old state"
    );
    let found = caller
        .post("/conversations/search", json!({"query": by_contact.clone()}))
        .await
        .body;
    assert_eq!(found["conversations"][0]["state"], "closed", "what is shown is what is");
    assert!(found["conversations"][0].get("conversation_parts").is_none());
    caller.advance(30);
    assert_eq!(ids(&caller, closed).await, [conversation.as_str()]);
    caller.sim.delete_conversation(&conversation);
    assert!(ids(&caller, by_contact).await.is_empty());
}

#[tokio::test]
async fn operators_and_groups_select() {
    let caller = Caller::new().await;
    let ada = caller.contact("telegram:1", "Ada").await;
    let first = caller.conversation(&ada, "I need support t.me/c/1/2").await;
    caller.advance(100);
    let bob = caller.contact("telegram:2", "Bob").await;
    let second = caller.conversation(&bob, "Good morning").await;
    caller.advance(100);
    let start = intercom_support::START_MS / 1000;
    let both = [second.clone(), first.clone()];
    let cases = [
        (filter("created_at", ">", start), vec![second.clone()]),
        (
            filter("created_at", "<", (start + 100).to_string()),
            vec![first.clone()],
        ),
        (filter("updated_at", ">", start - 1), both.to_vec()),
        (filter("source.body", "=", "support"), vec![first.clone()]),
        (filter("source.body", "=", "need support"), vec![]),
        (filter("source.body", "~", "suppo"), vec![first.clone()]),
        (filter("source.body", "~", "t.me/c/1/"), vec![]),
        (filter("source.author.id", "=", ada.as_str()), vec![first.clone()]),
        (filter("source.author.id", "!=", ada.as_str()), vec![second.clone()]),
        (filter("contact_ids", "IN", json!([ada, bob])), both.to_vec()),
        (filter("contact_ids", "NIN", json!([ada])), vec![second.clone()]),
        (filter("open", "=", true), both.to_vec()),
        (filter("admin_assignee_id", "=", 7), vec![]),
        (
            json!({"operator": "AND", "value": [filter("open", "=", true), {"operator": "OR", "value": [
                filter("contact_ids", "=", bob.as_str()), filter("id", "=", "7"),
            ]}]}),
            vec![second.clone()],
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&caller, query.clone()).await, expected, "of {query}");
    }
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn results_come_in_pages_and_in_order() {
    let caller = Caller::new().await;
    let contact = caller.contact("telegram:1", "Ada").await;
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.push(caller.conversation(&contact, &format!("number {number}")).await);
        caller.advance(1);
    }
    caller.advance(60);
    let mut search = json!({
        "query": filter("updated_at", ">", 0), "sort": {"field": "updated_at", "order": "ascending"},
        "pagination": {"per_page": 2},
    });
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let page = caller.post("/conversations/search", search.clone()).await.body;
        pages += 1;
        assert_eq!(
            (&page["total_count"], &page["pages"]["total_pages"]),
            (&json!(5), &json!(3))
        );
        found.extend(
            page["conversations"]
                .as_array()
                .expect("conversations")
                .iter()
                .map(|one| one["id"].clone()),
        );
        match page["pages"]["next"]["starting_after"].as_str() {
            Some(cursor) => search["pagination"]["starting_after"] = json!(cursor),
            None => break,
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(found, expected);
}
