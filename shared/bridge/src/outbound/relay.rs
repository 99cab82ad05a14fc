//! Which parts of a conversation are carried, in which order, and what happens to those of a conversation without a topic.

use super::part;
use crate::{
    context::Context,
    delivering::{Received, Stop, Verdict},
    failure::HelpdeskError,
    inbound::customer_of,
    intercom_message::{AuthorKind, Conversation, Part, PartKind},
};
use mapping::{Arrival, ConversationId, Delivery, Key, PartId, Reverse, Stored, Timestamp, WorkspaceId, keys};
use std::time::Duration;

/// One errand of the outbound queue.
pub(super) struct Errand<'e> {
    pub(super) context: &'e Context,
    pub(super) received: &'e Received,
    pub(super) arrival: &'e Arrival,
}

/// Addresses of files are signed for half an hour; a part that waited so long is read again.
const FILES_MAY_BE_GONE_AFTER: Duration = Duration::from_mins(10);

/// What is read by GET is carried only if it is younger: records expire, and an old reply must never be sent again.
pub(super) const YOUNGEST_OF_OLD: Duration = Duration::from_hours(14 * 24);

/// How long a reply waits for its conversation to be linked.
const LINKED_WITHIN: Duration = Duration::from_mins(15);

/// How many parts are looked up in one batch read.
const PARTS_AT_ONCE: usize = 90;

/// Whether a part can reach a customer at all. It says what may, not what may not: the next kind of note that Intercom invents
/// must stay inside.
pub(super) fn is_relayable(context: &Context, part: &Part) -> bool {
    let kind_may = match part.kind {
        PartKind::Comment | PartKind::QuickReply | PartKind::Assignment | PartKind::Open | PartKind::Close => true,
        PartKind::Other(_) => false,
    };
    let author_may = match part.author.kind {
        AuthorKind::Admin => true,
        AuthorKind::Bot => context.config.bot_replies,
        AuthorKind::Contact | AuthorKind::Other => false,
    };
    kind_may && author_may && says_something(part) && !part.redacted
}

fn says_something(part: &Part) -> bool {
    !part.body.is_blank() || !part.attachments.is_empty() || part.body.has_image()
}

/// Carries what a notification brings; what it may lack is read from Intercom.
pub(super) async fn relay_notified(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: Conversation,
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let now = context.ledger.now();
    let usable: Vec<&Part> = conversation
        .parts
        .iter()
        .filter(|part| is_relayable(context, part))
        .collect();
    let bare = usable.is_empty() && (conversation.parts.is_empty() || conversation.parts.iter().any(is_bare_click));
    let lacks = usable.iter().any(|part| {
        let images_may_be_missing = part.body_is_plain && part.body.to_plain().contains("[Image");
        images_may_be_missing || now.since(part.created_at) > FILES_MAY_BE_GONE_AFTER
    });
    if bare || lacks {
        let named: Vec<PartId> = usable.iter().map(|part| part.id.clone()).collect();
        return read_and_relay(errand, workspace, &conversation.id, &named).await;
    }
    let parts = usable.into_iter().cloned().collect();
    relay(errand, workspace, &conversation, parts).await
}

/// A bare click by a teammate: the reply that may have been made with it stands in a part of its own, which is not here.
fn is_bare_click(part: &Part) -> bool {
    let by_teammate = matches!(part.author.kind, AuthorKind::Admin | AuthorKind::Bot);
    by_teammate && !says_something(part) && !part.redacted && !matches!(part.kind, PartKind::Other(_))
}

/// Reads a conversation and carries what of it has no record; only `named`, if any are.
pub(super) async fn read_and_relay(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    named: &[PartId],
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let read = match context.helpdesk.conversation(conversation).await {
        Ok(read) => read,
        Err(HelpdeskError::NotFound { .. }) => return Ok(Verdict::Done),
        Err(error) => return Err(error.into()),
    };
    let oldest = context.ledger.now() - YOUNGEST_OF_OLD;
    let parts = read
        .parts
        .iter()
        .filter(|part| is_relayable(context, part) && part.created_at > oldest)
        .filter(|part| named.is_empty() || named.contains(&part.id))
        .cloned()
        .collect();
    relay(errand, workspace, &read, parts).await
}

async fn relay(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &Conversation,
    mut parts: Vec<Part>,
) -> Result<Verdict, Stop> {
    parts.sort_by(|a, b| (a.created_at, a.id.number(), &a.id).cmp(&(b.created_at, b.id.number(), &b.id)));
    for parts in parts.chunks(PARTS_AT_ONCE) {
        match relay_some(errand, workspace, conversation, parts).await? {
            Verdict::Done => {}
            later @ Verdict::Later(_) => return Ok(later),
        }
    }
    Ok(Verdict::Done)
}

async fn relay_some(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &Conversation,
    parts: &[Part],
) -> Result<Verdict, Stop> {
    let ledger = &errand.context.ledger;
    let reverse_key = keys::reverse(workspace, &conversation.id);
    let mut wanted = vec![reverse_key.clone()];
    wanted.extend(parts.iter().map(|part| keys::outbound_delivery(workspace, &part.id)));
    for part in parts.iter().filter(|part| part.author.admin().is_some()) {
        wanted.push(part::echo_of(errand.context, workspace, &conversation.id, part).await?);
    }
    let reading = ledger.read(&wanted).await?;
    let reverse = reading.get::<Reverse>(&reverse_key)?;
    for part in parts {
        let key = keys::outbound_delivery(workspace, &part.id);
        let existing: Option<Stored<Delivery>> = reading.get(&key)?;
        if existing.as_ref().is_some_and(|delivery| {
            delivery.value.is_finished() && errand.arrival.gave_up != Some(delivery.value.generation)
        }) {
            continue;
        }
        let verdict = match &reverse {
            Some(reverse) => {
                let passage = part::Passage {
                    errand,
                    workspace,
                    conversation,
                    part,
                    reverse: &reverse.value,
                };
                part::carry(&passage, key, existing, &reading).await?
            }
            None => unlinked(errand, workspace, conversation, key, existing).await?,
        };
        if let Verdict::Later(_) = verdict {
            return Ok(verdict);
        }
    }
    Ok(Verdict::Done)
}

/// A reply in a conversation that no topic belongs to. If it is one of our contacts', the link may be on its way.
async fn unlinked(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &Conversation,
    key: Key,
    existing: Option<Stored<Delivery>>,
) -> Result<Verdict, Stop> {
    let ours = conversation
        .contacts
        .iter()
        .filter_map(|contact| contact.external_id.as_deref());
    if !ours.into_iter().any(|id| customer_of(id).is_some()) {
        return Ok(Verdict::Done);
    }
    let too_late = errand.arrival.since + LINKED_WITHIN;
    part::wait_for_link(errand, workspace, &conversation.id, key, existing, too_late).await
}

/// Whether a part is older than its conversation's link, and so none of its messages.
pub(super) fn is_before(part: &Part, since: Timestamp) -> bool {
    // Intercom's times are whole seconds and by its own clock.
    part.created_at + Duration::from_secs(5) < since
}
