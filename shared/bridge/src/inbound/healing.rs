//! What became of a conversation in which a call failed: it may be young, gone, or merged into another, which takes its place then.

use super::{opening, worker::Passage};
use crate::{
    context::Context,
    failure::HelpdeskError,
    intercom_message::Conversation,
    stop::{Stop, elsewhere},
};
use mapping::{ConversationId, Link, LinkKey, Open, Reverse, Stored, WorkspaceId, keys};
use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

/// So long after its creation, what Intercom cannot find may merely not be found yet.
const APPEARS_WITHIN: Duration = Duration::from_mins(2);

/// How many conversations are read to find the one that is left of several merges.
const MERGES: usize = 5;

/// An open link, as it was read.
pub(super) struct Linked<'l> {
    pub(super) key: LinkKey,
    pub(super) link: &'l Stored<Link>,
    pub(super) open: &'l Open,
}

/// What became of a conversation.
pub(super) enum Fate {
    /// It is there: the failure has another reason.
    There,
    /// It is gone, or was merged into one that is not this topic's to go on in.
    Gone,
    /// It was merged into another, which the topic is linked to now.
    Followed,
}

/// Finds out what became of a conversation in which something was not found or was refused.
pub(super) async fn fate(passage: &Passage<'_>, linked: &Linked<'_>, error: &HelpdeskError) -> Result<Fate, Stop> {
    let is_missing = matches!(error, HelpdeskError::NotFound { .. });
    if let HelpdeskError::NotFound { reason } = error
        && let Some(stop) = not_found(passage, linked.open, reason).await
    {
        return Err(stop);
    }
    match passage.context.helpdesk.conversation(&linked.open.conversation).await {
        Ok(merged) if !merged.merged_into.is_empty() => follow(passage.context, linked, &merged).await,
        Ok(_) => Ok(Fate::There),
        Err(HelpdeskError::NotFound { .. }) if is_missing => Ok(Fate::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Why what Intercom does not find may be there all the same: it is young, or the token belongs elsewhere.
async fn not_found(passage: &Passage<'_>, open: &Open, reason: &str) -> Option<Stop> {
    let context = passage.context;
    if context.ledger.now().since(open.since) < APPEARS_WITHIN {
        return Some(Stop::Helpdesk(HelpdeskError::Transient {
            after: None,
            reason: reason.to_owned(),
        }));
    }
    // A wrong token must not open everything anew elsewhere.
    match context.helpdesk.identity().await {
        Ok(identity) if identity.workspace == open.workspace => None,
        Ok(identity) => Some(wrong_workspace(&open.workspace, &identity.workspace)),
        Err(error) => Some(error.into()),
    }
}

/// Our token belongs to another workspace than what is linked: an operator has to act.
pub(super) fn wrong_workspace(linked: &WorkspaceId, of_token: &WorkspaceId) -> Stop {
    tracing::error!(
        workspace.linked = %linked,
        workspace.token = %of_token,
        metric.wrong_workspace = 1,
        "the access token belongs to another workspace than the conversations"
    );
    Stop::Helpdesk(HelpdeskError::Unauthorized {
        reason: "another workspace".into(),
    })
}

/// Links a topic to the conversation that its own was merged into.
async fn follow(context: &Context, linked: &Linked<'_>, merged: &Conversation) -> Result<Fate, Stop> {
    let Some(primary) = primary(context, linked.open, merged).await? else {
        return Ok(Fate::Gone);
    };
    let workspace = &linked.open.workspace;
    let now = context.ledger.now();
    let open = Open {
        conversation: primary.id.clone(),
        workspace: workspace.clone(),
        // What agents said there since the merge was meant for this topic, too.
        since: merged.updated_at.map_or(now, |at| at.min(now)),
        participants: primary.contacts.into_iter().map(|contact| contact.id).collect(),
    };
    let relinked = context.ledger.relink(linked.key, linked.link, open).await;
    relinked.map_err(|error| elsewhere(context, error))?;
    tracing::info!(
        conversation.id = %primary.id,
        conversation.former = %merged.id,
        link.lane = linked.key.lane(),
        "a topic follows a conversation that was merged"
    );
    opening::fetch_answers(context, workspace, &primary.id).await?;
    Ok(Fate::Followed)
}

/// The conversation that is left after all merges, if the topic can go on in it: somebody of the topic takes part in it, and it is no
/// other topic's.
async fn primary(context: &Context, open: &Open, merged: &Conversation) -> Result<Option<Conversation>, Stop> {
    let mut next: VecDeque<ConversationId> = merged.merged_into.iter().cloned().collect();
    let mut seen = BTreeSet::from([merged.id.clone()]);
    while let Some(candidate) = next.pop_front()
        && seen.len() <= MERGES
    {
        if !seen.insert(candidate.clone()) {
            continue;
        }
        let read = match context.helpdesk.conversation(&candidate).await {
            Ok(read) => read,
            Err(HelpdeskError::NotFound { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let is_shared = read.contacts.iter().any(|one| open.participants.contains(&one.id));
        if read.merged_into.is_empty() && is_shared && is_free(context, open, &candidate).await? {
            return Ok(Some(read));
        }
        next.extend(read.merged_into);
    }
    Ok(None)
}

async fn is_free(context: &Context, open: &Open, conversation: &ConversationId) -> Result<bool, Stop> {
    let key = keys::reverse(&open.workspace, conversation);
    Ok(context.ledger.find::<Reverse>(&key).await?.is_none())
}
