//! The groups. Telegram shows nobody the id of a group, but the bot hears where it is added, and where somebody writes.

use super::{Patience, person::Person, plan::Plan};
use crate::{
    doctor::{named, standing_words},
    install::Install,
};
use bridge::{failure::MessengerError, telegram_message::ChatKind};
use mapping::ChatId;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};
use telegram::{BotAccount, Standing, TelegramClient, UPDATES_AT_A_TIME};

/// A search for groups.
struct Search<'a> {
    telegram: TelegramClient,
    bot: &'a BotAccount,
    /// Each chat that was looked at, and the line that shows it if it can be bridged.
    seen: BTreeMap<ChatId, Option<String>>,
}

/// Finds the chats that are bridged from now on.
pub(super) async fn find(
    plan: &mut Plan,
    install: &Install,
    bot: &BotAccount,
    given: impl Iterator<Item = ChatId>,
    patience: Patience,
    person: &mut dyn Person,
) -> anyhow::Result<()> {
    let mut search = Search {
        telegram: plan.secrets.telegram(&plan.telegram_api_url)?,
        bot,
        seen: BTreeMap::new(),
    };
    let known: BTreeSet<ChatId> = plan.chats.iter().copied().chain(given).collect();
    for chat in &known {
        search.look_at(*chat, person).await?;
    }
    for chat in strangers(install).await? {
        search.look_at(chat, person).await?;
    }
    let is_known = search.seen.values().any(Option::is_some);
    let wants_more = !is_known || person.is_there() && !person.agrees("Are these all the groups?")?;
    if wants_more && search.may_listen(install, person).await? {
        search.listen(patience, person).await?;
    }
    plan.chats = search.choose(person)?;
    anyhow::ensure!(!plan.chats.is_empty(), "no chat was chosen; nothing was changed");
    Ok(())
}

/// Chats from which the stack's webhook has heard, and which it does not carry.
async fn strangers(install: &Install) -> anyhow::Result<BTreeSet<ChatId>> {
    match &install.home {
        crate::install::Home::Machine(_) => Ok(BTreeSet::new()),
        #[cfg(feature = "aws")]
        crate::install::Home::Stack(deployed) => super::ping::strangers(&deployed.stack).await,
    }
}

impl Search<'_> {
    /// While a webhook is registered, Telegram tells nobody else.
    async fn may_listen(&self, install: &Install, person: &mut dyn Person) -> anyhow::Result<bool> {
        let info = self.telegram.webhook_info().await.map_err(|error| failed(&error))?;
        if info.url.is_empty() {
            return Ok(true);
        }
        let ours = install.public_url().is_some_and(|url| info.url.starts_with(url));
        anyhow::ensure!(
            ours || person.is_there(),
            "Telegram delivers this bot's updates to {}: pass --chats, or run setup at a terminal",
            info.url
        );
        let question = format!(
            "Telegram delivers to {} now. To listen for groups, that has to stop for a while; nothing is lost, and the webhook is \
             registered in the end. Stop it?",
            info.url
        );
        if !person.agrees(&question)? {
            return Ok(false);
        }
        self.telegram.delete_webhook().await.map_err(|error| failed(&error))?;
        Ok(true)
    }

    /// Waits until the bot hears of a group.
    async fn listen(&mut self, patience: Patience, person: &mut dyn Person) -> anyhow::Result<()> {
        person.tell(&format!(
            "Now add @{} to your groups and make it an administrator (manage topics, delete messages); where it is already, write a line.",
            self.bot.username
        ));
        let give_up = Instant::now() + patience.in_all;
        loop {
            if self.hears(person).await? && (!person.is_there() || person.agrees("Are these all the groups?")?) {
                return Ok(());
            }
            if Instant::now() >= give_up {
                let minutes = patience.in_all.as_secs() / 60;
                person.tell(&format!("No more groups were heard of within {minutes} minutes."));
                return Ok(());
            }
            tokio::time::sleep(patience.look_every).await;
        }
    }

    /// Whether there is a group that was not seen before.
    async fn hears(&mut self, person: &mut dyn Person) -> anyhow::Result<bool> {
        let waiting = self.telegram.waiting().await.map_err(|error| failed(&error))?;
        if waiting.len() >= UPDATES_AT_A_TIME {
            person.tell("More updates wait at Telegram than it shows; if a group is missing, pass it with --chats.");
        }
        let chats: BTreeSet<ChatId> = waiting.iter().filter_map(|update| update.chat).collect();
        let mut is_new = false;
        for chat in chats {
            is_new |= self.look_at(chat, person).await?;
        }
        Ok(is_new)
    }

    /// Shows a chat that was not seen before; whether it can be bridged. One that became another is looked at as that one.
    async fn look_at(&mut self, chat: ChatId, person: &mut dyn Person) -> anyhow::Result<bool> {
        if self.seen.contains_key(&chat) {
            return Ok(false);
        }
        let seen = async {
            Ok((
                self.telegram.chat(chat).await?,
                self.telegram.standing(self.bot.id, chat).await?,
            ))
        };
        let (info, standing) = match seen.await {
            Ok(seen) => seen,
            Err(MessengerError::Migrated { to }) => {
                self.seen.insert(chat, None);
                return Box::pin(self.look_at(to, person)).await;
            }
            Err(MessengerError::NoRights { .. } | MessengerError::Refused { .. }) => {
                person.tell(&format!("  {chat}: out of the bot's reach"));
                self.seen.insert(chat, None);
                return Ok(false);
            }
            Err(error) => return Err(failed(&error)),
        };
        let is_group = matches!(info.kind, ChatKind::Group | ChatKind::Forum);
        let is_there = !matches!(standing, Standing::Absent | Standing::Banned);
        let line = format!("{}; {}", named(&info), standing_words(&standing, info.kind));
        if is_group && is_there {
            person.tell(&format!("  {line}"));
        }
        self.seen.insert(chat, (is_group && is_there).then_some(line));
        Ok(is_group && is_there)
    }

    fn choose(&self, person: &mut dyn Person) -> anyhow::Result<BTreeSet<ChatId>> {
        let offered = self.seen.iter().filter_map(|(chat, line)| Some((*chat, line.clone()?)));
        let (chats, lines): (Vec<ChatId>, Vec<String>) = offered.unzip();
        anyhow::ensure!(
            !chats.is_empty(),
            "the bot is in no group yet: add @{} to one, then run setup again; nothing was changed",
            self.bot.username
        );
        let chosen = person.choose("Which of them are bridged?", &lines)?;
        Ok(chosen.into_iter().filter_map(|at| chats.get(at).copied()).collect())
    }
}

fn failed(error: &MessengerError) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}
