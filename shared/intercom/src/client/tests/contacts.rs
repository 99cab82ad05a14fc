//! Contacts that are new, there already, archived, merged, locked.

use super::*;

fn new_contact() -> NewContact {
    NewContact {
        external_id: "telegram:5".into(),
        name: "Ann".into(),
    }
}

#[tokio::test]
async fn a_contact_is_made_without_an_address() {
    let (client, server) = scripted(vec![Step::json(&json!({"type": "contact", "id": ann().as_str()}))]).await;
    let ensured = client.ensure_contact(&new_contact()).await;
    assert_eq!(ensured, Ok(EnsuredContact::There(ann())));
    let asked = only(&server);
    assert_eq!(asked.line, "POST /contacts");
    assert_eq!(
        asked.body,
        json!({"role": "user", "external_id": "telegram:5", "name": "Ann"})
    );
}

#[tokio::test]
async fn a_contact_that_is_there_already_is_taken() {
    let conflict = |words: &str| Step::error(409, "conflict", words);
    let link = |id: &str| format!("</contacts/{id}>; rel=\"canonical\"");
    let merged = |id: &str| Step::error(410, "contact_merged", "merged").with("Link", link(id));
    let found = |id: &str| Step::json(&json!({"type": "contact", "id": id}));
    let there = |id: &str| EnsuredContact::There(ContactId::new(id));
    let by_external_id = "GET /contacts/find_by_external_id/telegram%3A5";
    let cases = vec![
        (
            vec![conflict(
                "A contact matching those details already exists with id=abc123",
            )],
            vec![],
            there("abc123"),
        ),
        (
            vec![
                conflict("An archived contact matching those details already exists with id=abc123"),
                found("abc123"),
            ],
            vec!["POST /contacts/abc123/unarchive"],
            there("abc123"),
        ),
        (
            vec![
                conflict("An archived contact matching those details already exists with id=abc123"),
                Step::error(422, "client_error", "Contact is not restorable"),
            ],
            vec!["POST /contacts/abc123/unarchive"],
            EnsuredContact::ExternalIdLocked,
        ),
        (
            vec![conflict("In other words"), found("abc123")],
            vec![by_external_id],
            there("abc123"),
        ),
        (
            vec![conflict("In other words"), merged("b"), merged("c"), found("c")],
            vec![by_external_id, "GET /contacts/b", "GET /contacts/c"],
            there("c"),
        ),
        (
            vec![
                conflict("In other words"),
                Step::error(404, "not_found", "User Not Found"),
            ],
            vec![by_external_id],
            EnsuredContact::ExternalIdLocked,
        ),
        (
            vec![Step::error(
                422,
                "parameter_invalid",
                "external_id of a deleted contact",
            )],
            vec![],
            EnsuredContact::ExternalIdLocked,
        ),
    ];
    for (script, then, ensured) in cases {
        let (client, server) = scripted(script).await;
        assert_eq!(client.ensure_contact(&new_contact()).await, Ok(ensured), "{then:?}");
        assert_eq!(lines(&server)[1..], then);
    }
}

#[tokio::test]
async fn merges_are_followed_three_times_and_only_within_intercom() {
    let merged = |link: &str| Step::error(410, "contact_merged", "merged").with("Link", link);
    let (client, server) = scripted(vec![
        merged("<https://elsewhere.test/contacts/b>; rel=\"canonical\""),
        merged("</contacts/c>; rel=\"canonical\""),
        merged("</contacts/d>; rel=\"canonical\""),
        merged("</contacts/e>; rel=\"canonical\""),
    ])
    .await;
    assert_eq!(client.contact(&ContactId::new("a")).await, Ok(None));
    let asked = ["a", "b", "c", "d"].map(|id| format!("GET /contacts/{id}"));
    assert_eq!(lines(&server), asked);

    let (client, server) = scripted(vec![merged("</contacts/../admins>; rel=\"canonical\"")]).await;
    assert_eq!(client.contact(&ContactId::new("a")).await, Ok(None));
    assert_eq!(lines(&server).len(), 1);

    let (client, server) = scripted(vec![Step::error(404, "not_found", "User Not Found")]).await;
    assert_eq!(client.contact(&ann()).await, Ok(None));
    server.finish();
}
