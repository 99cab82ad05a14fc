//! The tokens: asked for where they are missing, tried before they are kept.

use super::{person::Person, plan::Plan};
use crate::{
    install::Install,
    region::{self, Region, Search},
};
use bridge::{failure::MessengerError, secrets::Secret};
use telegram::BotAccount;

/// How often somebody may mistake a token.
const TRIES: usize = 3;

/// The bot token, and whose it is.
pub(super) async fn bot(install: &Install, plan: &mut Plan, person: &mut dyn Person) -> anyhow::Result<BotAccount> {
    for _ in 0..TRIES {
        if plan.secrets.bot_token.is_none() {
            let token = person.secret(
                "The bot token, from @BotFather (/mybots, API Token)",
                "TELEGRAM_BOT_TOKEN",
            )?;
            plan.secrets.bot_token = Some(Secret::new(token.trim()));
        }
        match plan.secrets.telegram(&plan.telegram_api_url)?.account().await {
            Ok(bot) => {
                person.tell(&format!(
                    "Telegram: the token is that of @{} ({})",
                    bot.username, bot.name
                ));
                return Ok(bot);
            }
            Err(MessengerError::Unauthorized { reason }) => {
                person.tell(&format!("Telegram refuses the bot token: {reason}"));
                plan.secrets.bot_token = None;
            }
            Err(error) => anyhow::bail!("failed to {error}"),
        }
    }
    anyhow::bail!(
        "no bot token that Telegram takes; the one in {} stays as it is",
        install.where_secrets_are()
    )
}

/// The access token, and the region that knows it.
pub(super) async fn intercom(install: &Install, plan: &mut Plan, person: &mut dyn Person) -> anyhow::Result<()> {
    for _ in 0..TRIES {
        if plan.secrets.access_token.is_none() {
            let what = "Intercom's access token, from the Developer Hub (your app, Authentication)";
            let token = person.secret(what, "INTERCOM_ACCESS_TOKEN")?;
            plan.secrets.access_token = Some(Secret::new(token.trim()));
        }
        match region::find(&plan.secrets, &regions(install, plan)).await? {
            Search::Found(region, workspace) => {
                person.tell(&format!(
                    "Intercom: the token is that of {} in the workspace {} ({}), region {}",
                    workspace.admin.name, workspace.name, workspace.id, region.name
                ));
                plan.region = region.name;
                return Ok(());
            }
            Search::Refused => {
                person.tell("Intercom refuses the access token in every region");
                plan.secrets.access_token = None;
            }
            Search::Unasked(problems) => {
                anyhow::bail!(
                    "whether the access token is right is not known: {}",
                    problems.join("; ")
                )
            }
        }
    }
    anyhow::bail!(
        "no access token that Intercom takes; the one in {} stays as it is",
        install.where_secrets_are()
    )
}

/// All regions, or the one server that the settings name.
fn regions(install: &Install, plan: &Plan) -> Vec<Region> {
    match install.setting("INTERCOM_API_URL") {
        None => Region::all(),
        Some(_) => vec![Region {
            name: plan.region.clone(),
            url: plan.intercom_api_url.clone(),
        }],
    }
}

/// The client secret. Nothing but a signed notification proves it right.
pub(super) fn client_secret(plan: &mut Plan, person: &mut dyn Person) -> anyhow::Result<()> {
    if plan.secrets.client_secrets.is_empty() {
        let what = "Intercom's client secret, from the Developer Hub (your app, Basic information)";
        let secret = person.secret(what, "INTERCOM_CLIENT_SECRET")?;
        anyhow::ensure!(!secret.trim().is_empty(), "the client secret is empty");
        plan.secrets.client_secrets.push(Secret::new(secret.trim()));
    }
    Ok(())
}
