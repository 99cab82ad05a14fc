//! How AWS is called: by whom, where, how long, how often.

use crate::{connector::Connector, environment::Environment};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::config::IdentityCache;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use rustls::{CipherSuite, ClientConfig, RootCertStore, crypto::CryptoProvider};
use std::{sync::Arc, time::Duration};

/// To get a connection, TLS included; a vendor that is far away takes longest.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that any call may take whose caller does not say otherwise.
const CALL: Duration = Duration::from_secs(25);

/// An environment that Lambda froze wakes up with connections that the other side has closed; older ones are not used again.
const IDLE: Duration = Duration::from_secs(20);

/// One attempt of a call to AWS, which answers within some milliseconds or has a problem.
const ATTEMPT: Duration = Duration::from_millis(1_500);

/// A call to AWS with all its attempts.
const OPERATION: Duration = Duration::from_secs(5);

const ATTEMPTS: u32 = 3;

/// Before the second attempt, at most; a request waits for its answer meanwhile.
const BACKOFF: Duration = Duration::from_millis(100);

/// An HTTP client with rustls and ring that trusts whom this machine trusts. It follows no redirects, for URLs and headers carry tokens,
/// and repeats nothing by itself.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    builder().build().map_err(reqwest::Error::without_url)
}

/// The one HTTP client of a function. It brings along whom it trusts: to read that from the machine's files is half of all that a
/// function computes until its first answer.
pub(crate) fn http_client_of(environment: &Environment) -> reqwest::Result<reqwest::Client> {
    if environment.names_authorities {
        return http_client();
    }
    let versions = ClientConfig::builder_with_provider(Arc::new(cryptography())).with_safe_default_protocol_versions();
    // ring knows both versions; did it not, the machine's authorities would do as well.
    let Ok(versions) = versions else { return http_client() };
    let trusted = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls = versions.with_root_certificates(trusted).with_no_client_auth();
    let client = builder().tls_backend_preconfigured(tls).build();
    client.map_err(reqwest::Error::without_url)
}

fn builder() -> reqwest::ClientBuilder {
    // A second call finds the provider installed, which is as good.
    let _ = cryptography().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
}

/// What ring has to offer, first of all what AWS takes first, too: processors compute SHA-256 themselves, and SHA-384 they do not.
fn cryptography() -> CryptoProvider {
    let mut all = rustls::crypto::ring::default_provider();
    all.cipher_suites
        .sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    all
}

/// The configuration of all AWS clients.
pub(crate) fn sdk_config(environment: &Environment, http: reqwest::Client) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(environment.credentials.clone()))
        // The key is at hand, and what an answer may take is less than what would count as stalled: both would only be more to begin with.
        .identity_cache(IdentityCache::no_cache())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(Connector::new(http))
        .sleep_impl(TokioSleep::new())
        .timeout_config(timeouts.build())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(BACKOFF),
        );
    config.set_endpoint_url(environment.endpoint_url.clone());
    config.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};
    use rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    };
    use tokio::{io::AsyncWriteExt as _, net::TcpListener};
    use tokio_rustls::TlsAcceptor;

    /// A server whose certificate is signed by nobody else; where it is, and its certificate.
    async fn unknown_server() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
            }
        });
        (url, certificate.pem())
    }

    fn environment() -> Environment {
        let set = |name: &str| match name {
            "TELEGRAM_CHATS" => Some("-1"),
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "SECRET_ID" | "TABLE_NAME" => Some("test"),
            "INBOUND_QUEUE_URL" | "OUTBOUND_QUEUE_URL" | "INBOUND_DEAD_LETTERS_URL" | "OUTBOUND_DEAD_LETTERS_URL" => {
                Some("http://127.0.0.1/1/queue.fifo")
            }
            _ => None,
        };
        let set = |name: &str| set(name).map(str::to_owned);
        Environment::parse(set).ok().unwrap()
    }

    #[tokio::test]
    async fn a_function_trusts_the_authorities_that_it_brings_along_and_nobody_else() {
        assert!(webpki_roots::TLS_SERVER_ROOTS.len() > 100);
        let (url, own) = unknown_server().await;
        let client = http_client_of(&environment()).unwrap();
        let refused = client.get(&url).send().await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
        // The server itself is well: whoever trusts it gets an answer.
        let trusting = builder().tls_certs_only([reqwest::Certificate::from_pem(own.as_bytes()).unwrap()]);
        let answer = trusting.build().unwrap().get(&url).send().await.unwrap();
        assert!(answer.status().is_success());
    }
}
