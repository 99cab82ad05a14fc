//! What happens to a topic itself.

use super::worker::Passage;
use crate::{
    failure::Failure,
    stop::{Stop, elsewhere},
};
use mapping::{End, Link, LinkKey, LinkState, TopicId, TopicTitle, keys};

/// How many conversations of one topic follow its title.
const CONVERSATIONS: usize = 100;

/// A topic was created or renamed: its title is kept for the conversation to come, and given to those that are there.
pub(super) async fn renamed(passage: &Passage<'_>, topic: Option<TopicId>, title: &str) -> Result<End, Stop> {
    let context = passage.context;
    let chat = passage.link_key.chat;
    let key = keys::topic_title(passage.bot, chat, topic);
    let told = context.ledger.find::<TopicTitle>(&key).await?;
    let record = TopicTitle {
        title: title.to_owned(),
    };
    let version = told.as_ref().map(|told| &told.version);
    let transaction = context.ledger.transaction().put_after(key, version, &record, None);
    context
        .ledger
        .commit(transaction)
        .await
        .map_err(|error| elsewhere(context, error))?;
    let links = LinkKey::all_of_topic(passage.bot, chat, topic, CONVERSATIONS);
    for (_, link) in context.ledger.list::<Link>(&links).await? {
        let LinkState::Open(open) = link.value.state else {
            continue;
        };
        match context.helpdesk.set_title(&open.conversation, title).await {
            Err(error) if error.failure() != Failure::Permanent => return Err(error.into()),
            Err(error) => tracing::warn!(conversation.id = %open.conversation, %error, "a title was refused"),
            Ok(()) => {}
        }
    }
    Ok(End::Delivered)
}
