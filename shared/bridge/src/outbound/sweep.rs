//! The sweep: Intercom tries a notification twice, a minute apart, and then it is gone. So every few minutes what changed is
//! searched, and what of it has no record is put into the outbound queue.

use super::relay::{YOUNGEST_OF_OLD, is_before, is_relayable};
use crate::{
    context::Context,
    envelope::{Errand, OutboundEnvelope, to_ascii_json},
    failure::HelpdeskError,
    ports::{QueueError, QueueMessage},
    stop::{Stop, dedupe},
};
use mapping::{ConversationId, Delivery, PartId, Reverse, Stored, Timestamp, Watermark, WorkspaceId, WriteError, keys};
use std::{sync::Arc, time::Duration};

/// The watermark is looked behind by this much: search lags, and conversations change while it is read.
const LOOK_BACK: Duration = Duration::from_mins(15);

/// A notification and its one repetition have their chance first.
const NOTIFICATIONS_TAKE: Duration = Duration::from_mins(2);

/// A sweep stops when so little of its time is left, and goes on next time.
const STOP_BEFORE: Duration = Duration::from_secs(20);

/// The watermark is not written for every conversation.
const MARK_EVERY: Duration = Duration::from_mins(1);

/// How many parts are looked up in one batch read.
const PARTS_AT_ONCE: usize = 90;

/// Searches for parts that no notification brought.
pub struct Sweep {
    context: Arc<Context>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Conversations that changed and that are linked.
    pub conversations: usize,
    /// Parts without a record.
    pub missed: usize,
    /// Whether it came to the end, or stopped for lack of time.
    pub complete: bool,
}

impl Sweep {
    /// A sweep on this ground.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Sweeps from the watermark on, or from `since`, until the end or until `deadline`. A `dry_run` puts nothing into the queue and
    /// leaves the watermark.
    pub async fn run(&self, since: Option<Timestamp>, deadline: Timestamp, dry_run: bool) -> Result<Swept, SweepError> {
        self.sweep(since, deadline, dry_run)
            .await
            .map_err(|stop| SweepError(stop.to_string()))
    }

    async fn sweep(&self, since: Option<Timestamp>, deadline: Timestamp, dry_run: bool) -> Result<Swept, Stop> {
        let context = self.context.as_ref();
        let workspace = context.identity().await?.workspace;
        let mut mark = context.ledger.find::<Watermark>(&keys::watermark(&workspace)).await?;
        let begin = since.unwrap_or_else(|| mark.as_ref().map_or(context.ledger.now(), |mark| mark.value.at));
        let from = begin - LOOK_BACK;
        let marks = !dry_run && since.is_none();
        if marks && mark.is_none() {
            mark = self.move_watermark(&workspace, mark, begin).await?;
        }
        let mut swept = Swept::default();
        let mut cursor = None;
        loop {
            let page = context.helpdesk.changed_since(from, cursor.as_deref()).await?;
            for (conversation, changed) in &page.conversations {
                if context.ledger.now() + STOP_BEFORE > deadline {
                    return Ok(swept);
                }
                let missed = self.look_at(&workspace, conversation, from, dry_run).await?;
                swept.conversations += usize::from(missed.is_some());
                swept.missed += missed.unwrap_or(0);
                if marks
                    && mark
                        .as_ref()
                        .is_none_or(|mark| changed.since(mark.value.at) >= MARK_EVERY)
                {
                    mark = self.move_watermark(&workspace, mark, *changed).await?;
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                swept.complete = true;
                return Ok(swept);
            }
        }
    }

    /// Puts what of a linked conversation has no record into the queue; tells how much that is, if the conversation is linked.
    async fn look_at(
        &self,
        workspace: &WorkspaceId,
        conversation: &ConversationId,
        from: Timestamp,
        dry_run: bool,
    ) -> Result<Option<usize>, Stop> {
        let context = self.context.as_ref();
        let reverse = context
            .ledger
            .find::<Reverse>(&keys::reverse(workspace, conversation))
            .await?;
        let Some(reverse) = reverse else { return Ok(None) };
        let read = match context.helpdesk.conversation(conversation).await {
            Ok(read) => read,
            Err(HelpdeskError::NotFound { .. }) => return Ok(None),
            Err(error @ HelpdeskError::Refused { .. }) => {
                // One conversation that cannot be read must not end every sweep at the same place.
                tracing::error!(conversation.id = %conversation, %error, "a conversation cannot be swept");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let now = context.ledger.now();
        let candidates: Vec<PartId> = read
            .parts
            .iter()
            .filter(|part| is_relayable(context, part))
            .filter(|part| part.created_at >= from && part.created_at > now - YOUNGEST_OF_OLD)
            .filter(|part| !is_before(part, reverse.value.since) && now.since(part.created_at) > NOTIFICATIONS_TAKE)
            .map(|part| part.id.clone())
            .collect();
        let missed = self.without_record(workspace, candidates).await?;
        if !missed.is_empty() {
            tracing::warn!(conversation.id = %conversation, metric.missed_parts = missed.len(), "no notification brought what was said");
            if !dry_run {
                enqueue(context, workspace, conversation, missed.clone()).await?;
            }
        }
        Ok(Some(missed.len()))
    }

    async fn without_record(&self, workspace: &WorkspaceId, parts: Vec<PartId>) -> Result<Vec<PartId>, Stop> {
        let mut missed = Vec::new();
        for parts in parts.chunks(PARTS_AT_ONCE) {
            let wanted: Vec<_> = parts
                .iter()
                .map(|part| keys::outbound_delivery(workspace, part))
                .collect();
            let reading = self.context.ledger.read(&wanted).await?;
            for (part, key) in parts.iter().zip(&wanted) {
                if reading.get::<Delivery>(key)?.is_none() {
                    missed.push(part.clone());
                }
            }
        }
        Ok(missed)
    }

    async fn move_watermark(
        &self,
        workspace: &WorkspaceId,
        read: Option<Stored<Watermark>>,
        at: Timestamp,
    ) -> Result<Option<Stored<Watermark>>, Stop> {
        if read.as_ref().is_some_and(|read| at <= read.value.at) {
            return Ok(read);
        }
        let ledger = &self.context.ledger;
        let key = keys::watermark(workspace);
        let record = Watermark { at };
        let version = read.as_ref().map(|read| &read.version);
        match ledger
            .commit(ledger.transaction().put_after(key.clone(), version, &record, None))
            .await
        {
            Ok(version) => Ok(Some(Stored { version, value: record })),
            // Another sweep is at work, and as far.
            Err(WriteError::Conflict) => Ok(ledger.find(&key).await?),
            Err(error) => Err(error.into()),
        }
    }
}

async fn enqueue(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    parts: Vec<PartId>,
) -> Result<(), Stop> {
    let received_at = context.ledger.now();
    let newest = parts.last().map(ToString::to_string).unwrap_or_default();
    let dedupe = dedupe(&format!("sweep:{workspace}:{conversation}:{newest}:{}", parts.len()));
    let errand = Errand::Conversation {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
        parts,
    };
    let body =
        to_ascii_json(&OutboundEnvelope { received_at, errand }).map_err(|_| QueueError::Refused("not JSON".into()))?;
    let lane = format!("{workspace}:{conversation}");
    Ok(context
        .queues
        .outbound
        .send(QueueMessage {
            lane,
            dedupe,
            body,
            gave_up: None,
        })
        .await?)
}

/// Why a sweep ended before its time; the next one begins where it stopped.
#[derive(Debug, thiserror::Error)]
#[error("sweep Intercom: {0}")]
pub struct SweepError(String);
