//! Contacts: conflicts, archived, merged and deleted ones.

mod intercom_support;

use std::time::Duration;

use intercom_support::Caller;
use serde_json::{Value, json};

#[tokio::test]
async fn a_contact_is_created_found_and_changed() {
    let caller = Caller::new().await;
    let made = caller
        .post(
            "/contacts",
            json!({"role": "user", "external_id": "telegram:-1", "name": "Ada"}),
        )
        .await;
    assert_eq!(made.status, 200);
    assert_eq!(made.id().len(), 24);
    let found = caller.get("/contacts/find_by_external_id/telegram%3A-1").await;
    assert_eq!(found.body, made.body);
    let changed = caller
        .call("PUT", &format!("/contacts/{}", made.id()), json!({"name": "Ada L."}))
        .await;
    assert_eq!(changed.body["name"], "Ada L.");
    assert_eq!(changed.body["external_id"], "telegram:-1");
    assert_eq!(
        caller.sim.contacts().first().and_then(|one| one.name.clone()),
        Some("Ada L.".to_owned())
    );
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_conflict_names_the_contact_and_whether_it_is_archived() {
    let caller = Caller::new().await;
    let id = caller.contact("telegram:1", "Ada").await;
    let again = json!({"external_id": "telegram:1"});
    let refused = caller.post("/contacts", again.clone()).await;
    assert_eq!((refused.status, refused.code()), (409, "conflict"));
    assert_eq!(
        refused.message(),
        format!("A contact matching those details already exists with id={id}")
    );

    let archived = caller.post(&format!("/contacts/{id}/archive"), Value::Null).await;
    assert_eq!(
        archived.body,
        json!({"type": "contact", "id": id, "external_id": "telegram:1", "archived": true})
    );
    let refused = caller.post("/contacts", again).await;
    assert_eq!(
        refused.message(),
        format!("An archived contact matching those details already exists with id={id}")
    );
    assert_eq!(caller.get("/contacts/find_by_external_id/telegram:1").await.status, 404);

    let back = caller.post(&format!("/contacts/{id}/unarchive"), Value::Null).await;
    assert_eq!(back.body["archived"], false);
    assert_eq!(caller.get("/contacts/find_by_external_id/telegram:1").await.id(), id);
}

#[tokio::test]
async fn leads_get_an_external_id_of_intercoms_making() {
    let caller = Caller::new().await;
    let first = caller
        .post("/contacts", json!({"role": "lead", "email": "a@example.com"}))
        .await;
    let second = caller
        .post("/contacts", json!({"role": "lead", "email": "a@example.com"}))
        .await;
    assert_eq!(second.status, 200, "leads do not conflict");
    let external_id = first.body["external_id"].as_str().expect("an external id");
    assert_eq!(external_id.len(), 36);
    assert_eq!(
        caller
            .get(&format!("/contacts/find_by_external_id/{external_id}"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_merged_contact_points_to_the_one_it_lives_on_in() {
    let mut caller = Caller::new().await;
    let (from, conversation) = caller.opened().await;
    let into = caller.contact("telegram:2", "Ada L.").await;
    let last = caller.contact("telegram:3", "Ada Lovelace").await;
    caller.sim.merge_contacts(&from, &into);
    caller.sim.merge_contacts(&into, &last);

    for path in [
        format!("/contacts/{from}"),
        "/contacts/find_by_external_id/telegram:1".to_owned(),
    ] {
        let merged = caller.get(&path).await;
        assert_eq!((merged.status, merged.code()), (410, "contact_merged"), "of {path}");
        assert_eq!(merged.headers["link"], format!("</contacts/{last}>; rel=\"canonical\""));
    }
    let again = caller.post("/contacts", json!({"external_id": "telegram:1"})).await;
    assert!(again.message().ends_with(&format!("id={last}")), "{}", again.message());
    assert_eq!(caller.reply(&conversation, &from, "hi").await.status, 404);
    assert_eq!(caller.reply(&conversation, &last, "hi").await.status, 200);
    caller.version = "2.15";
    assert_eq!(caller.get(&format!("/contacts/{from}")).await.status, 404);
}

#[tokio::test]
async fn the_api_merges_a_lead_into_a_user() {
    let caller = Caller::new().await;
    let lead = caller
        .post("/contacts", json!({"role": "lead", "name": "Ada"}))
        .await
        .id();
    let user = caller.contact("telegram:1", "Ada").await;
    let refused = caller
        .post("/contacts/merge", json!({"from": user, "into": lead}))
        .await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_merge"));
    let refused = caller
        .post("/contacts/merge", json!({"from": lead, "into": user}))
        .await;
    assert_eq!((refused.status, refused.code()), (400, "invalid_merge"));
    let forced = json!({"from": lead, "into": user, "skip_duplicate_validation": true});
    assert_eq!(caller.post("/contacts/merge", forced).await.id(), user);
}

#[tokio::test]
async fn the_external_id_of_a_deleted_contact_stays_taken_for_a_while() {
    let caller = Caller::new().await;
    let id = caller.contact("telegram:1", "Ada").await;
    let deleted = caller.call("DELETE", &format!("/contacts/{id}"), Value::Null).await;
    assert_eq!(
        deleted.body,
        json!({"type": "contact", "id": id, "external_id": "telegram:1", "deleted": true})
    );
    assert_eq!(caller.get(&format!("/contacts/{id}")).await.status, 404);
    let refused = caller.post("/contacts", json!({"external_id": "telegram:1"})).await;
    assert_eq!(refused.status, 409);
    let locked = caller.post(&format!("/contacts/{id}/unarchive"), Value::Null).await;
    assert_eq!((locked.status, locked.code()), (422, "not_restorable"));
    caller.advance(7 * 24 * 3600);
    assert_eq!(
        caller
            .post("/contacts", json!({"external_id": "telegram:1"}))
            .await
            .status,
        200
    );
    assert_eq!(
        caller
            .post(&format!("/contacts/{id}/unarchive"), Value::Null)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn a_new_contact_may_not_be_there_yet() {
    let caller = Caller::new().await;
    caller
        .sim
        .configure(|options| options.contact_visibility_lag = Duration::from_secs(3));
    let contact = caller.contact("telegram:1", "Ada").await;
    let body = json!({"from": {"type": "user", "id": contact}, "body": "Hello"});
    let early = caller.post("/conversations", body.clone()).await;
    assert_eq!((early.status, early.message()), (404, "User Not Found"));
    assert_eq!(caller.get(&format!("/contacts/{contact}")).await.status, 404);
    assert_eq!(
        caller
            .post("/contacts", json!({"external_id": "telegram:1"}))
            .await
            .status,
        409
    );
    caller.advance(3);
    assert_eq!(caller.post("/conversations", body).await.status, 200);
    assert_eq!(caller.sim.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn custom_attributes_are_defined_before_they_are_set() {
    let caller = Caller::new().await;
    let id = caller.contact("telegram:1", "Ada").await;
    let set = json!({"custom_attributes": {"telegram_username": "ada"}});
    let path = format!("/contacts/{id}");
    assert_eq!(caller.call("PUT", &path, set.clone()).await.code(), "parameter_invalid");
    let attribute = json!({"name": "telegram_username", "model": "contact", "data_type": "string"});
    assert_eq!(caller.post("/data_attributes", attribute.clone()).await.status, 200);
    assert_eq!(
        caller.post("/data_attributes", attribute).await.status,
        400,
        "once is enough"
    );
    assert_eq!(
        caller.call("PUT", &path, set).await.body["custom_attributes"]["telegram_username"],
        "ada"
    );
    assert_eq!(
        caller.get("/data_attributes?model=contact").await.body["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        caller.get("/data_attributes?model=company").await.body["data"]
            .as_array()
            .map(Vec::len),
        Some(0)
    );
}
