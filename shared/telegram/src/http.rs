//! The HTTP client: one for each process, with limits on everything.

use std::time::Duration;

/// How long a call to Telegram may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To get a connection, TLS included.
    pub connect: Duration,
    /// The whole call, its answer included.
    pub total: Duration,
    /// To fetch a file, from the question where it is to its last byte.
    pub file: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(25),
            file: Duration::from_mins(1),
        }
    }
}

/// How long a connection is kept for the next call. The far end closes idle ones after a minute or so; a request that meets the closing may
/// or may not have arrived, so none is sent on a connection that has been idle for long, as it is after a Lambda's sleep.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// An HTTP client with rustls and ring.
///
/// It follows no redirects, for a URL of the Bot API carries the token; and it takes no proxy from the environment, which is the host's
/// to read.
pub fn http_client(timeouts: Timeouts) -> reqwest::Result<reqwest::Client> {
    // Somebody else may have chosen the provider of this process already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        .pool_idle_timeout(POOL_IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(reqwest::Error::without_url)
}
