//! Fetching a file: first where it is, then the file itself. <https://core.telegram.org/bots/api#getfile>
//!
//! The address holds the bot's token. It is made here, asked for, and forgotten; no error and no log ever sees it.

use crate::{
    classify::{self, Broken, Effect},
    client::{TelegramClient, no_secrets, reason, retry_after, transport},
    wire::Json,
};
use bridge::{failure::MessengerError, ports::Download};
use bytes::Bytes;
use mapping::FileId;
use reqwest::{Response, StatusCode};
use serde_json::json;
use std::fmt::Write as _;
use tokio::time::Instant;

/// Nothing is made anew by fetching once more.
const EFFECT: Effect = Effect::Repeatable;

impl TelegramClient {
    pub(crate) async fn fetch(&self, file: &FileId, most: u64) -> Result<Download, MessengerError> {
        let deadline = Instant::now() + self.timeouts.file;
        let asked = self
            .request("getFile", EFFECT, &json!({"file_id": file.as_str()}))
            .await;
        let found = match asked {
            Ok(found) => found,
            Err(MessengerError::Refused { reason }) => return Ok(refused(&reason)),
            Err(error) => return Err(error),
        };
        let found = Json::new(&found);
        if found.unsigned("file_size").is_some_and(|size| size > most) {
            return Ok(Download::TooBig);
        }
        match found.text("file_path").and_then(escaped) {
            Some(path) => self.fetch_path(&path, most, deadline).await,
            // A server of one's own that keeps its files to itself gives paths of its disk.
            None => Ok(Download::Unavailable),
        }
    }

    async fn fetch_path(&self, path: &str, most: u64, deadline: Instant) -> Result<Download, MessengerError> {
        let secrets = self.secrets.current().await.map_err(|error| no_secrets(&error))?;
        let url = format!(
            "{}/file/bot{}/{path}",
            self.base_url,
            secrets.telegram_bot_token.expose()
        );
        let left = deadline.saturating_duration_since(Instant::now());
        let request = self.http.get(url).timeout(left);
        let response = request.send().await.map_err(|error| transport(EFFECT, error))?;
        match response.status() {
            status if status.is_success() => whole(response, most).await,
            // Its link has ended, or it is gone.
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Download::Unavailable),
            status => Err(classify::foreign(EFFECT, status.as_u16(), retry_after(&response))),
        }
    }
}

/// Reads a file as it comes, and stops where it becomes too big.
async fn whole(mut response: Response, most: u64) -> Result<Download, MessengerError> {
    let limit = usize::try_from(most).unwrap_or(usize::MAX);
    let announced = response.content_length().unwrap_or_default();
    if announced > most {
        return Ok(Download::TooBig);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > limit => return Ok(Download::TooBig),
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(Download::Whole(Bytes::from(bytes))),
            Err(error) => return Err(classify::broken(EFFECT, Broken::Underway, &reason(error))),
        }
    }
}

fn refused(reason: &str) -> Download {
    if reason.to_ascii_lowercase().contains("too big") {
        Download::TooBig
    } else {
        Download::Unavailable
    }
}

/// The path of a file as a part of an address; `None` where it leads elsewhere.
fn escaped(path: &str) -> Option<String> {
    let mut whole = String::new();
    for segment in path.split('/') {
        if segment.is_empty() || segment.chars().all(|c| c == '.') {
            return None;
        }
        if !whole.is_empty() {
            whole.push('/');
        }
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                whole.push(char::from(byte));
            } else {
                let _ = write!(whole, "%{byte:02X}");
            }
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_token() {
        assert_eq!(escaped("photos/file_12.jpg").as_deref(), Some("photos/file_12.jpg"));
        assert_eq!(
            escaped("documents/a b?#.pdf").as_deref(),
            Some("documents/a%20b%3F%23.pdf")
        );
        for path in ["", "/var/lib/bot/file", "../getMe", "a/../../getMe", "a//b", "./a"] {
            assert_eq!(escaped(path), None, "{path}");
        }
    }
}
