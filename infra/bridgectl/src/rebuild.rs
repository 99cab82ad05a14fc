//! `bridgectl reconcile --map`: links that the table has lost, rebuilt from what is in Intercom. The message that opened a conversation
//! ends with where it was written.

use crate::{place::Place, serve::Clients, settings::Settings};
use bridge::{
    Context,
    inbound::{customer_of, link_of_opening},
    intercom_message::Conversation,
    words,
};
use mapping::{
    BotId, ChatId, Contact, ContactId, ConversationId, CustomerId, Link, LinkKey, Open, TopicId, TopicKey, WorkspaceId,
    keys,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What was found and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rebuilt {
    looked_at: usize,
    ours: usize,
    topics: usize,
    linked: usize,
    earlier: usize,
    contacts: usize,
}

impl Rebuilt {
    /// How many links there are now that were not there before.
    pub(crate) fn linked(self) -> usize {
        self.linked
    }

    /// What is told of it.
    pub(crate) fn told(self, dry_run: bool) -> String {
        let Self {
            looked_at,
            ours,
            topics,
            linked,
            earlier,
            contacts,
        } = self;
        let be = if dry_run { "would be" } else { "were" };
        format!(
            "{looked_at} conversations looked at, {ours} of them opened from {topics} topics; {linked} topics {be} linked anew, {earlier} \
             earlier conversations {be} given their topic, {contacts} contacts {be} put down"
        )
    }
}

/// How often it is told how many topics are done.
const TELL_EVERY: usize = 500;

/// The conversations of one topic, the oldest first.
type Opened = Vec<(ConversationId, BTreeSet<ContactId>)>;

/// A rebuild on its way.
pub(crate) struct Rebuild<'p> {
    context: Arc<Context>,
    clients: &'p Clients,
    bot: BotId,
    workspace: WorkspaceId,
    dry_run: bool,
    people: BTreeMap<ContactId, CustomerId>,
    moved: BTreeMap<(ChatId, Option<TopicId>), (ChatId, Option<TopicId>)>,
    topics: BTreeMap<LinkKey, Opened>,
    rebuilt: Rebuilt,
}

impl<'p> Rebuild<'p> {
    /// A rebuild of this place's map.
    pub(crate) async fn of(
        place: &Place,
        settings: &Settings,
        clients: &'p Clients,
        dry_run: bool,
    ) -> anyhow::Result<Self> {
        let context = place.context(settings, clients);
        Ok(Self {
            bot: settings.secrets.current().await?.bot(),
            workspace: context.identity().await?.workspace,
            context,
            clients,
            dry_run,
            people: BTreeMap::new(),
            moved: BTreeMap::new(),
            topics: BTreeMap::new(),
            rebuilt: Rebuilt::default(),
        })
    }

