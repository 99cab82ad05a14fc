//! A conversation of one of our contacts was opened: perhaps by a call of ours whose answer was lost.

use crate::{
    context::Context,
    inbound::{adopt, customer_of},
    intercom_message::Conversation,
    stop::Stop,
    words,
};
use mapping::{Link, LinkKey, LinkState, OpeningClaim, Reverse, WorkspaceId, keys};

/// How many links of one topic are searched for the one that waits.
const LINKS: usize = 1_000;

/// Links the conversation if a link waits for exactly this one.
pub(super) async fn confirm(
    context: &Context,
    workspace: &WorkspaceId,
    conversation: &Conversation,
) -> Result<(), Stop> {
    let ours = conversation
        .contacts
        .iter()
        .filter_map(|contact| contact.external_id.as_deref());
    if !ours.into_iter().any(|id| customer_of(id).is_some()) {
        return Ok(());
    }
    let Some(text) = conversation.source.as_ref().map(|source| source.body.to_plain()) else {
        return Ok(());
    };
    let Some((chat, topic, marker)) = words::link_at_end(&text) else {
        return Ok(());
    };
    let reverse = keys::reverse(workspace, &conversation.id);
    if context.ledger.find::<Reverse>(&reverse).await?.is_some() {
        return Ok(());
    }
    let bot = context.bot().await?;
    let links = context
        .ledger
        .list::<Link>(&LinkKey::all_of_topic(bot, chat, topic, LINKS))
        .await?;
    for (_, link) in links {
        let LinkState::Opening(opening) = &link.value.state else {
            continue;
        };
        let Some(claim) = OpeningClaim::of(opening.link, &link).filter(|claim| is_this(claim, marker, conversation))
        else {
            continue;
        };
        match adopt(context, &claim, &conversation.id, workspace).await {
            // The call's own answer came first.
            Ok(()) | Err(Stop::Overtaken) => return Ok(()),
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

fn is_this(claim: &OpeningClaim, marker: &str, conversation: &Conversation) -> bool {
    let opening = &claim.opening;
    opening.marker == marker
        && conversation
            .contacts
            .iter()
            .any(|contact| contact.id == opening.contact)
}
