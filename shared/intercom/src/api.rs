//! One call to Intercom's REST API: <https://developers.intercom.com/docs/references/rest-api/api.intercom.io>.

use crate::{
    classify::{Broken, Effect, Rejection},
    files::JsonWithFiles,
    http::Timeouts,
    lenient,
    pace::{self, OnItsWay, Pace},
};
use bridge::{
    failure::HelpdeskError,
    ports::Upload,
    secrets::{Secret, SecretSource},
};
use bytes::{Bytes, BytesMut};
use mapping::Clock;
use reqwest::{
    Body as HttpBody, Method, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, LINK},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{fmt::Write as _, sync::Arc, time::Duration};
use tokio::time::Instant;

/// The version of the REST API that this crate is written for. It is named in every call, for the version that is set for the app
/// may be changed at any time by a click; that one still decides what the webhook is sent.
const VERSION: &str = "2.16";

/// The longest answer that is read: a conversation with 500 long parts stays below it.
const LONGEST_ANSWER: usize = 16 << 20;

/// How old the secrets may be when Intercom has refused the token in them.
const FRESH: Duration = Duration::from_secs(10);

/// What is asked of Intercom.
pub(crate) struct Call<'a> {
    effect: Effect,
    method: Method,
    path: &'a [&'a str],
    body: Body,
    version: &'a str,
}

enum Body {
    None,
    Json(Value),
    /// JSON with files in it: a call that takes longer.
    Files(JsonWithFiles),
}

impl<'a> Call<'a> {
    pub(crate) fn effect(&self) -> Effect {
        self.effect
    }

    pub(crate) fn get(path: &'a [&'a str]) -> Self {
        Self {
            effect: Effect::Repeatable,
            method: Method::GET,
            path,
            body: Body::None,
            version: VERSION,
        }
    }

    /// The same as another version of the API does it.
    pub(crate) fn by_version(self, version: &'a str) -> Self {
        Self { version, ..self }
    }

    pub(crate) fn put(path: &'a [&'a str], body: Value) -> Self {
        Self {
            method: Method::PUT,
            body: Body::Json(body),
            ..Self::get(path)
        }
    }

    pub(crate) fn delete(path: &'a [&'a str]) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(path)
        }
    }

    /// A call that may be repeated.
    pub(crate) fn post(path: &'a [&'a str], body: Value) -> Self {
        Self {
            method: Method::POST,
            body: Body::Json(body),
            ..Self::get(path)
        }
    }

    /// A call that must not be repeated.
    pub(crate) fn once(path: &'a [&'a str], body: Value) -> Self {
        Self {
            effect: Effect::Once,
            ..Self::post(path, body)
        }
    }

    /// A call with files that must not be repeated.
    pub(crate) fn once_with_files(path: &'a [&'a str], body: &Value, files: &[Upload]) -> Self {
        Self {
            body: Body::Files(JsonWithFiles::new(body, files)),
            effect: Effect::Once,
            method: Method::POST,
            ..Self::get(path)
        }
    }
}

/// What came back, where something came back.
pub(crate) enum Answer {
    Done(Bytes),
    Rejected(Rejection),
}

/// The REST API with our token.
pub(crate) struct Api {
    http: reqwest::Client,
    base_url: String,
    secrets: Arc<dyn SecretSource>,
    timeouts: Timeouts,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

impl Api {
    pub(crate) fn new(
        http: reqwest::Client,
        base_url: &str,
        secrets: Arc<dyn SecretSource>,
        timeouts: Timeouts,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            secrets,
            timeouts,
            pace: Pace::new(Arc::clone(&clock), timeouts.window),
            clock,
        }
    }

