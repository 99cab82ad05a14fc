//! What the functions find in their environment: the names of their resources, and who they are to AWS.

use aws_credential_types::Credentials;
use bridge::config::{Config, ConfigError};

/// The environment of a function, read once.
pub struct Environment {
    /// The settings of the bridge.
    pub config: Config,
    /// `SECRET_ID`: the secret in Secrets Manager, by name or ARN.
    pub secret_id: String,
    /// `TABLE_NAME`: the DynamoDB table.
    pub table_name: String,
    /// The queues.
    pub queue_urls: QueueUrls,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ENDPOINT_URL`: an emulator in the place of AWS.
    pub endpoint_url: Option<String>,
    /// `SSL_CERT_FILE`, `SSL_CERT_DIR`: somebody names the authorities whose certificates are good; otherwise those are that the function brings along.
    pub names_authorities: bool,
    /// The key of the function's role; Lambda gives it to each process anew, and ends the process before it expires.
    pub credentials: Credentials,
}

/// The URLs of the queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueUrls {
    /// `INBOUND_QUEUE_URL`: to Intercom.
    pub inbound: String,
    /// `OUTBOUND_QUEUE_URL`: to Telegram.
    pub outbound: String,
    /// `INBOUND_DEAD_LETTERS_URL`: what was given up on its way to Intercom.
    pub inbound_dead: String,
    /// `OUTBOUND_DEAD_LETTERS_URL`: what was given up on its way to Telegram.
    pub outbound_dead: String,
}

impl QueueUrls {
    /// The URL of the queue that an event names by its ARN: both end with the queue's name.
    pub(crate) fn by_arn(&self, arn: &str) -> Option<&str> {
        let name = arn.rsplit(':').next()?;
        [&self.inbound, &self.outbound]
            .into_iter()
            .find(|url| url.rsplit('/').next() == Some(name))
            .map(String::as_str)
    }
}

impl Environment {
    /// Reads the environment; `value` gives the value of a variable, if it is set.
    pub fn parse(value: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let optional = |variable: &str| value(variable).filter(|text| !text.trim().is_empty());
        let required = |variable: &'static str| {
            optional(variable).ok_or_else(|| ConfigError {
                variable,
                problem: "not set".into(),
            })
        };
        let mut credentials = Credentials::builder()
            .access_key_id(required("AWS_ACCESS_KEY_ID")?)
            .secret_access_key(required("AWS_SECRET_ACCESS_KEY")?)
            .provider_name("environment");
        credentials.set_session_token(optional("AWS_SESSION_TOKEN"));
        Ok(Self {
            config: Config::parse(&value)?,
            secret_id: required("SECRET_ID")?,
            table_name: required("TABLE_NAME")?,
            queue_urls: QueueUrls {
                inbound: required("INBOUND_QUEUE_URL")?,
                outbound: required("OUTBOUND_QUEUE_URL")?,
                inbound_dead: required("INBOUND_DEAD_LETTERS_URL")?,
                outbound_dead: required("OUTBOUND_DEAD_LETTERS_URL")?,
            },
            region: required("AWS_REGION")?,
            endpoint_url: optional("AWS_ENDPOINT_URL"),
            names_authorities: ["SSL_CERT_FILE", "SSL_CERT_DIR"]
                .into_iter()
                .any(|name| optional(name).is_some()),
            credentials: credentials.build(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: [(&str, &str); 10] = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "eu-central-1"),
        ("TELEGRAM_CHATS", "-1001"),
        ("SECRET_ID", "secret-id"),
        ("TABLE_NAME", "table"),
        ("INBOUND_QUEUE_URL", "https://sqs/1/in.fifo"),
        ("OUTBOUND_QUEUE_URL", "https://sqs/1/out.fifo"),
        ("INBOUND_DEAD_LETTERS_URL", "https://sqs/1/in-dead.fifo"),
        ("OUTBOUND_DEAD_LETTERS_URL", "https://sqs/1/out-dead.fifo"),
    ];

    fn parse_without(missing: &str) -> Result<Environment, ConfigError> {
        let set = |name: &str| SET.iter().find(|(key, _)| *key == name && name != missing);
        Environment::parse(|name| set(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn every_missing_variable_is_named() {
        for (variable, _) in SET {
            let error = parse_without(variable).err().unwrap();
            assert_eq!(error.variable, variable);
        }
        assert_eq!(parse_without("").ok().unwrap().endpoint_url, None);
    }

    #[test]
    fn whoever_names_authorities_is_heard() {
        assert!(!parse_without("").ok().unwrap().names_authorities);
        let named = |name: &str| {
            let set = SET
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned());
            set.or_else(|| (name == "SSL_CERT_FILE").then(|| "/etc/own.pem".into()))
        };
        assert!(Environment::parse(named).ok().unwrap().names_authorities);
    }

    #[test]
    fn a_queue_is_found_by_its_arn() {
        let urls = parse_without("").ok().unwrap().queue_urls;
        let found = urls.by_arn("arn:aws:sqs:eu-central-1:1:out.fifo");
        assert_eq!(found, Some("https://sqs/1/out.fifo"));
        assert_eq!(urls.by_arn("arn:aws:sqs:eu-central-1:1:other.fifo"), None);
    }
}
