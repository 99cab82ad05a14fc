//! What is to be in the end, beside what is there now.

use super::person::Person;
use crate::{
    install::{Install, Kept, NO_CHATS},
    settings,
};
use bridge::secrets::Secret;
use mapping::ChatId;
use rand::distr::{Alphanumeric, SampleString as _};
use std::collections::BTreeSet;

/// As long as that of the template.
const WEBHOOK_SECRET_LENGTH: usize = 48;

/// What is to be.
pub(super) struct Plan {
    pub(super) secrets: Kept,
    pub(super) chats: BTreeSet<ChatId>,
    pub(super) region: String,
    pub(super) telegram_api_url: String,
    pub(super) intercom_api_url: String,
    was: Was,
}

/// What is there now.
struct Was {
    secrets: Kept,
    chats: BTreeSet<ChatId>,
    region: String,
}

/// A secret that changes, by the name of its variable.
pub(crate) type Change<'a> = (&'static str, &'a [Secret]);

impl Plan {
    /// What is there, and what the environment gives in its place.
    pub(super) fn of(install: &Install) -> anyhow::Result<Self> {
        let config = match install.setting("TELEGRAM_CHATS") {
            Some(_) => install.config()?,
            None => install.config_without_chats()?,
        };
        let known = |chat: &ChatId| chat.to_string() != NO_CHATS;
        let chats: BTreeSet<ChatId> = config.chats.into_iter().filter(known).collect();
        let region = install
            .setting("INTERCOM_REGION")
            .unwrap_or_else(|| "us".into())
            .to_ascii_lowercase();
        Ok(Self {
            secrets: given(&install.secrets),
            chats: chats.clone(),
            region: region.clone(),
            telegram_api_url: config.telegram_api_url,
            intercom_api_url: config.intercom_api_url,
            was: Was {
                secrets: on_record(install),
                chats,
                region,
            },
        })
    }

    /// Telegram's webhook secret is ours to choose.
    pub(super) fn choose_webhook_secret(&mut self, person: &mut dyn Person) {
        if self.secrets.webhook_secrets.is_empty() {
            let secret = Alphanumeric.sample_string(&mut rand::rng(), WEBHOOK_SECRET_LENGTH);
            self.secrets.webhook_secrets.push(Secret::new(secret));
            person.tell("Telegram's webhook secret: a new one is drawn");
        }
    }

    /// The secrets that change.
    pub(super) fn changed_secrets(&self) -> Vec<Change<'_>> {
        let (is, was) = (rows(&self.secrets), rows(&self.was.secrets));
        let changes = is.into_iter().zip(was).filter(|((_, is), (_, was))| is != was);
        changes.map(|(is, _)| is).collect()
    }

    /// The list of chats, if it changes.
    pub(super) fn changed_chats(&self) -> Option<String> {
        (self.chats != self.was.chats).then(|| self.chat_list())
    }

    /// The chats as a setting lists them.
    pub(super) fn chat_list(&self) -> String {
        let ids: Vec<String> = self.chats.iter().map(ToString::to_string).collect();
        ids.join(",")
    }

    /// The region, if it changes.
    pub(super) fn changed_region(&self) -> Option<String> {
        (self.region != self.was.region).then(|| self.region.clone())
    }
}

fn rows(secrets: &Kept) -> [Change<'_>; 4] {
    [
        ("TELEGRAM_BOT_TOKEN", secrets.bot_token.as_slice()),
        ("TELEGRAM_WEBHOOK_SECRET", &secrets.webhook_secrets),
        ("INTERCOM_ACCESS_TOKEN", secrets.access_token.as_slice()),
        ("INTERCOM_CLIENT_SECRET", &secrets.client_secrets),
    ]
}

/// What the environment gives is stronger than what is there.
fn given(there: &Kept) -> Kept {
    let environment = Kept::of_variables(settings::variable);
    let list = |new: Vec<Secret>, old: &[Secret]| if new.is_empty() { old.to_vec() } else { new };
    Kept {
        bot_token: environment.bot_token.or_else(|| there.bot_token.clone()),
        webhook_secrets: list(environment.webhook_secrets, &there.webhook_secrets),
        access_token: environment.access_token.or_else(|| there.access_token.clone()),
        client_secrets: list(environment.client_secrets, &there.client_secrets),
    }
}

/// What is written down: what only the environment of this moment knows is not.
fn on_record(install: &Install) -> Kept {
    match &install.home {
        crate::install::Home::Machine(file) => Kept::of_variables(|name| file.values.get(name).cloned()),
        #[cfg(feature = "aws")]
        crate::install::Home::Stack(_) => install.secrets.clone(),
    }
}
