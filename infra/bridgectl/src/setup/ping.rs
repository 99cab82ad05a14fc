//! How it is known that Intercom reached the bridge: a stack logs it, `serve` says it under `/healthz`.

use super::Patience;
use crate::install::{Home, Install};
use mapping::Timestamp;
use std::time::Instant;

/// Waits until the bridge has taken a notification that came later than this; whether one came.
pub(super) async fn came(install: &Install, since: Timestamp, patience: Patience) -> anyhow::Result<bool> {
    let give_up = Instant::now() + patience.in_all;
    loop {
        if has_come(install, since).await? {
            return Ok(true);
        }
        if Instant::now() >= give_up {
            return Ok(false);
        }
        tokio::time::sleep(patience.look_every).await;
    }
}

async fn has_come(install: &Install, since: Timestamp) -> anyhow::Result<bool> {
    match &install.home {
        Home::Machine(_) => heard(install, since).await,
        #[cfg(feature = "aws")]
        Home::Stack(deployed) => logged(&deployed.stack, since).await,
    }
}

/// When `serve` last took something that Intercom had signed.
async fn heard(install: &Install, since: Timestamp) -> anyhow::Result<bool> {
    let http = telegram::http_client(telegram::Timeouts::default())?;
    let url = install.public_url().unwrap_or_default();
    let answer = http.get(format!("{url}/healthz")).send().await;
    let Ok(answer) = answer else { return Ok(false) };
    let health: serde_json::Value = answer.json().await.unwrap_or_default();
    let at = health.get("intercom_heard_at").and_then(serde_json::Value::as_i64);
    Ok(at.is_some_and(|at| Timestamp::from_millis(at) > since))
}

#[cfg(feature = "aws")]
pub(super) use logs::{logged, strangers};

#[cfg(feature = "aws")]
mod logs {
    use crate::aws::{Stack, refusal};
    use anyhow::Context as _;
    use mapping::{ChatId, Clock as _, Timestamp};
    use serde_json::Value;
    use std::{collections::BTreeSet, time::Duration};

    /// How far back chats that are not listed are looked for.
    const LOOK_BACK: Duration = Duration::from_hours(24);

    /// Whether the function that Intercom calls has logged a ping.
    pub(in super::super) async fn logged(stack: &Stack, since: Timestamp) -> anyhow::Result<bool> {
        let lines = lines(stack, &stack.parts.intercom_webhook.log, since, "ping").await?;
        Ok(lines
            .iter()
            .any(|line| line.get("event").and_then(Value::as_str) == Some("ping")))
    }

    /// Chats that the function that Telegram calls has logged as not listed.
    pub(in super::super) async fn strangers(stack: &Stack) -> anyhow::Result<BTreeSet<ChatId>> {
        let since = local::SystemClock.now() - LOOK_BACK;
        let lines = lines(stack, &stack.parts.telegram_webhook.log, since, "TELEGRAM_CHATS").await?;
        let chat = |line: &Value| line.get("chat.id").and_then(Value::as_i64).map(ChatId);
        Ok(lines.iter().filter_map(chat).collect())
    }

    async fn lines(stack: &Stack, group: &str, since: Timestamp, word: &str) -> anyhow::Result<Vec<Value>> {
        let asked = stack
            .logs()
            .filter_log_events()
            .log_group_name(group)
            .start_time(since.as_millis());
        let mut pages = asked.filter_pattern(format!("\"{word}\"")).into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(refusal)
                .with_context(|| format!("the log {group} cannot be read"))?;
            let messages = page.events().iter().filter_map(|event| event.message());
            lines.extend(messages.filter_map(|message| serde_json::from_str(message).ok()));
        }
        Ok(lines)
    }
}
