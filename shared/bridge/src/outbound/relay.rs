//! Which parts of a conversation are carried, in which order, and what happens to those of a conversation without a topic.

use super::{part, redaction};
use crate::{
    context::Context,
    failure::HelpdeskError,
    inbound::customer_of,
    intercom_message::{AuthorKind, Conversation, Part, PartKind},
    stop::{Received, Stop, Verdict},
    topic_state,
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

/// Whoever takes something back has first seen it.
const MAY_BE_TAKEN_BACK_AFTER: Duration = Duration::from_secs(5);

/// What is read by GET is carried only if it is younger: records expire, and an old reply must never be sent again.
pub(super) const YOUNGEST_OF_OLD: Duration = Duration::from_hours(14 * 24);

/// What was said with a bare click was said about when it was made.
const CLICKED_WITHIN: Duration = Duration::from_mins(15);

/// So far Intercom's clock may be ahead. What was said later than a click's notification came has one of its own, further back in the lane.
const CLOCKS_DIFFER: Duration = Duration::from_mins(2);

/// How long a reply waits for its conversation to be linked.
const LINKED_WITHIN: Duration = Duration::from_mins(15);

/// How many parts are looked up in one batch read of 100 keys: each has a record and may have a reservation, and there is the link.
const PARTS_AT_ONCE: usize = 49;

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
    kind_may && author_may && (says_something(part) || is_silent(part)) && !part.redacted
}

fn says_something(part: &Part) -> bool {
    let has_text = !part.body.is_blank() || !part.quick_replies.is_empty();
    has_text || !part.attachments.is_empty() || part.body.has_image()
}

/// A message of which nothing can be read. It was made to say something: a card of an app, perhaps. Everything else that has no words is
/// a click.
fn is_silent(part: &Part) -> bool {
    part.kind == PartKind::Comment && !says_something(part)
}

/// Carries what a notification brings; what it may lack is read from Intercom.
pub(super) async fn relay_notified(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: Conversation,
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let usable: Vec<Part> = conversation
        .parts
        .iter()
        .filter(|part| is_relayable(context, part))
        .cloned()
        .collect();
    if usable.is_empty() {
        let silent = conversation.parts.is_empty() || conversation.parts.iter().any(is_bare_click);
        if silent {
            return read_and_relay(errand, workspace, &conversation.id, Wanted::Everything).await;
        }
        return relay(errand, workspace, &conversation, Vec::new()).await;
    }
    // A plain body lacks what was formatted, and may lack pictures without a word.
    let is_less = |part: &Part| part.body_is_plain || is_silent(part);
    let now = context.ledger.now();
    let files_may_be_gone = |part: &Part| now.since(part.created_at) > FILES_MAY_BE_GONE_AFTER;
    // What is less than the conversation shows was read from the beginning, and goes on so.
    if usable.iter().any(is_less)
        || usable.iter().any(files_may_be_gone) && !has_begun_to_arrive(errand, workspace, &usable).await?
    {
        let wanted = Wanted::These(&usable, &conversation);
        return read_and_relay(errand, workspace, &conversation.id, wanted).await;
    }
    let (taken_back, usable) = taken_back_meanwhile(errand, &conversation.id, usable).await;
    for part in taken_back {
        if let later @ Verdict::Later(_) = redaction::take_back(errand, workspace, &conversation.id, &part.id).await? {
            return Ok(later);
        }
    }
    relay(errand, workspace, &conversation, usable).await
}

/// What of the parts was taken back while it had to wait, and the rest: the word of that waits in the lane behind them.
async fn taken_back_meanwhile(
    errand: &Errand<'_>,
    conversation: &ConversationId,
    parts: Vec<Part>,
) -> (Vec<Part>, Vec<Part>) {
    let context = errand.context;
    if context.ledger.now().since(errand.arrival.since) < MAY_BE_TAKEN_BACK_AFTER {
        return (Vec::new(), parts);
    }
    match context.helpdesk.conversation(conversation).await {
        Ok(read) => parts
            .into_iter()
            .partition(|part| read.parts.iter().any(|one| one.id == part.id && one.redacted)),
        // What was said is here: it waits for Telegram, not for Intercom.
        Err(error) => {
            tracing::warn!(%error, "it cannot be told whether a reply that waited was taken back");
            (Vec::new(), parts)
        }
    }
}

