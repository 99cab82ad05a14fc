//! Looking for what a lost call may have done in Intercom. A part is ours only if author and text or files agree, no other delivery
//! holds it as its receipt, and it is newer than all that came before in its lane.

use crate::{
    context::Context,
    files::FileName,
    intercom_message::{AuthorKind, Part, PartKind},
    rich_text::RichText,
    stop::Stop,
};
use mapping::{
    AdminId, BotId, ChatId, Claim, ContactId, ConversationId, Delivery, Key, PartId, Proof, Range, Timestamp, keys,
};
use std::{collections::BTreeSet, time::Duration};

/// What a call may have left behind.
pub(crate) struct Lost<'a> {
    conversation: &'a ConversationId,
    author: &'a str,
    kind: AuthorKind,
    note: bool,
    // Of each form that the text may have gone out in.
    fingerprints: Vec<String>,
    files: Vec<&'a FileName>,
    // How a part ends all of whose files stayed in Telegram.
    link: &'a str,
    not_before: Timestamp,
    // The time that Intercom was told, which it keeps to the second.
    told_time: Option<Timestamp>,
}

/// What the receipts of other deliveries say of a conversation's parts.
#[derive(Debug, Default)]
pub(crate) struct Accounted {
    parts: BTreeSet<PartId>,
    // Messages of one lane arrive in order, so what is looked for is newer than this, which came before.
    newest_of_lane: Option<u64>,
}

/// How far Intercom's clock and ours may be apart; its times are whole seconds.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

impl<'a> Lost<'a> {
    /// A reply in a contact's name with one of these texts, written at that time, which Intercom may have been told.
    pub(crate) fn reply_of_contact(
        conversation: &'a ConversationId,
        contact: &'a ContactId,
        texts: &[RichText],
        written: Timestamp,
    ) -> Self {
        Self {
            conversation,
            told_time: Some(written),
            author: contact.as_str(),
            kind: AuthorKind::Contact,
            note: false,
            fingerprints: texts.iter().map(RichText::fingerprint_text).collect(),
            files: Vec::new(),
            link: "",
            not_before: written - CLOCKS_DIFFER,
        }
    }

    /// A reply in an admin's name.
    pub(crate) fn reply_of_admin(
        conversation: &'a ConversationId,
        admin: &'a AdminId,
        text: &RichText,
        since: Timestamp,
    ) -> Self {
        Self {
            conversation,
            told_time: None,
            author: admin.as_str(),
            kind: AuthorKind::Admin,
            note: false,
            fingerprints: vec![text.fingerprint_text()],
            files: Vec::new(),
            link: "",
            not_before: since - CLOCKS_DIFFER,
        }
    }

    /// The same with files; `link` is where they stay in Telegram.
    pub(crate) fn with_files(self, files: impl IntoIterator<Item = &'a FileName>, link: &'a str) -> Self {
        Self {
            files: files.into_iter().collect(),
            link,
            ..self
        }
    }

    /// A note in an admin's name.
    pub(crate) fn note(
        conversation: &'a ConversationId,
        admin: &'a AdminId,
        text: &RichText,
        since: Timestamp,
    ) -> Self {
        Self {
            note: true,
            ..Self::reply_of_admin(conversation, admin, text, since)
        }
    }

    /// Whether a part is by the right author, of the right kind and not too old.
    fn may_be(&self, part: &Part) -> bool {
        let is_note = matches!(&part.kind, PartKind::Other(kind) if kind.starts_with("note"));
        let kind_fits = part.author.kind == self.kind
            // The workspace's bot is an admin to whoever writes as it.
            || self.kind == AuthorKind::Admin && part.author.kind == AuthorKind::Bot;
        is_note == self.note && kind_fits && part.author.id == self.author && part.created_at >= self.not_before
    }

    fn says_the_same(&self, part: &Part) -> bool {
        let has_files = self.files.is_empty() || !part.attachments.is_empty();
        has_files && self.fingerprints.contains(&part.body.fingerprint_text())
    }

    /// Names of files carry the id of their message, and so does the link to what could not be carried: no other part has them.
    fn has_our_files(&self, part: &Part) -> bool {
        let is_ours = |name: &str| self.files.iter().any(|file| file.is_borne_by(name));
        let says_where = || {
            let text = part.body.to_plain();
            text.split_whitespace().any(|word| word == self.link)
                || !self.link.contains("://") && text.contains(self.link)
        };
        !self.files.is_empty()
            && if part.attachments.is_empty() {
                says_where()
            } else {
                part.attachments.iter().any(|file| is_ours(&file.name))
            }
    }

