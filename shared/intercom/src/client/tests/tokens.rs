//! The access token: read anew when it is refused, and shown nowhere.

use super::*;
use bridge::secrets::SecretsError;
use std::error::Error;

/// Secrets of which a newer version is there.
struct Rotated;

#[async_trait]
impl SecretSource for Rotated {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::new(secrets("old")))
    }

    async fn newer_than(&self, _age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        Ok(Arc::new(secrets("new")))
    }
}

#[tokio::test]
async fn a_refused_token_is_read_anew_once() {
    let refused = || Step::error(401, "unauthorized", "Access Token Invalid");
    let done = Step::json(&conversation(&[part(1, "comment", ann().as_str(), "<p>x</p>")]));
    let server = Server::start(vec![refused(), done, refused(), refused()]).await;
    let client = client_at(&server.url, Arc::new(Rotated), PATIENT);
    assert!(client.reply_as_contact(&id("12"), &ann(), &reply("x")).await.is_ok());
    let error = client.conversation(&id("12")).await.unwrap_err();
    assert!(matches!(error, HelpdeskError::Unauthorized { .. }), "{error}");
    let tokens: Vec<_> = server.finish();
    let tokens: Vec<_> = tokens.iter().filter_map(|one| one.header("authorization")).collect();
    assert_eq!(tokens, ["Bearer old", "Bearer new", "Bearer old", "Bearer new"]);

    let (client, server) = scripted(vec![refused()]).await;
    assert!(client.identity().await.is_err());
    assert_eq!(server.finish().len(), 1, "the same token is not tried twice");
}

#[tokio::test]
async fn no_error_shows_token_or_address_or_words() {
    let echo = format!("{TOKEN} said: secret words");
    let server = Server::start(vec![
        Step::error(400, "parameter_invalid", &echo),
        Step::error(401, &echo, &echo),
        Step::error(500, &echo, &echo),
        Step::Drop,
        Step::Garbage,
        Step::Hang,
        Step::json(&json!({"secret words": 1})),
    ])
    .await;
    let client = client_at(&server.url, fixed(), HURRIED);
    let mut errors = Vec::new();
    for _ in 0..7 {
        errors.push(
            client
                .reply_as_contact(&id("12"), &ann(), &reply("secret words"))
                .await
                .unwrap_err(),
        );
    }
    let broken = Arc::new(FixedSecrets::new(secrets("dG9r\nsecret")).unwrap());
    let unprintable = client_at(&server.url, broken, HURRIED);
    errors.push(unprintable.identity().await.unwrap_err());
    server.finish();
    for error in errors {
        let chain = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
        let printed = chain
            .map(|error| format!("{error} {error:?}"))
            .collect::<Vec<_>>()
            .join(" ");
        for hidden in [TOKEN, "dG9r", "secret", "127.0.0.1"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}