    /// The workspace whose map it is.
    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    /// Finds the conversations of every topic, then links what has no link.
    pub(crate) async fn run(&mut self, mut tell: impl FnMut(String) + Send) -> anyhow::Result<Rebuilt> {
        let mut cursor = None;
        loop {
            let page = self.clients.intercom.opened(cursor.as_deref()).await?;
            for conversation in page.conversations {
                self.look_at(conversation).await?;
            }
            tell(format!(
                "{} conversations looked at, {} of them opened from {} topics",
                self.rebuilt.looked_at,
                self.rebuilt.ours,
                self.topics.len()
            ));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        self.rebuilt.topics = self.topics.len();
        for (at, (link, opened)) in std::mem::take(&mut self.topics).into_iter().enumerate() {
            self.link(link, opened).await?;
            if (at + 1).is_multiple_of(TELL_EVERY) {
                tell(format!("{} topics done", at + 1));
            }
        }
        self.put_people().await?;
        Ok(self.rebuilt)
    }

    async fn look_at(&mut self, conversation: Conversation) -> anyhow::Result<()> {
        self.rebuilt.looked_at += 1;
        let Some((place, customer)) = self.place_of(&conversation) else {
            return Ok(());
        };
        self.rebuilt.ours += 1;
        let (chat, topic) = self.now_at(place).await?;
        let link = link_of_opening(&self.context.config, self.bot, chat, topic, customer);
        let participants = conversation.contacts.into_iter().map(|contact| contact.id).collect();
        self.topics
            .entry(link)
            .or_default()
            .push((conversation.id, participants));
        Ok(())
    }

    /// Where a conversation was opened and by whom, if one of our contacts opened it.
    fn place_of(&mut self, conversation: &Conversation) -> Option<((ChatId, Option<TopicId>), CustomerId)> {
        let source = conversation.source.as_ref()?;
        let ours = conversation.contacts.iter().filter_map(|contact| {
            let customer = customer_of(contact.external_id.as_deref()?)?;
            Some((contact.id.clone(), customer))
        });
        let ours: BTreeMap<ContactId, CustomerId> = ours.collect();
        let customer = *ours.get(&ContactId::new(&source.author.id))?;
        let text = source.body.to_plain();
        let text = text.trim_end();
        // Where a link leads may stand behind it in parentheses.
        let label = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
        let (chat, topic, _) = words::link_at_end(text).or_else(|| words::link_at_end(label?.0))?;
        self.people.extend(ours);
        Some(((chat, topic), customer))
    }

    /// Where a chat and its topic are now.
    async fn now_at(&mut self, place: (ChatId, Option<TopicId>)) -> anyhow::Result<(ChatId, Option<TopicId>)> {
        if let Some(now_at) = self.moved.get(&place) {
            return Ok(*now_at);
        }
        let ledger = &self.context.ledger;
        let chat = ledger.current_id(self.bot, place.0).await?;
        let bot = self.bot;
        let topic = match place.1 {
            Some(topic) => Some(ledger.current_topic(TopicKey { bot, chat, topic }).await?),
            None => None,
        };
        self.moved.insert(place, (chat, topic));
        Ok((chat, topic))
    }

    /// Links a topic to the newest of its conversations, and lets late answers in the earlier ones reach it. A topic that has a
    /// link keeps it.
    async fn link(&mut self, link: LinkKey, opened: Opened) -> anyhow::Result<()> {
        let ledger = &self.context.ledger;
        if ledger.find::<Link>(&link.key()).await?.is_some() {
            return Ok(());
        }
        let newest = opened.len();
        // What was said before may have been carried; nobody knows any more.
        let since = ledger.now();
        for (generation, (conversation, participants)) in (1_u32..).zip(opened) {
            let open = Open {
                conversation,
                workspace: self.workspace.clone(),
                since,
                participants,
            };
            let is_newest = usize::try_from(generation)? == newest;
            let is_new = match (self.dry_run, is_newest) {
                (true, _) => true,
                (false, true) => ledger.link_anew(link, &open, generation).await?,
                (false, false) => ledger.link_earlier(link, &open, generation).await?,
            };
            let count = if is_newest {
                &mut self.rebuilt.linked
            } else {
                &mut self.rebuilt.earlier
            };
            *count += usize::from(is_new);
            if is_new && !self.dry_run {
                for customer in open.participants.iter().filter_map(|contact| self.people.get(contact)) {
                    ledger
                        .note_customer(*customer, &open.workspace, &open.conversation)
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Puts down who is who, where it is not known.
    async fn put_people(&mut self) -> anyhow::Result<()> {
        for (contact, customer) in std::mem::take(&mut self.people) {
            let key = keys::contact(customer);
            let ledger = &self.context.ledger;
            if ledger.find::<Contact>(&key).await?.is_some() {
                continue;
            }
            let Some(known) = self.clients.intercom.known_contact(&contact).await? else {
                continue;
            };
            let record = Contact {
                contact,
                workspace: self.workspace.clone(),
                name: self.context.fingerprint(&known.name).await?,
            };
            let is_new = self.dry_run
                || match ledger.commit(ledger.transaction().create(key, &record, None)).await {
                    Ok(_) => true,
                    Err(mapping::WriteError::Conflict) => false,
                    Err(error) => return Err(error.into()),
                };
            self.rebuilt.contacts += usize::from(is_new);
        }
        Ok(())
    }
}
