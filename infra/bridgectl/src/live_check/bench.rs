//! What the points are tried with, where, and what was made on the way.

use super::{
    LiveCheck, Rhythm,
    ear::Ear,
    telegram::{Group, paced},
};
use crate::{
    doctor::named,
    install::{Install, Kept},
    setup::Person,
};
use ::intercom::{IntercomClient, Workspace};
use ::telegram::{Standing, TelegramClient};
use anyhow::Context as _;
use bridge::{
    failure::HelpdeskError,
    ports::{EnsuredContact, Helpdesk as _, Messenger as _, NewContact, Reply},
    rich_text::RichText,
    secrets::Secret,
    telegram_message::ChatKind,
};
use mapping::{AdminId, ChatId, ContactId, ConversationId, MessageId, TopicId};

/// What everything is called that is made, so that somebody who finds it knows what it is.
const NAME: &str = "Bridge live-check";

/// How often something is asked for that was made a moment ago and may not be there yet.
const TRIES: u32 = 10;

/// The two vendors, and what was made there.
pub(super) struct Bench<'p> {
    person: &'p mut dyn Person,
    is_for_a_program: bool,
    pub(super) rhythm: Rhythm,
    /// No two checks have the same: it stands in everything that is written.
    pub(super) mark: String,
    pub(super) ear: Option<Ear>,
    pub(super) secrets: Kept,
    pub(super) telegram_api_url: String,
    workspace: Result<(IntercomClient, Workspace), String>,
    group: Result<Group, String>,
    contact: Option<ContactId>,
    conversation: Option<ConversationId>,
    made: Made,
    pub(super) has_workflow: bool,
    pub(super) old_topic: Option<TopicId>,
    pub(super) has_been_told_of_hub: bool,
    pub(super) serial: u32,
}

/// What has to be removed.
#[derive(Default)]
struct Made {
    contacts: Vec<ContactId>,
    conversations: Vec<ConversationId>,
    topics: Vec<TopicId>,
    messages: Vec<MessageId>,
    has_webhook: bool,
}

impl<'p> Bench<'p> {
    /// Finds both places, and asks whether anything may be made there.
    pub(super) async fn set_up(check: &LiveCheck, person: &'p mut dyn Person, rhythm: Rhythm) -> anyhow::Result<Self> {
        let install = Install::find(&check.install).await?;
        let config = install.config_without_chats()?;
        let workspace = workspace(&install, &config.intercom_api_url, check).await?;
        let group = group(&install, &config.telegram_api_url, check.chat.map(ChatId)).await?;
        let ear = match (&check.listen, &check.listen_url) {
            (Some(listen), Some(url)) => Some(Ear::open(*listen, url).await?),
            _ => None,
        };
        let mut bench = Self {
            person,
            is_for_a_program: check.json,
            rhythm,
            mark: format!("{:08x}", rand::random::<u32>()),
            ear,
            secrets: install.secrets.clone(),
            telegram_api_url: config.telegram_api_url,
            workspace,
            group,
            contact: None,
            conversation: None,
            made: Made::default(),
            has_workflow: check.workflow,
            old_topic: check.old_topic.map(TopicId),
            has_been_told_of_hub: false,
            serial: 0,
        };
        bench.agreed()?;
        Ok(bench)
    }

    fn agreed(&mut self) -> anyhow::Result<()> {
        let mut places = Vec::new();
        if let Ok((_, workspace)) = &self.workspace {
            places.push(format!("  the workspace {} ({})", workspace.name, workspace.id));
        }
        if let Ok(group) = &self.group {
            places.push(format!("  the group {}", group.name));
        }
        anyhow::ensure!(!places.is_empty(), "nothing can be tried: {}", self.obstacles());
        self.tell("This makes contacts, conversations, topics and messages, and removes them in the end, in");
        for place in places {
            self.tell(&place);
        }
        let agrees = self
            .person
            .agrees("Both are for trials, and hold nothing of customers'. Go on?")?;
        anyhow::ensure!(agrees, "nothing was made");
        Ok(())
    }

