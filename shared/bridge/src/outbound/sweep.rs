//! The sweep: Intercom tries a notification twice, a minute apart, and then it is gone. So every few minutes what changed is
//! searched, and what of it has no record is put into the outbound queue.

use super::{
    mark::Mark,
    relay::{YOUNGEST_OF_OLD, is_before, is_relayable},
};
use crate::{context::Context, envelope::Errand, failure::HelpdeskError, stop::Stop, tally::Tally, topic_state};
use mapping::{ConversationId, Delivery, PartId, Reverse, Timestamp, WorkspaceId, keys};
use std::{sync::Arc, time::Duration};

/// A notification and its one repetition have their chance first.
const NOTIFICATIONS_TAKE: Duration = Duration::from_mins(2);

/// A sweep stops when so little of its time is left, and goes on next time: one call to Intercom takes up to 25 s, and what it brings
/// has to be noted.
const STOP_BEFORE: Duration = Duration::from_secs(30);

/// How many parts are looked up in one batch read.
const PARTS_AT_ONCE: usize = 90;

/// Searches for parts that no notification brought.
pub struct Sweep {
    context: Arc<Context>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Conversations that changed.
    pub looked_at: usize,
    /// Those of them that are linked.
    pub conversations: usize,
    /// Parts without a record.
    pub missed: usize,
    /// Where the watermark is, once there is one.
    pub watermark: Option<Timestamp>,
    /// Whether it came to the end, or stopped for lack of time.
    pub complete: bool,
}

/// Which sweep.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// From when on, in place of the watermark, which stays where it is.
    pub since: Option<Timestamp>,
    /// When it has to be over.
    pub deadline: Timestamp,
    /// Puts nothing into the queue and leaves the watermark.
    pub dry_run: bool,
}

/// Who is told how far a sweep has come, page by page.
pub type Tell<'t> = dyn FnMut(&Swept) + Send + 't;

impl Sweep {
    /// A sweep on this ground.
    pub fn new(context: Arc<Context>) -> Self {
        Self { context }
    }

    /// Sweeps from the watermark on until the end or until `deadline`.
    pub async fn run(&self, deadline: Timestamp) -> Result<Swept, SweepError> {
        let order = Order {
            since: None,
            deadline,
            dry_run: false,
        };
        self.run_telling(order, &mut |_| ()).await
    }

    /// Sweeps as it is ordered, and tells how far it has come.
    pub async fn run_telling(&self, order: Order, tell: &mut Tell<'_>) -> Result<Swept, SweepError> {
        self.sweep(order, tell).await.map_err(|stop| {
            let counted = Tally::of(&stop);
            tracing::warn!(
                %stop,
                metric.retry = counted.retry,
                metric.throttled = counted.throttled,
                metric.token_refused = counted.token_refused,
                "a sweep stopped on its way"
            );
            SweepError(stop.to_string())
        })
    }

    async fn sweep(&self, order: Order, tell: &mut Tell<'_>) -> Result<Swept, Stop> {
        let context = self.context.as_ref();
        let workspace = context.identity().await?.workspace;
        let mut mark = Mark::find(context, &workspace, order.since, order.dry_run).await?;
        let mut swept = Swept::default();
        let looked = self.look_through(&workspace, order, &mut mark, &mut swept, tell).await;
        // Whatever ended it, what was looked at is not looked at again.
        let kept = if swept.complete {
            mark.end().await
        } else {
            mark.keep().await
        };
        swept.watermark = mark.at();
        looked.and(kept).map(|()| swept)
    }

    async fn look_through(
        &self,
        workspace: &WorkspaceId,
        order: Order,
        mark: &mut Mark<'_>,
        swept: &mut Swept,
        tell: &mut Tell<'_>,
    ) -> Result<(), Stop> {
        let context = self.context.as_ref();
        let is_over = || context.ledger.now() + STOP_BEFORE > order.deadline;
        let mut cursor = None;
        while !is_over() {
            let page = context.helpdesk.changed_since(mark.from, cursor.as_deref()).await?;
            for (conversation, changed) in &page.conversations {
                if is_over() {
                    return Ok(());
                }
                let missed = self.look_at(workspace, conversation, mark.since, order.dry_run).await?;
                swept.looked_at += 1;
                swept.conversations += usize::from(missed.is_some());
                swept.missed += missed.unwrap_or(0);
                mark.pass(*changed).await?;
            }
            swept.watermark = mark.at();
            tell(swept);
            cursor = page.next;
            if cursor.is_none() {
                swept.complete = true;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Puts what of a linked conversation has no record into the queue; tells how much that is, if the conversation is linked.
    async fn look_at(
        &self,
        workspace: &WorkspaceId,
        conversation: &ConversationId,
        since: Timestamp,
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
        let unread = read.unread_since(since.max(now - YOUNGEST_OF_OLD).max(reverse.value.since));
        if unread > 0 {
            tracing::error!(conversation.id = %conversation, metric.unread_parts = unread, "a conversation has more parts than Intercom gives out: a reply among the older ones may be lost");
        }
        let candidates: Vec<PartId> = read
            .parts
            .iter()
            .filter(|part| is_relayable(context, part))
            .filter(|part| part.created_at >= since && part.created_at > now - YOUNGEST_OF_OLD)
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
        let is_old = read.updated_at.is_none_or(|at| now.since(at) > NOTIFICATIONS_TAKE);
        if is_old && topic_state::mind(context, workspace, &read, dry_run).await? {
            tracing::warn!(conversation.id = %conversation, "its topic is not closed or open as the conversation is");
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
}

async fn enqueue(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &ConversationId,
    parts: Vec<PartId>,
) -> Result<(), Stop> {
    let newest = parts.last().map(ToString::to_string).unwrap_or_default();
    let cause = format!("sweep:{newest}:{}", parts.len());
    let errand = Errand::Conversation {
        workspace: workspace.clone(),
        conversation: conversation.clone(),
        parts,
    };
    Ok(context.enqueue(workspace, conversation, errand, &cause).await?)
}

/// Why a sweep ended before its time; the next one begins where it stopped.
#[derive(Debug, thiserror::Error)]
#[error("sweep Intercom: {0}")]
pub struct SweepError(String);
