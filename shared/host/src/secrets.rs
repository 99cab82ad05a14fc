//! The secrets in AWS Secrets Manager, kept for some minutes.

use async_trait::async_trait;
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata as _, SdkError},
    operation::get_secret_value::GetSecretValueError,
};
use bridge::secrets::{Secret, SecretSource, Secrets, SecretsError};
use mapping::{Clock, Timestamp};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long the secrets are believed without a reason to doubt them.
const BELIEVED_FOR: Duration = Duration::from_mins(5);

/// After an attempt that brought nothing, so long there is no other: each request would wait for its own.
const PAUSE: Duration = Duration::from_secs(2);

/// An attempt may take so long. A request that is given up while it waits would leave no trace of it, and the next one would wait as
/// long: so this ends well before a request does.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Where the text of the secrets is read.
#[async_trait]
pub(crate) trait SecretText: Send + Sync {
    /// Reads the text now; the error is a reason without content.
    async fn read(&self) -> Result<String, String>;
}

/// A secret in Secrets Manager.
pub(crate) struct SecretsManager {
    pub(crate) client: Client,
    pub(crate) secret_id: String,
}

#[async_trait]
impl SecretText for SecretsManager {
    async fn read(&self) -> Result<String, String> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let answer = answer.map_err(|error| reason(&error))?;
        answer.secret_string.ok_or_else(|| "it is binary".into())
    }
}

/// The secrets that Secrets Manager keeps under this name or ARN, read when they are first needed.
pub fn secrets_in(client: Client, secret_id: String, clock: Arc<dyn Clock>) -> Arc<dyn SecretSource> {
    Arc::new(CachedSecrets::new(SecretsManager { client, secret_id }, clock))
}

fn reason(error: &SdkError<GetSecretValueError>) -> String {
    match error {
        SdkError::ServiceError(_) => error.code().unwrap_or("an error without a name").to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".into(),
        SdkError::DispatchFailure(_) => "no connection".into(),
        _ => "the answer could not be read".into(),
    }
}

/// Secrets that are read once and kept, until they are too old for whoever asks.
///
/// What was read before stays in use when it cannot be read anew, or when what is there now cannot be used: somebody may be in the
/// middle of changing it.
pub(crate) struct CachedSecrets<T> {
    text: T,
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    secrets: Option<(Timestamp, Arc<Secrets>)>,
    failed: Option<(Timestamp, SecretsError)>,
}

impl<T: SecretText> CachedSecrets<T> {
    pub(crate) fn new(text: T, clock: Arc<dyn Clock>) -> Self {
        Self {
            text,
            clock,
            kept: Mutex::default(),
        }
    }

    async fn read(&self) -> Result<Secrets, SecretsError> {
        let answer = tokio::time::timeout(ATTEMPT, self.text.read()).await;
        let text = answer.unwrap_or_else(|_| Err("no answer in time".into()));
        parse(&text.map_err(SecretsError::Unavailable)?)
    }
}

#[async_trait]
impl<T: SecretText> SecretSource for CachedSecrets<T> {
    async fn current(&self) -> Result<Arc<Secrets>, SecretsError> {
        self.newer_than(BELIEVED_FOR).await
    }

    async fn newer_than(&self, age: Duration) -> Result<Arc<Secrets>, SecretsError> {
        // Whoever else asks meanwhile waits here and finds what this one has read.
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some((at, secrets)) = &kept.secrets
            && now.since(*at) <= age
        {
            return Ok(Arc::clone(secrets));
        }
        let paused = |failed: &&(Timestamp, SecretsError)| now.since(failed.0) < PAUSE;
        let problem = match kept.failed.as_ref().filter(paused) {
            Some((_, problem)) => problem.clone(),
            None => match self.read().await {
                Ok(secrets) => {
                    let secrets = Arc::new(secrets);
                    *kept = Kept {
                        secrets: Some((now, Arc::clone(&secrets))),
                        failed: None,
                    };
                    return Ok(secrets);
                }
                Err(problem) => {
                    if kept.secrets.is_some() {
                        tracing::error!(%problem, "the secrets cannot be read anew; the old ones stay in use");
                    }
                    kept.failed = Some((now, problem.clone()));
                    problem
                }
            },
        };
        match &kept.secrets {
            Some((_, secrets)) => Ok(Arc::clone(secrets)),
            None => Err(problem),
        }
    }
}