    fn obstacles(&self) -> String {
        let obstacles = [self.workspace.as_ref().err(), self.group.as_ref().err()];
        let obstacles: Vec<&str> = obstacles.into_iter().flatten().map(String::as_str).collect();
        obstacles.join("; ")
    }

    /// Tells a line, beside what a program reads.
    pub(super) fn tell(&mut self, line: &str) {
        if self.is_for_a_program {
            aside(line);
        } else {
            self.person.tell(line);
        }
    }

    /// Whether anybody can do something.
    pub(super) fn somebody_is_there(&self) -> bool {
        self.person.is_there()
    }

    /// Words that nobody has written before.
    pub(super) fn words(&mut self, about: &str) -> String {
        self.serial += 1;
        format!("{about} {}-{}", self.mark, self.serial)
    }

    /// Intercom, and the admin of the token.
    pub(super) fn helpdesk(&self) -> anyhow::Result<(&IntercomClient, AdminId)> {
        let (client, workspace) = self.workspace.as_ref().map_err(|why| anyhow::anyhow!("{why}"))?;
        Ok((client, AdminId::new(&workspace.admin.id)))
    }

    /// Telegram, and the group.
    pub(super) fn group(&self) -> anyhow::Result<&Group> {
        self.group.as_ref().map_err(|why| anyhow::anyhow!("{why}"))
    }

    /// A contact that nobody has seen before.
    pub(super) async fn new_contact(&mut self, who: &str) -> anyhow::Result<ContactId> {
        let words = self.words(who);
        let contact = NewContact {
            external_id: format!("bridge-live-check:{}", words.replace(' ', "-")),
            name: format!("{NAME} {words}"),
        };
        let made = self.helpdesk()?.0.ensure_contact(&contact).await;
        match made.map_err(failed)? {
            EnsuredContact::There(id) => {
                self.made.contacts.push(id.clone());
                Ok(id)
            }
            EnsuredContact::ExternalIdLocked => anyhow::bail!("the external id of a new contact is locked"),
        }
    }

    /// The contact who opens conversations.
    pub(super) async fn contact(&mut self) -> anyhow::Result<ContactId> {
        if let Some(contact) = &self.contact {
            return Ok(contact.clone());
        }
        let contact = self.new_contact("customer").await?;
        self.contact = Some(contact.clone());
        Ok(contact)
    }

    /// Another conversation of the contact; one that is made a moment ago may not be known yet.
    pub(super) async fn new_conversation(&mut self) -> anyhow::Result<ConversationId> {
        let contact = self.contact().await?;
        let opening = self.words(NAME);
        let mut tries = 0;
        let conversation = loop {
            tries += 1;
            match self
                .helpdesk()?
                .0
                .open_conversation(&contact, &said(RichText::plain(&opening)))
                .await
            {
                Ok(conversation) => break conversation,
                Err(HelpdeskError::NotFound { .. }) if tries < TRIES => {
                    tokio::time::sleep(self.rhythm.seconds(1)).await;
                }
                Err(error) => return Err(failed(error)),
            }
        };
        self.made.conversations.push(conversation.clone());
        Ok(conversation)
    }

    /// The conversation in which most is tried.
    pub(super) async fn conversation(&mut self) -> anyhow::Result<ConversationId> {
        if let Some(conversation) = &self.conversation {
            return Ok(conversation.clone());
        }
        let conversation = self.new_conversation().await?;
        self.conversation = Some(conversation.clone());
        Ok(conversation)
    }

    /// Another topic in the group.
    pub(super) async fn new_topic(&mut self) -> anyhow::Result<TopicId> {
        let title = self.words(NAME);
        let make = async |group: &Group| group.client.create_topic(group.chat, &title).await;
        let topic = paced(self, make).await?.map_err(failed)?;
        self.made.topics.push(topic);
        Ok(topic)
    }

