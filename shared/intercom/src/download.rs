//! Fetching a file that Intercom keeps. Its address is signed and ends after half an hour; whoever may ask for it needs no token, so
//! none is sent.

use crate::{
    classify::{Broken, Effect},
    hosts::{Hosts, NotPublic, PublicOnly},
    http::{self, Timeouts},
    pace,
};
use bridge::{failure::HelpdeskError, ports::Download};
use bytes::{Bytes, BytesMut};
use mapping::Timestamp;
use reqwest::{Client, Response, StatusCode, Url, header::LOCATION};
use std::{error::Error, sync::OnceLock};
use tokio::time::Instant;

/// So many redirects are followed, each to where a file may be.
const MOST_REDIRECTS: usize = 3;

/// Nothing is made anew by fetching once more.
const EFFECT: Effect = Effect::Repeatable;

/// Fetches files.
pub(crate) struct Downloads {
    hosts: Hosts,
    timeouts: Timeouts,
    /// Made with the first file: it reads root certificates of its own, and most processes never fetch any.
    http: OnceLock<Client>,
}

impl Downloads {
    pub(crate) fn new(base_url: &str, timeouts: Timeouts) -> Self {
        Self {
            hosts: Hosts::new(base_url),
            timeouts,
            http: OnceLock::new(),
        }
    }

    /// Whether a file lies with Intercom, as its address tells.
    pub(crate) fn keeps(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.hosts.have(&url))
    }

    pub(crate) async fn fetch(&self, url: &str, most: u64, now: Timestamp) -> Result<Download, HelpdeskError> {
        let mut url = Url::parse(url).map_err(|_| refused("the address is none"))?;
        if has_ended(&url, now) {
            return Ok(Download::Unavailable);
        }
        let deadline = Instant::now() + self.timeouts.files;
        for _ in 0..=MOST_REDIRECTS {
            let response = self.ask(&url, deadline).await?;
            let Some(to) = redirect(&url, &response) else {
                return answer(response, most, now).await;
            };
            url = to;
        }
        Err(refused("too many redirects"))
    }

    async fn ask(&self, url: &Url, deadline: Instant) -> Result<Response, HelpdeskError> {
        if !self.hosts.may_be_asked(url) {
            return Err(refused("the address leads elsewhere"));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.http()?.get(url.clone()).timeout(left);
        request.send().await.map_err(failed)
    }

    fn http(&self) -> Result<&Client, HelpdeskError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let resolver = PublicOnly {
            stand_in: self.hosts.stand_in().map(str::to_owned),
        };
        let made = http::builder(self.timeouts).dns_resolver(resolver).build();
        let made = made.map_err(failed)?;
        Ok(self.http.get_or_init(|| made))
    }
}

fn refused(reason: &str) -> HelpdeskError {
    HelpdeskError::Refused { reason: reason.into() }
}

/// A name that leads inside may lead there for ever; everything else may work later.
fn failed(error: reqwest::Error) -> HelpdeskError {
    let mut causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes.any(<dyn Error>::is::<NotPublic>) {
        return refused("the name leads to no public address");
    }
    Broken::from(error).error(EFFECT)
}

/// Whether the address says itself that it has ended.
fn has_ended(url: &Url, now: Timestamp) -> bool {
    let expires = url.query_pairs().find(|(name, _)| name == "expires");
    let expires = expires.and_then(|(_, seconds)| seconds.parse().ok());
    expires.is_some_and(|seconds| Timestamp::from_seconds(seconds) <= now)
}

/// Where an answer leads, if it leads anywhere.
fn redirect(from: &Url, response: &Response) -> Option<Url> {
    let leads = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let to = response.headers().get(LOCATION).filter(|_| leads)?;
    from.join(to.to_str().ok()?).ok()
}

async fn answer(response: Response, most: u64, now: Timestamp) -> Result<Download, HelpdeskError> {
    let status = response.status();
    match status {
        StatusCode::OK => whole(response, most).await,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(HelpdeskError::Transient {
            after: pace::wait_after(response.headers(), now),
            reason: format!("{} for a file", status.as_u16()),
        }),
        status if status.is_server_error() => Err(HelpdeskError::Transient {
            after: None,
            reason: format!("{} for a file", status.as_u16()),
        }),
        // Its address has ended, or it is gone, or in quarantine.
        status if status.is_client_error() => Ok(Download::Unavailable),
        status => Err(refused(&format!("{} for a file", status.as_u16()))),
    }
}

/// Reads a file as it comes, and stops where it becomes too big.
async fn whole(mut response: Response, most: u64) -> Result<Download, HelpdeskError> {
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let announced = response.content_length().unwrap_or_default();
    if announced > most {
        return Ok(Download::TooBig);
    }
    let mut bytes = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
    loop {
        let chunk: Option<Bytes> = response.chunk().await.map_err(failed)?;
        match chunk {
            Some(chunk) if bytes.len() + chunk.len() > limit => return Ok(Download::TooBig),
            Some(chunk) => bytes.extend_from_slice(&chunk),
            None => return Ok(Download::Whole(bytes.freeze())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Server;
    use bridge::failure::Failure;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_followed_no_further() {
        let server = Server::start(vec![]).await;
        let http = http::builder(Timeouts::default()).dns_resolver(PublicOnly { stand_in: None });
        let inside = server.url.replace("127.0.0.1", "localhost");
        let asked = http.build().unwrap().get(inside).send().await;
        assert_eq!(failed(asked.unwrap_err()).failure(), Failure::Permanent);
        assert!(server.finish().is_empty());
    }
}