/// Reads the secret's text, a JSON object. A list may be written as text with commas: the console's own editor knows nothing else.
/// No error quotes a value.
fn parse(text: &str) -> Result<Secrets, SecretsError> {
    let Ok(Value::Object(values)) = serde_json::from_str(text) else {
        return Err(unusable("as a whole", "not a JSON object"));
    };
    Secrets {
        telegram_bot_token: one(&values, "telegram_bot_token")?,
        telegram_webhook_secrets: list(&values, "telegram_webhook_secrets")?,
        intercom_access_token: one(&values, "intercom_access_token")?,
        intercom_client_secrets: list(&values, "intercom_client_secrets")?,
    }
    .checked()
}

fn one(values: &Map<String, Value>, key: &str) -> Result<Secret, SecretsError> {
    match values.get(key) {
        Some(Value::String(text)) => Ok(Secret::new(text.trim())),
        Some(_) => Err(unusable(key, "not a text")),
        None => Err(unusable(key, "missing")),
    }
}

pub(crate) fn list(values: &Map<String, Value>, key: &str) -> Result<Vec<Secret>, SecretsError> {
    match values.get(key) {
        Some(Value::String(texts)) => Ok(texts.split(',').map(|text| Secret::new(text.trim())).collect()),
        Some(Value::Array(entries)) => entries
            .iter()
            .map(|entry| entry.as_str().map(|text| Secret::new(text.trim())))
            .collect::<Option<_>>()
            .ok_or_else(|| unusable(key, "not a list of texts")),
        Some(_) => Err(unusable(key, "not a list of texts")),
        None => Err(unusable(key, "missing")),
    }
}

