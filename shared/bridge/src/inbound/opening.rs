//! Opening the conversation of a topic, once: claim, create, bind. A create whose answer was lost is recognised by the link at the
//! end of its message and adopted.

use super::{conversation::Written, worker::Passage};
use crate::{
    context::Context,
    envelope::Errand,
    failure::{Failure, HelpdeskError},
    looking::Accounted,
    notices,
    rich_text::{Block, Run},
    stop::Stop,
    tally::Tally,
    telegram_message::CustomerMessage,
    words::{self, FirstNote},
};
use mapping::{
    Claim, Claimed, ContactId, ConversationId, Delivery, DeliveryState, Link, Opening, OpeningClaim, PartId, Proof,
    Receipt, Step, Stored, Timestamp, TopicTitle, Transaction, WorkspaceId, keys,
};
use std::time::Duration;

/// Intercom's search lags behind what was just opened.
const SEARCH_LAGS: Duration = Duration::from_mins(2);

/// A slow Intercom must not cost the worker its life over what only dresses a conversation: so long it may take.
const MAY_TAKE: Duration = Duration::from_secs(45);

/// Nor must it hold up for longer what comes after its message.
const WAITS_FOR: Duration = Duration::from_mins(5);

/// What came of the wish for a conversation.
pub(super) enum Opened {
    /// It opens with this message.
    Now(ConversationId),
    /// Another message opened it.
    Before,
}

/// Opens the conversation with a message, or finds the one that an earlier, lost call opened.
pub(super) async fn open(
    passage: &Passage<'_>,
    claim: &mut Claim,
    written: &Written,
    contact: &ContactId,
    existing: Option<Stored<Link>>,
) -> Result<Opened, Stop> {
    let context = passage.context;
    let now = context.ledger.now();
    let workspace = context.identity().await?.workspace;
    let opening = Opening {
        link: passage.link_key,
        lease_until: now + mapping::LEASE,
        delivery: claim.key().clone(),
        customer: passage.sender()?.id,
        contact: contact.clone(),
        since: now,
        marker: marker(passage),
    };
    let nothing_went_out = !claim.may_have_gone_out;
    let claimed = context
        .ledger
        .claim_opening(passage.link_key, existing.as_ref(), opening.clone(), nothing_went_out)
        .await?;
    let ours = match claimed {
        Claimed::Ours(ours) => ours,
        Claimed::Later(until) => {
            return Err(Stop::Wait {
                reason: "the conversation is being opened",
                until,
            });
        }
        Claimed::TakenOver { claim: former } => match find_lost(context, &former, &workspace).await? {
            Some(conversation) => return adopt_for(passage, claim, &former, conversation, &workspace).await,
            None => context.ledger.reopen(former, opening).await?,
        },
    };
    claim.may_have_gone_out = false;
    create(passage, claim, written, ours, &workspace).await.map(Opened::Now)
}

/// How the opening message ends, unlike any other.
fn marker(passage: &Passage<'_>) -> String {
    let (link, peek) = (passage.link_key, passage.peek);
    match peek.message {
        Some(message) => words::message_link(link.chat, link.topic, message),
        None => words::update_link(link.chat, link.topic, peek.update),
    }
}

async fn create(
    passage: &Passage<'_>,
    claim: &mut Claim,
    written: &Written,
    ours: OpeningClaim,
    workspace: &WorkspaceId,
) -> Result<ConversationId, Stop> {
    let context = passage.context;
    let mut first = written.reply(context);
    let marker = &ours.opening.marker;
    first.body.extend([Block::paragraph(vec![Run::plain(marker)])]);
    let conversation = match context.helpdesk.open_conversation(&ours.opening.contact, &first).await {
        Ok(conversation) => conversation,
        Err(error) if error.failure() == Failure::Unknown => return Err(error.into()),
        Err(error) => {
            // A claim that is not given back is taken over when its lease is over.
            let _ = context.ledger.release_opening(ours).await;
            return Err(error.into());
        }
    };
    claim.prove(
        Step::Create,
        Proof::Conversation(conversation.clone()),
        context.ledger.now(),
    );
    claim.delivery.conversation = Some(conversation.clone());
    let last_message = passage.link_key.customer.and(passage.answerable());
    let transaction = context.ledger.transaction();
    let (transaction, _) = context
        .ledger
        .bind(transaction, &ours, &conversation, workspace, last_message);
    context.ledger.progress_with(claim, transaction).await?;
    Ok(conversation)
}

