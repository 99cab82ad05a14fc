//! What only whoever looks after the bridge asks.

use super::*;

#[tokio::test]
async fn a_contact_is_archived_or_deleted_and_one_that_is_gone_is_fine() {
    let done = || Step::json(&json!({"id": ann().as_str(), "archived": true}));
    let gone = || Step::error(404, "not_found", "User Not Found");
    let (client, server) = scripted(vec![done(), gone(), done(), gone()]).await;
    for _ in 0..2 {
        assert_eq!(client.archive_contact(&ann()).await, Ok(()));
    }
    for _ in 0..2 {
        assert_eq!(client.delete_contact(&ann()).await, Ok(()));
    }
    let path = format!("/contacts/{}", ann());
    let (archive, delete) = (format!("POST {path}/archive"), format!("DELETE {path}"));
    assert_eq!(lines(&server), [archive.clone(), archive, delete.clone(), delete]);
}

#[tokio::test]
async fn a_contact_is_known_by_its_name_and_its_id_elsewhere() {
    let contact = json!({"type": "contact", "id": ann().as_str(), "external_id": "telegram:5", "name": "Ann"});
    let (client, server) = scripted(vec![
        Step::json(&contact),
        Step::error(404, "not_found", "User Not Found"),
        Step::json(&contact),
    ])
    .await;
    let known = client.known_contact(&ann()).await.unwrap().unwrap();
    assert_eq!(
        (known.external_id.as_deref(), known.name.as_str()),
        (Some("telegram:5"), "Ann")
    );
    assert!(client.known_contact(&ann()).await.unwrap().is_none());
    assert_eq!(client.contact_of("telegram:5").await, Ok(Some(ann())));
    assert_eq!(lines(&server)[2], "GET /contacts/find_by_external_id/telegram%3A5");
}

#[tokio::test]
async fn who_opened_what_comes_oldest_first_page_by_page() {
    let page = json!({
        "conversations": [{"id": "1", "contacts": {"contacts": [{"id": ann().as_str(), "external_id": "telegram:5"}]},
            "source": {"id": "9", "body": "Hi\n\nhttps://t.me/c/1/2", "author": {"type": "user", "id": ann().as_str()}}}],
        "pages": {"next": {"starting_after": "more"}},
    });
    let (client, server) = scripted(vec![Step::json(&page)]).await;
    let opened = client.opened(Some("here")).await.unwrap();
    assert_eq!(opened.conversations[0].contacts[0].id, ann());
    assert_eq!(
        opened.conversations[0].source.as_ref().unwrap().author.id,
        ann().as_str()
    );
    assert_eq!(opened.next.as_deref(), Some("more"));
    let asked = only(&server);
    assert_eq!(asked.body["sort"], json!({"field": "created_at", "order": "ascending"}));
    assert_eq!(asked.body["pagination"]["starting_after"], "here");
}
