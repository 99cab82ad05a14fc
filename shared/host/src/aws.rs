//! How AWS is called: by whom, where, how long, how often.

use crate::{connector::Connector, environment::Environment};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};
use std::time::Duration;

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

/// The one HTTP client of the process, with rustls and ring. It follows no redirects, for URLs and headers carry tokens.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    // A second call finds the provider installed, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .timeout(CALL)
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(reqwest::Error::without_url)
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