    /// A topic that is deleted already.
    pub(super) fn deleted(&mut self, topic: TopicId) {
        self.made.topics.retain(|one| *one != topic);
    }

    /// Remembers a message outside of those topics.
    pub(super) fn wrote(&mut self, message: MessageId) {
        self.made.messages.push(message);
    }

    /// Remembers that Telegram delivers here.
    pub(super) fn registered(&mut self) {
        self.made.has_webhook = true;
    }

    /// Removes everything that was made; what could not be removed.
    pub(super) async fn clean_up(mut self) -> Vec<String> {
        let made = std::mem::take(&mut self.made);
        let mut left = Vec::new();
        if let Ok((intercom, _)) = &self.workspace {
            for id in &made.conversations {
                let done = intercom.delete_conversation(id).await;
                note(&mut left, done, || {
                    format!("conversation {id} (the app needs the permission to delete conversations)")
                });
            }
            for id in &made.contacts {
                note(&mut left, intercom.delete_contact(id).await, || format!("contact {id}"));
            }
        }
        if let Ok(group) = &self.group {
            if made.has_webhook {
                note(&mut left, group.client.delete_webhook().await, || {
                    "Telegram's webhook".into()
                });
            }
            left.extend(group.remove(&made.topics, &made.messages).await);
        }
        left
    }
}

#[expect(clippy::print_stderr, reason = "the standard output is a program's")]
fn aside(line: &str) {
    eprintln!("{line}");
}

fn note<E: std::fmt::Display>(left: &mut Vec<String>, done: Result<(), E>, what: impl FnOnce() -> String) {
    if let Err(error) = done {
        left.push(format!("{}: failed to {error}", what()));
    }
}

/// A reply of these words.
pub(super) fn said(body: RichText) -> Reply {
    Reply {
        body,
        created_at: None,
        files: Vec::new(),
    }
}

/// A client's error, whose words go on after "failed to".
pub(super) fn failed(error: impl std::error::Error) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}

async fn workspace(
    install: &Install,
    api_url: &str,
    check: &LiveCheck,
) -> anyhow::Result<Result<(IntercomClient, Workspace), String>> {
    if install.secrets.access_token.is_none() {
        return Ok(Err("there is no access token".into()));
    }
    let client = install.secrets.intercom(api_url)?;
    let workspace = client.workspace().await.map_err(failed)?;
    let id = workspace.id.as_str();
    if let Some(named) = &check.workspace {
        anyhow::ensure!(
            named == id,
            "--workspace: the access token is that of {id}, not of {named}"
        );
    }
    anyhow::ensure!(
        check.workspace.is_some() || !check.yes,
        "--yes writes into no workspace that is not named: --workspace {id}, if {} is for trials",
        workspace.name
    );
    Ok(Ok((client, workspace)))
}

async fn group(install: &Install, api_url: &str, chat: Option<ChatId>) -> anyhow::Result<Result<Group, String>> {
    let Some(chat) = chat else {
        return Ok(Err("no test group is named: --chat".into()));
    };
    if install.secrets.bot_token.is_none() {
        return Ok(Err("there is no bot token".into()));
    }
    let client: TelegramClient = install.secrets.telegram(api_url)?;
    let bot = client.account().await.map_err(failed)?;
    let info = client.chat(chat).await.map_err(failed).context("--chat")?;
    let standing = client.standing(bot.id, chat).await.map_err(failed).context("--chat")?;
    let may = matches!(standing, Standing::Administrator(rights) if rights.manage_topics && rights.delete_messages);
    anyhow::ensure!(
        info.kind == ChatKind::Forum && may,
        "--chat: in {} @{} has to be an administrator who may manage topics and delete messages, and it has to have topics",
        named(&info),
        bot.username
    );
    Ok(Ok(Group {
        client,
        chat,
        bot: bot.id,
        name: named(&info),
    }))
}

/// A webhook secret that nobody else has.
pub(super) fn new_secret() -> Secret {
    Secret::new(format!("{:032x}", rand::random::<u128>()))
}