    /// Makes a call whose answer is read.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, HelpdeskError> {
        match self.send(call).await? {
            Answer::Done(body) => read(&body, call),
            Answer::Rejected(rejection) => Err(rejection.error(call.effect)),
        }
    }

    /// Makes a call of which only the success matters.
    pub(crate) async fn tell(&self, call: &Call<'_>) -> Result<(), HelpdeskError> {
        match self.send(call).await? {
            Answer::Done(_) => Ok(()),
            Answer::Rejected(rejection) => Err(rejection.error(call.effect)),
        }
    }

    /// Makes a call, with a newer token once more if the one at hand is refused.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, HelpdeskError> {
        let time = match call.body {
            Body::None | Body::Json(_) => self.timeouts.total,
            Body::Files(_) => self.timeouts.files,
        };
        let deadline = Instant::now() + time;
        let secrets = self.secrets.current().await.map_err(|_| no_secrets())?;
        let token = &secrets.intercom_access_token;
        let answer = self.attempt(call, token, deadline).await?;
        if !is_unauthorized(&answer) {
            return Ok(answer);
        }
        match self.secrets.newer_than(FRESH).await {
            Ok(newer) if newer.intercom_access_token != *token => {
                self.attempt(call, &newer.intercom_access_token, deadline).await
            }
            _ => Ok(answer),
        }
    }

    async fn attempt(&self, call: &Call<'_>, token: &Secret, deadline: Instant) -> Result<Answer, HelpdeskError> {
        // On its way until its answer was read: what that says of the window counts it.
        let (response, _on_its_way) = self.exchange(call, token, deadline).await?;
        self.answer(response).await.map_err(|broken| broken.error(call.effect))
    }

    /// What time it is at Intercom, as HTTP writes it.
    pub(crate) async fn date(&self, call: &Call<'_>) -> Result<Option<String>, HelpdeskError> {
        let secrets = self.secrets.current().await.map_err(|_| no_secrets())?;
        let deadline = Instant::now() + self.timeouts.total;
        let (response, _) = self.exchange(call, &secrets.intercom_access_token, deadline).await?;
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        Ok(date.map(str::to_owned))
    }

    async fn exchange(
        &self,
        call: &Call<'_>,
        token: &Secret,
        deadline: Instant,
    ) -> Result<(Response, OnItsWay<'_>), HelpdeskError> {
        let on_its_way = self.pace.take().await.map_err(|after| HelpdeskError::Transient {
            after: Some(after),
            reason: "rate limit reached".into(),
        })?;
        let request = self
            .http
            .request(call.method.clone(), self.url(call.path))
            .header(AUTHORIZATION, bearer(token)?)
            .header(ACCEPT, "application/json")
            .header("Intercom-Version", call.version)
            .timeout(deadline.saturating_duration_since(Instant::now()));
        let request = match &call.body {
            Body::None => request,
            Body::Json(body) => request.json(body),
            Body::Files(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(HttpBody::wrap(body.encoded())),
        };
        let response = request.send().await;
        let response = response.map_err(|error| Broken::from(error).error(call.effect))?;
        Ok((response, on_its_way))
    }

    async fn answer(&self, mut response: Response) -> Result<Answer, Broken> {
        self.pace.observe(response.headers());
        let status = response.status();
        if status.is_success() {
            return Ok(Answer::Done(body(&mut response).await?));
        }
        let wait = || pace::wait_after(response.headers(), self.clock.now());
        let after = (status == StatusCode::TOO_MANY_REQUESTS).then(wait).flatten();
        if let Some(wait) = after {
            self.pace.stop(wait);
        }
        let link = response.headers().get(LINK).and_then(|link| link.to_str().ok());
        let link = link.map(str::to_owned);
        // The status says enough where the rest does not come through.
        let words = body(&mut response).await.unwrap_or_default();
        Ok(Answer::Rejected(Rejection::new(status, &words, after, link)))
    }

    fn url(&self, path: &[&str]) -> String {
        let mut url = self.base_url.clone();
        for segment in path {
            url.push('/');
            escape_segment(segment, &mut url);
        }
        url
    }
}

/// Reads the answer to a call that succeeded.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], call: &Call<'_>) -> Result<T, HelpdeskError> {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    value.and_then(lenient::one).ok_or_else(|| unreadable(call))
}

/// The call succeeded, but its answer is not what Intercom describes.
pub(crate) fn unreadable(call: &Call<'_>) -> HelpdeskError {
    Broken::Unreadable.error(call.effect)
}

async fn body(response: &mut Response) -> Result<Bytes, Broken> {
    let mut read = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if read.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Broken::TooLong);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

fn is_unauthorized(answer: &Answer) -> bool {
    matches!(answer, Answer::Rejected(rejection) if rejection.status == StatusCode::UNAUTHORIZED)
}

fn bearer(token: &Secret) -> Result<HeaderValue, HelpdeskError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose().trim())).map_err(|_| {
        HelpdeskError::Unauthorized {
            reason: "it has characters that no token has".into(),
        }
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where the secrets are kept may name itself in its error; that is logged where it is asked.
fn no_secrets() -> HelpdeskError {
    HelpdeskError::Transient {
        after: None,
        reason: "secrets cannot be read".into(),
    }
}

/// Ids come from outside: none of them may lead to another path.
fn escape_segment(segment: &str, url: &mut String) {
    // A path of dots would be resolved, whatever way it is written.
    if segment.chars().all(|c| c == '.') {
        url.push('_');
    }
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        let escaped = |segment: &str| {
            let mut url = String::new();
            escape_segment(segment, &mut url);
            url
        };
        assert_eq!(escaped("5c9553cb27e377f24eed49f7"), "5c9553cb27e377f24eed49f7");
        assert_eq!(escaped("telegram:12"), "telegram%3A12");
        assert_eq!(escaped("a/../b?c#d é"), "a%2F..%2Fb%3Fc%23d%20%C3%A9");
        for dots in ["", ".", ".."] {
            assert!(escaped(dots).starts_with('_'), "{dots}");
        }
    }
}