/// What has begun to arrive goes on from where it began: read anew, it could be cut elsewhere.
async fn has_begun_to_arrive(errand: &Errand<'_>, workspace: &WorkspaceId, parts: &[Part]) -> Result<bool, Stop> {
    let wanted: Vec<Key> = parts
        .iter()
        .take(PARTS_AT_ONCE)
        .map(|part| keys::outbound_delivery(workspace, &part.id))
        .collect();
    let reading = errand.context.ledger.read(&wanted).await?;
    for key in &wanted {
        if reading
            .get::<Delivery>(key)?
            .is_some_and(|delivery| !delivery.value.receipts.is_empty())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A bare click by a teammate: the reply that may have been made with it stands in a part of its own, which is not here.
fn is_bare_click(part: &Part) -> bool {
    let by_teammate = matches!(part.author.kind, AuthorKind::Admin | AuthorKind::Bot);
    by_teammate && !says_something(part) && !part.redacted
}

/// What of a conversation is read and carried.
pub(super) enum Wanted<'w> {
    /// Whatever has no record.
    Everything,
    /// These parts, by id.
    Named(&'w [PartId]),
    /// These parts; as the notification brought them, where they cannot be read.
    These(&'w [Part], &'w Conversation),
}

impl Wanted<'_> {
    /// Whether this very part is wanted.
    fn names(&self, part: &PartId) -> bool {
        match self {
            Self::Everything => false,
            Self::Named(parts) => parts.contains(part),
            Self::These(..) => self.has(part),
        }
    }

    fn has(&self, part: &PartId) -> bool {
        match self {
            Self::Everything => true,
            Self::Named(parts) => parts.is_empty() || parts.contains(part),
            Self::These(parts, _) => parts.iter().any(|one| one.id == *part),
        }
    }
}

/// Reads a conversation and carries what is wanted of it.
pub(super) async fn read_and_relay(
    errand: &Errand<'_>,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    wanted: Wanted<'_>,
) -> Result<Verdict, Stop> {
    let context = errand.context;
    let read = match context.helpdesk.conversation(conversation).await {
        Ok(read) => Some(read),
        Err(HelpdeskError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let is_of_its_time = |part: &Part| match wanted {
        Wanted::Everything => {
            let came = errand.arrival.since;
            part.created_at > came - CLICKED_WITHIN && part.created_at <= came + CLOCKS_DIFFER
        }
        Wanted::Named(_) | Wanted::These(..) => part.created_at > context.ledger.now() - YOUNGEST_OF_OLD,
    };
    let found = read.iter().flat_map(|read| &read.parts);
    for part in found.clone().filter(|part| part.redacted && wanted.names(&part.id)) {
        if let later @ Verdict::Later(_) = redaction::take_back(errand, workspace, conversation, &part.id).await? {
            return Ok(later);
        }
    }
    let mut parts: Vec<Part> = found
        .filter(|part| is_relayable(context, part) && is_of_its_time(part) && wanted.has(&part.id))
        .cloned()
        .collect();
    match wanted {
        Wanted::Everything => {}
        Wanted::Named(named) => {
            // What was taken back has ended already.
            let missing = |id: &&PartId| !parts.iter().any(|part| part.id == **id);
            for part in named.iter().filter(missing) {
                part::end_unread(errand, workspace, conversation, part).await?;
            }
        }
        Wanted::These(brought, of) => {
            let unread = |one: &&Part| !read.iter().flat_map(|read| &read.parts).any(|part| part.id == one.id);
            parts.extend(brought.iter().filter(unread).cloned());
            return relay(errand, workspace, read.as_ref().unwrap_or(of), parts).await;
        }
    }
    match read {
        Some(read) => relay(errand, workspace, &read, parts).await,
        None => Ok(Verdict::Done),
    }
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
    topic_state::follow_notified(errand.context, workspace, conversation, errand.arrival.since).await?;
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
    for part in parts.iter().filter(|part| part::may_be_echo(part)) {
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
    part.created_at + CLOCKS_DIFFER < since
}