fn unusable(key: &str, problem: &str) -> SecretsError {
    SecretsError::Unusable {
        key: key.into(),
        problem: problem.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Mutex as StdMutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    };

    #[derive(Default)]
    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::SeqCst))
        }
    }

    struct Paper {
        text: StdMutex<Result<String, String>>,
        reads: AtomicUsize,
    }

    #[async_trait]
    impl SecretText for Arc<Paper> {
        async fn read(&self) -> Result<String, String> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            self.text.lock().unwrap().clone()
        }
    }

    struct Desk {
        paper: Arc<Paper>,
        clock: Arc<Hand>,
        secrets: CachedSecrets<Arc<Paper>>,
    }

    fn desk(text: Result<String, String>) -> Desk {
        let paper = Arc::new(Paper {
            text: StdMutex::new(text),
            reads: AtomicUsize::new(0),
        });
        let clock = Arc::new(Hand::default());
        let secrets = CachedSecrets::new(Arc::clone(&paper), Arc::clone(&clock) as Arc<dyn Clock>);
        Desk { paper, clock, secrets }
    }

    impl Desk {
        fn write(&self, text: Result<String, String>) {
            *self.paper.text.lock().unwrap() = text;
        }

        fn pass(&self, time: Duration) {
            let millis = i64::try_from(time.as_millis()).unwrap();
            self.clock.0.fetch_add(millis, Ordering::SeqCst);
        }

        fn reads(&self) -> usize {
            self.paper.reads.load(Ordering::SeqCst)
        }

        async fn bot(&self) -> i64 {
            self.secrets.current().await.unwrap().bot().0
        }
    }

    fn written(bot: u32) -> String {
        format!(
            r#"{{"telegram_bot_token":"{bot}:abc","telegram_webhook_secrets":["one","two"],
                "intercom_access_token":"token","intercom_client_secrets":["client"]}}"#
        )
    }

    #[tokio::test]
    async fn secrets_are_read_once_and_again_when_they_are_old() {
        let desk = desk(Ok(written(1)));
        let (first, second) = tokio::join!(desk.secrets.current(), desk.secrets.current());
        assert_eq!(first.unwrap(), second.unwrap());
        assert_eq!(desk.reads(), 1);
        desk.write(Ok(written(2)));
        desk.pass(Duration::from_mins(4));
        assert_eq!((desk.bot().await, desk.reads()), (1, 1));
        desk.pass(Duration::from_mins(2));
        assert_eq!((desk.bot().await, desk.reads()), (2, 2));
    }

    #[tokio::test]
    async fn a_doubt_reads_them_anew_once() {
        let desk = desk(Ok(written(1)));
        assert_eq!(desk.bot().await, 1);
        desk.write(Ok(written(2)));
        desk.pass(Duration::from_secs(11));
        for _ in 0..3 {
            let newer = desk.secrets.newer_than(Duration::from_secs(10)).await.unwrap();
            assert_eq!(newer.bot().0, 2);
        }
        assert_eq!(desk.reads(), 2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_anew_stays_in_use() {
        let desk = desk(Ok(written(1)));
        assert_eq!(desk.bot().await, 1);
        desk.pass(Duration::from_mins(6));
        for problem in [Err("no connection".into()), Ok("{}".into())] {
            desk.write(problem);
            desk.pass(PAUSE);
            assert_eq!(desk.bot().await, 1);
            assert_eq!(desk.bot().await, 1);
        }
        assert_eq!(desk.reads(), 3, "once for each pause");
        desk.write(Ok(written(2)));
        desk.pass(PAUSE);
        assert_eq!(desk.bot().await, 2);
    }

    struct Silence;

    #[async_trait]
    impl SecretText for Silence {
        async fn read(&self) -> Result<String, String> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_is_not_kept_waiting_by_silence() {
        let clock = Arc::new(Hand::default());
        let secrets = CachedSecrets::new(Silence, Arc::clone(&clock) as Arc<dyn Clock>);
        let old = Arc::new(parse(&written(1)).unwrap());
        secrets.kept.lock().await.secrets = Some((clock.now(), old));
        clock.0.store(6 * 60_000, Ordering::SeqCst);
        let begun = tokio::time::Instant::now();
        for _ in 0..3 {
            assert_eq!(secrets.current().await.unwrap().bot().0, 1);
        }
        assert_eq!(begun.elapsed(), ATTEMPT, "only the first of them waits");
    }

    #[tokio::test]
    async fn a_key_that_is_not_filled_in_is_named() {
        let empty = r#"{"telegram_bot_token":"","telegram_webhook_secrets":"","intercom_access_token":"","intercom_client_secrets":""}"#;
        let desk = desk(Ok(empty.into()));
        for key in ["telegram_bot_token", "telegram_bot_token"] {
            let error = desk.secrets.current().await.unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
        assert_eq!(desk.reads(), 1);
    }

    #[test]
    fn no_error_quotes_a_secret() {
        for text in [
            r#""hush""#,
            r#"{"telegram_bot_token":["hush"]}"#,
            r#"{"telegram_bot_token":"hush"}"#,
            r#"{"telegram_bot_token":"1:hush","telegram_webhook_secrets":[["hush"]]}"#,
            r#"{"telegram_bot_token":"1:hush","telegram_webhook_secrets":{"hush":1}}"#,
            r#"{"telegram_bot_token":"1:hush", hush"#,
        ] {
            let error = parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_list_may_be_written_with_commas() {
        let text = written(1).replace(r#"["one","two"]"#, r#""one, two""#);
        assert_eq!(parse(&text).unwrap(), parse(&written(1)).unwrap());
    }
}
