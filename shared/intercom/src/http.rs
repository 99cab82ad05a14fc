//! The HTTP client: one for each process, with limits on everything.

use std::time::Duration;

/// How long a call to Intercom may take, and may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To get a connection, TLS included.
    pub connect: Duration,
    /// The whole call, its answer included.
    pub total: Duration,
    /// A call that brings files, or fetches one. With the time that it takes to fetch them, it fits into the life of a function; and it ends before anybody
    /// looks for what a lost call may have done.
    pub files: Duration,
    /// How far away the next window of the rate limit may be to be waited for in place. A longer wait is the queue's.
    pub window: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(25),
            files: Duration::from_secs(50),
            window: Duration::from_secs(1),
        }
    }
}

/// How long a connection is kept for the next call.
const IDLE: Duration = Duration::from_secs(20);

/// An HTTP client with rustls and ring.
///
/// It follows no redirects, for they would take the access token elsewhere; and it takes no proxy from the environment, which is the
/// host's to read.
pub fn http_client(timeouts: Timeouts) -> reqwest::Result<reqwest::Client> {
    builder(timeouts).build().map_err(reqwest::Error::without_url)
}

pub(crate) fn builder(timeouts: Timeouts) -> reqwest::ClientBuilder {
    // Somebody else may have chosen the provider of this process already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.total)
        // A connection that has been idle for longer may be dead without a word, and a reply written to it would be of unknown fate.
        .pool_idle_timeout(IDLE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}
