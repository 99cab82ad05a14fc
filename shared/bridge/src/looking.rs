//! Looking for what a lost call may have done in Intercom. A part is ours only if author and text agree, no other delivery of
//! the lane holds it as its receipt, and it is newer than everything the lane has a receipt of.

use crate::{
    context::Context,
    delivering::Stop,
    intercom_message::{AuthorKind, Part, PartKind},
    rich_text::RichText,
};
use mapping::{AdminId, BotId, ChatId, ContactId, ConversationId, Delivery, Key, PartId, Proof, Timestamp, keys};
use std::{collections::BTreeSet, time::Duration};

/// What a call may have left behind.
pub(crate) struct Lost<'a> {
    conversation: &'a ConversationId,
    author: &'a str,
    kind: AuthorKind,
    note: bool,
    fingerprint: String,
    not_before: Timestamp,
}

/// How far Intercom's clock and ours may be apart; its times are whole seconds.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

impl<'a> Lost<'a> {
    /// A reply in a contact's name, written at or after `since`.
    pub(crate) fn reply_of_contact(
        conversation: &'a ConversationId,
        contact: &'a ContactId,
        text: &RichText,
        since: Timestamp,
    ) -> Self {
        Self {
            conversation,
            author: contact.as_str(),
            kind: AuthorKind::Contact,
            note: false,
            fingerprint: text.fingerprint_text(),
            not_before: since - CLOCKS_DIFFER,
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
            author: admin.as_str(),
            kind: AuthorKind::Admin,
            note: false,
            fingerprint: text.fingerprint_text(),
            not_before: since - CLOCKS_DIFFER,
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

    fn fits(&self, part: &Part) -> bool {
        let is_note = matches!(&part.kind, PartKind::Other(kind) if kind.starts_with("note"));
        let kind_fits = part.author.kind == self.kind
            // The workspace's bot is an admin to whoever writes as it.
            || self.kind == AuthorKind::Admin && part.author.kind == AuthorKind::Bot;
        is_note == self.note
            && kind_fits
            && part.author.id == self.author
            && part.created_at >= self.not_before
            && part.body.fingerprint_text() == self.fingerprint
    }
}

/// The part that a lost call left behind, if it did: the oldest that fits and that none of `receipts` accounts for.
pub(crate) async fn find(context: &Context, lost: &Lost<'_>, receipts: &[PartId]) -> Result<Option<PartId>, Stop> {
    let newest = receipts.iter().filter_map(PartId::number).max();
    let accounted: BTreeSet<&PartId> = receipts.iter().collect();
    let conversation = context.helpdesk.conversation(lost.conversation).await?;
    let newer = |part: &Part| {
        newest
            .zip(part.id.number())
            .is_none_or(|(newest, number)| number > newest)
    };
    let mut fitting: Vec<Part> = conversation
        .parts
        .into_iter()
        .filter(|part| lost.fits(part) && !accounted.contains(&part.id) && newer(part))
        .collect();
    fitting.sort_by_key(|part| (part.created_at, part.id.number()));
    Ok(fitting.into_iter().next().map(|part| part.id))
}

/// How many deliveries of a chat are read for their receipts. A lane has one delivery under way at a time, so its neighbours
/// are among the newest of its chat; beyond that, the time of the part decides.
const NEIGHBOURS: usize = 200;

/// The receipts of all other deliveries of a chat that went to this conversation.
pub(crate) async fn receipts_of_neighbours(
    context: &Context,
    bot: BotId,
    chat: ChatId,
    conversation: &ConversationId,
    own: &Key,
) -> Result<Vec<PartId>, Stop> {
    let range = keys::recent_deliveries(bot, chat, NEIGHBOURS);
    let neighbours = context.ledger.list::<Delivery>(&range).await?;
    let of_conversation = neighbours
        .into_iter()
        .filter(|(key, delivery)| key != own && delivery.value.conversation.as_ref() == Some(conversation));
    Ok(of_conversation
        .flat_map(|(_, delivery)| delivery.value.receipts)
        .filter_map(|receipt| match receipt.proof {
            Proof::Part(part) => Some(part),
            Proof::Conversation(_) | Proof::Message(_) => None,
        })
        .collect())
}