/// What the call of a former claim opened, if it did.
async fn find_lost(
    context: &Context,
    former: &OpeningClaim,
    workspace: &WorkspaceId,
) -> Result<Option<ConversationId>, Stop> {
    let opening = &former.opening;
    let look_at = opening.since + SEARCH_LAGS;
    if context.ledger.now() < look_at {
        return Err(Stop::Wait {
            reason: "a conversation may have been opened by a lost call",
            until: look_at,
        });
    }
    // Intercom's times are whole seconds and by its own clock.
    let since = opening.since - Duration::from_secs(10);
    let found = context
        .helpdesk
        .find_opened(&opening.contact, &opening.marker, since)
        .await?;
    let Some(conversation) = found else { return Ok(None) };
    let linked = context
        .ledger
        .find::<mapping::Reverse>(&keys::reverse(workspace, &conversation))
        .await?;
    Ok(linked.is_none().then_some(conversation))
}

async fn adopt_for(
    passage: &Passage<'_>,
    claim: &mut Claim,
    former: &OpeningClaim,
    conversation: ConversationId,
    workspace: &WorkspaceId,
) -> Result<Opened, Stop> {
    let context = passage.context;
    if former.opening.delivery != *claim.key() {
        return adopt(context, former, &conversation, workspace)
            .await
            .map(|()| Opened::Before);
    }
    claim.prove(
        Step::Create,
        Proof::Conversation(conversation.clone()),
        context.ledger.now(),
    );
    claim.delivery.conversation = Some(conversation.clone());
    let transaction = context.ledger.transaction();
    let (transaction, _) = context.ledger.bind(
        transaction,
        former,
        &conversation,
        workspace,
        passage.link_key.customer.and(passage.answerable()),
    );
    context.ledger.progress_with(claim, transaction).await?;
    fetch_answers(context, workspace, &conversation).await?;
    Ok(Opened::Now(conversation))
}

/// Links a conversation that a lost call opened, and gives the delivery that opened it its receipt.
pub(crate) async fn adopt(
    context: &Context,
    former: &OpeningClaim,
    conversation: &ConversationId,
    workspace: &WorkspaceId,
) -> Result<(), Stop> {
    let transaction = with_opener(context, former, conversation).await?;
    let (transaction, _) = context.ledger.bind(transaction, former, conversation, workspace, None);
    context.ledger.commit(transaction).await?;
    tracing::info!(conversation.id = %conversation, link.lane = former.link.lane(), "a conversation was adopted");
    fetch_answers(context, workspace, conversation).await
}

/// The receipt of the delivery that opened a conversation without learning of it, as a write of the adoption.
async fn with_opener(
    context: &Context,
    former: &OpeningClaim,
    conversation: &ConversationId,
) -> Result<Transaction, Stop> {
    let now = context.ledger.now();
    let transaction = context.ledger.transaction();
    let key = &former.opening.delivery;
    let Some(opener) = context.ledger.find::<Delivery>(key).await? else {
        return Ok(transaction);
    };
    let mut delivery = opener.value;
    let expires_at = delivery.is_finished().then(|| now + keys::FINISHED_FOR);
    delivery.state = match delivery.state {
        // Its text is there; for its files it can still be put back.
        DeliveryState::Undeliverable { reason, .. } if delivery.files_left > 0 => DeliveryState::Undeliverable {
            reason,
            in_doubt: false,
        },
        DeliveryState::Delivered | DeliveryState::Skipped { .. } | DeliveryState::Undeliverable { .. } => {
            DeliveryState::Delivered
        }
        // Its own worker goes on from here.
        DeliveryState::Claimed { .. } | DeliveryState::Waiting { .. } => DeliveryState::Waiting {
            reason: "adopted".into(),
            not_before: now,
        },
    };
    delivery.conversation = Some(conversation.clone());
    let proof = Proof::Conversation(conversation.clone());
    delivery.receipts.push(Receipt {
        step: Step::Create,
        proof,
        at: now,
    });
    Ok(transaction.replace(key.clone(), &opener.version, &delivery, expires_at))
}

/// Agents may have answered before the conversation was linked.
pub(super) async fn fetch_answers(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
) -> Result<(), Stop> {
    let errand = Errand::Conversation {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
        parts: Vec::new(),
    };
    Ok(context.enqueue(workspace, conversation, errand, "adopted").await?)
}

