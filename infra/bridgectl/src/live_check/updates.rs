//! What is tried of the updates that Telegram delivers.

use super::{
    bench::{Bench, failed, new_secret},
    ear::Heard,
    report::Outcome,
    telegram::{Group, paced},
};
use crate::doctor::TELEGRAM_PATH;
use ::telegram::TelegramUpdates;
use bridge::{ports::UpdateReader as _, secrets::Secret};
use serde_json::json;
use std::time::Duration;

/// What is asked for in `Retry-After`, in seconds of Telegram's.
const RETRY_AFTER: u32 = 30;

/// Has Telegram deliver here, refuses the first update that is made for it, and gives what came of that.
async fn delivered(bench: &mut Bench<'_>) -> anyhow::Result<(Secret, Vec<Heard>)> {
    anyhow::ensure!(
        bench.ear.is_some(),
        "it needs what Telegram delivers: --listen and --listen-url"
    );
    let info = bench.group()?.client.webhook_info().await.map_err(failed)?;
    anyhow::ensure!(
        info.url.is_empty(),
        "the bot delivers to {} already: use a bot of its own for trials",
        info.url
    );
    let topic = bench.new_topic().await?;
    let secret = new_secret();
    let mut secrets = bench.secrets.clone();
    secrets.webhook_secrets = vec![secret.clone()];
    let (words, limit) = (bench.words("delivered"), bench.rhythm.patience);
    let Some(ear) = &bench.ear else {
        anyhow::bail!("nobody listens");
    };
    let url = ear.url(TELEGRAM_PATH);
    ear.refuse_once(&words, Some(Duration::from_secs(RETRY_AFTER.into())));
    bench.registered();
    let registrar = secrets.telegram(&bench.telegram_api_url)?;
    registrar.set_webhook(&url).await.map_err(failed)?;
    let renamed = json!({"message_thread_id": topic, "name": words});
    let rename = async |group: &Group| group.call("editForumTopic", renamed.clone()).await;
    paced(bench, rename).await?.map_err(failed)?;
    let heard = match &bench.ear {
        Some(ear) => {
            ear.wait_for(2, limit.max(bench.rhythm.seconds(2 * RETRY_AFTER)), |heard| {
                heard.has(&words)
            })
            .await
        }
        None => Vec::new(),
    };
    bench.group()?.client.delete_webhook().await.map_err(failed)?;
    anyhow::ensure!(!heard.is_empty(), "no update came to {url}");
    Ok((secret, heard))
}

pub(super) async fn secret(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (secret, heard) = delivered(bench).await?;
    let mut secrets = bench.secrets.clone();
    secrets.webhook_secrets = vec![secret];
    let secrets = secrets.current();
    let genuine = heard
        .iter()
        .filter(|heard| TelegramUpdates.verify(&heard.request, &secrets).is_some());
    let (genuine, all) = (genuine.count(), heard.len());
    let found = format!("{genuine} of {all} bear it");
    Ok(if genuine == all {
        Outcome::Holds(found)
    } else {
        Outcome::Differs(found)
    })
}

pub(super) async fn retry(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (_, heard) = delivered(bench).await?;
    let (Some(first), Some(second)) = (heard.first(), heard.get(1)) else {
        return Ok(Outcome::Differs("what was answered 503 did not come again".into()));
    };
    let id = |heard: &Heard| heard.body.get("update_id").cloned();
    if id(first) != id(second) {
        return Ok(Outcome::Differs("it came again under another update_id".into()));
    }
    let after = second.at.duration_since(first.at);
    let asked = bench.rhythm.seconds(RETRY_AFTER);
    let found = format!(
        "it came again after {:.1} s; {:.1} s were asked for",
        after.as_secs_f64(),
        asked.as_secs_f64()
    );
    Ok(if after * 10 >= asked * 9 {
        Outcome::Holds(found)
    } else {
        Outcome::Differs(found)
    })
}