    /// Intercom may have rewritten the text beyond recognition; the time that it was told is as good a sign, if only one part bears it.
    fn is_of_the_same_second(&self, part: &Part) -> bool {
        let has_files = self.files.is_empty() || !part.attachments.is_empty();
        let has_time = |time: Timestamp| time.as_seconds() == part.created_at.as_seconds();
        has_files && self.told_time.is_some_and(has_time)
    }
}

/// Whether it can be told already what a former worker's call did.
pub(crate) fn is_settled(context: &Context, claim: &Claim) -> Result<(), Stop> {
    if context.ledger.now() < claim.settled_at {
        return Err(Stop::Wait {
            reason: "a call may still be under way",
            until: claim.settled_at,
        });
    }
    Ok(())
}

/// The part that a lost call left behind, if it did: the oldest that fits and that no other delivery accounts for.
pub(crate) async fn find(context: &Context, lost: &Lost<'_>, accounted: &Accounted) -> Result<Option<PartId>, Stop> {
    let conversation = context.helpdesk.conversation(lost.conversation).await?;
    let newer = |part: &Part| {
        let newest = accounted.newest_of_lane.zip(part.id.number());
        newest.is_none_or(|(newest, number)| number > newest)
    };
    let unread = conversation.unread_since(lost.not_before);
    if unread > 0 {
        tracing::warn!(conversation.id = %lost.conversation, metric.unread_parts = unread, "a conversation has more parts than Intercom gives out: what was lost may be among the older ones");
    }
    let mut candidates: Vec<Part> = conversation
        .parts
        .into_iter()
        .filter(|part| lost.may_be(part) && !accounted.parts.contains(&part.id) && newer(part))
        .collect();
    candidates.sort_by_key(|part| (part.created_at, part.id.number()));
    let by_files = || candidates.iter().find(|part| lost.has_our_files(part));
    let by_text = || candidates.iter().find(|part| lost.says_the_same(part));
    if let Some(part) = by_files().or_else(by_text) {
        return Ok(Some(part.id.clone()));
    }
    let mut of_that_second = candidates.iter().filter(|part| lost.is_of_the_same_second(part));
    let only = of_that_second.next().filter(|_| of_that_second.next().is_none());
    Ok(only.map(|part| part.id.clone()))
}

/// How many deliveries on either side of one's own are read for their receipts. A lane has one delivery under way at a time, so what
/// holds a part that might be ours is near; beyond that, the time of the part decides.
const NEIGHBOURS: usize = 200;

/// What the other deliveries of a chat say of the parts of a conversation.
pub(crate) async fn accounted(
    context: &Context,
    bot: BotId,
    chat: ChatId,
    conversation: &ConversationId,
    claim: &Claim,
) -> Result<Accounted, Stop> {
    let mut accounted = Accounted::default();
    for receipt in &claim.delivery.receipts {
        if let Proof::Part(part) = &receipt.proof {
            accounted.parts.insert(part.clone());
        }
    }
    for range in neighbourhood(context, bot, chat, claim.key()).await? {
        for (key, neighbour) in context.ledger.list::<Delivery>(&range).await? {
            if key != *claim.key() && neighbour.value.conversation.as_ref() == Some(conversation) {
                accounted.count(&key, &neighbour.value, claim);
            }
        }
    }
    Ok(accounted)
}

/// Where the deliveries lie that may hold what might be ours: around our own, which may be an old one that was put back; among the
/// newest, where changes of old messages were carried; and under the other ids that the chat had or has.
async fn neighbourhood(context: &Context, bot: BotId, chat: ChatId, own: &Key) -> Result<Vec<Range>, Stop> {
    let ledger = &context.ledger;
    let mut ranges = vec![
        keys::deliveries_up_to(own, NEIGHBOURS),
        keys::deliveries_from(own, NEIGHBOURS),
        keys::recent_deliveries(bot, chat, NEIGHBOURS),
    ];
    let former = ledger.former_ids(bot, chat).await?.into_iter();
    ranges.extend(former.map(|former| keys::recent_deliveries(bot, former, NEIGHBOURS)));
    let current = ledger.current_id(bot, chat).await?;
    if current != chat {
        ranges.push(keys::first_deliveries(bot, current, NEIGHBOURS));
    }
    Ok(ranges)
}

impl Accounted {
    fn count(&mut self, key: &Key, neighbour: &Delivery, own: &Claim) {
        let came_before = (neighbour.since, key) < (own.delivery.since, own.key());
        let is_older = came_before && neighbour.lane == own.delivery.lane;
        for receipt in &neighbour.receipts {
            let Proof::Part(part) = &receipt.proof else { continue };
            if is_older {
                self.newest_of_lane = self.newest_of_lane.max(part.number());
            }
            self.parts.insert(part.clone());
        }
    }
}