/// Gives a new conversation its title, its tags, its first note and its assignee. None of that may stop the message, which is there
/// already; but its delivery waits for a while where Intercom wants no calls.
pub(super) async fn dress(
    passage: &Passage<'_>,
    claim: &mut Claim,
    message: &CustomerMessage,
    conversation: &ConversationId,
) -> Result<(), Stop> {
    let now = passage.context.ledger.now();
    let opened = claim
        .delivery
        .receipts
        .iter()
        .find(|receipt| receipt.step == Step::Create);
    let dressing = Dressing {
        passage,
        conversation,
        until: now + MAY_TAKE,
        waits_until: opened.map_or(now, |receipt| receipt.at + WAITS_FOR),
    };
    match dressing.dress(claim, message).await {
        Err(stop @ Stop::Wait { .. }) => Err(stop),
        Err(stop) => {
            tracing::warn!(conversation.id = %conversation, %stop, "a new conversation did not get all it should have");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A new conversation on its way to what it gets besides its message.
struct Dressing<'a> {
    passage: &'a Passage<'a>,
    conversation: &'a ConversationId,
    until: Timestamp,
    waits_until: Timestamp,
}

impl Dressing<'_> {
    async fn dress(&self, claim: &mut Claim, message: &CustomerMessage) -> Result<(), Stop> {
        let Self {
            passage, conversation, ..
        } = *self;
        let context = passage.context;
        let admin = context.own_admin().await.map_err(|error| self.or_later(error.into()))?;
        let topic = topic_title(passage, message).await?;
        let title = topic.as_deref().unwrap_or(&message.chat_title);
        self.give("title", context.helpdesk.set_title(conversation, title))
            .await?;
        let chat_tag = (!passage.chat.id.is_private()).then_some(message.chat_title.as_str());
        for tag in [Some("telegram"), chat_tag]
            .into_iter()
            .flatten()
            .filter(|tag| !tag.trim().is_empty())
        {
            self.give("tag", context.helpdesk.tag(conversation, &admin, tag))
                .await?;
        }
        if claim.delivery.proof(Step::Note).is_none() {
            let note = FirstNote {
                chat: &message.chat_title,
                topic: topic.as_deref(),
                name: &message.author.name,
                username: message.author.username.as_deref(),
                language: message.author.language.as_deref(),
            };
            self.give("note", self.write_note(claim, &note)).await?;
        }
        // Last, so that no further attempt takes it away from whom an agent gave it to.
        if let Some(assignee) = context.config.assignees.of(passage.chat.id) {
            self.give("assignee", context.helpdesk.assign(conversation, &admin, assignee))
                .await?;
        }
        Ok(())
    }

    async fn write_note(&self, claim: &mut Claim, note: &FirstNote<'_>) -> Result<(), Stop> {
        let context = self.passage.context;
        let written = notices::write_note(context, claim, self.conversation, &note.text(), &Accounted::default()).await;
        if matches!(written, Err(Stop::Helpdesk(HelpdeskError::Unknown { .. }))) {
            // Nobody misses it so badly that it is looked for, and twice it must not be there.
            let perhaps = Proof::Part(PartId::new("unknown"));
            claim.prove(Step::Note, perhaps, context.ledger.now());
        }
        written
    }

    /// Makes calls whose failure is merely logged, if there is time for them.
    async fn give<E: Into<Stop>>(&self, what: &str, calls: impl Future<Output = Result<(), E>>) -> Result<(), Stop> {
        let given = if self.passage.context.ledger.now() < self.until {
            calls.await.map_err(|error| self.or_later(error.into()))
        } else {
            Err(Stop::Skip("it takes too long"))
        };
        match given {
            Ok(()) => Ok(()),
            Err(stop @ Stop::Wait { .. }) => Err(stop),
            Err(stop) => {
                tracing::warn!(conversation.id = %self.conversation, what, %stop, "a new conversation lacks something");
                Ok(())
            }
        }
    }

    /// The same stop; but a wait, which counts as no failure of the message, where Intercom will take the call before long.
    fn or_later(&self, stop: Stop) -> Stop {
        let now = self.passage.context.ledger.now();
        let (reason, until) = match &stop {
            Stop::Helpdesk(HelpdeskError::Transient { after: Some(after), .. }) => {
                ("a new conversation lacks something", now + *after)
            }
            Stop::Wait { reason, until } => (*reason, *until),
            _ => return stop,
        };
        if now >= self.waits_until {
            return Stop::Skip("it takes too long");
        }
        let counted = Tally::of(&stop);
        tracing::info!(
            conversation.id = %self.conversation,
            %stop,
            metric.retry = counted.retry,
            metric.throttled = counted.throttled,
            "what a new conversation gets has to wait"
        );
        let until = until.min(self.waits_until);
        Stop::Wait { reason, until }
    }
}

/// What the topic is called: by the message itself, or by what was told of the topic before.
async fn topic_title(passage: &Passage<'_>, message: &CustomerMessage) -> Result<Option<String>, Stop> {
    if passage.link_key.topic.is_none() {
        return Ok(None);
    }
    let key = keys::topic_title(passage.bot, passage.link_key.chat, passage.link_key.topic);
    let told = passage.context.ledger.find::<TopicTitle>(&key).await?;
    Ok(told
        .map(|told| told.value.title)
        .or_else(|| message.topic_title.clone()))
}
