//! Search: <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/searchconversations>.

use crate::{api::Call, body, client::IntercomClient, wire};
use bridge::{failure::HelpdeskError, ports::ChangedPage};
use mapping::{ContactId, ConversationId, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// The largest page that Intercom gives.
const PAGE: u32 = 150;

/// How many pages of one contact's conversations are looked through.
const MOST_PAGES: usize = 20;

/// A conversation may carry the time at which its first message was written, which is before the call that made it.
const WRITTEN_BEFORE: Duration = Duration::from_mins(10);

impl IntercomClient {
    pub(crate) async fn search_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError> {
        let query = opened_by(contact, since - WRITTEN_BEFORE);
        let mut found: Vec<wire::Conversation> = Vec::new();
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let page = self.search(&query, None, cursor.as_deref()).await?;
            let of_page = page.conversations.into_iter();
            found.extend(of_page.filter(|one| is_marked(one, marker)));
            cursor = next(page.pages);
            if cursor.is_none() {
                break;
            }
        }
        let newest = found.into_iter().max_by_key(|conversation| conversation.created_at);
        Ok(newest.and_then(|conversation| conversation.id).map(ConversationId::new))
    }

    pub(crate) async fn search_changed(
        &self,
        since: Timestamp,
        cursor: Option<&str>,
    ) -> Result<ChangedPage, HelpdeskError> {
        let sort = json!({"field": "updated_at", "order": "ascending"});
        let page = self.search(&changed(since), Some(sort), cursor).await?;
        let mut conversations: Vec<_> = page
            .conversations
            .into_iter()
            .filter_map(|one| Some((ConversationId::new(one.id?), one.updated_at?)))
            .collect();
        conversations.sort_by_key(|(_, updated_at)| *updated_at);
        Ok(ChangedPage {
            conversations,
            next: next(page.pages),
        })
    }

    pub(crate) async fn search(
        &self,
        query: &Value,
        sort: Option<Value>,
        cursor: Option<&str>,
    ) -> Result<wire::Found, HelpdeskError> {
        let mut pagination = json!({"per_page": PAGE});
        if let Some(cursor) = cursor {
            pagination["starting_after"] = cursor.into();
        }
        let mut body = json!({"query": query, "pagination": pagination});
        if let Some(sort) = sort {
            body["sort"] = sort;
        }
        self.api.ask(&Call::post(&["conversations", "search"], body)).await
    }
}

/// `>` is described as "greater or equal"; a second less does no harm where it is not.
fn at_or_after(field: &str, time: Timestamp) -> Value {
    json!({"field": field, "operator": ">", "value": time.as_seconds() - 1})
}

fn opened_by(contact: &ContactId, since: Timestamp) -> Value {
    let author = json!({"field": "source.author.id", "operator": "=", "value": contact.as_str()});
    json!({"operator": "AND", "value": [author, at_or_after("created_at", since)]})
}

fn changed(since: Timestamp) -> Value {
    at_or_after("updated_at", since)
}

pub(crate) fn next(pages: Option<wire::Pages>) -> Option<String> {
    pages?.next?.starting_after.filter(|cursor| !cursor.is_empty())
}

/// Whether the message that opened a conversation ends with our mark, whatever Intercom has made of its white space and links.
fn is_marked(conversation: &wire::Conversation, marker: &str) -> bool {
    let source = conversation
        .source
        .as_ref()
        .or(conversation.conversation_message.as_ref());
    let html = source.and_then(|source| source.body.as_deref()).unwrap_or_default();
    let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let (marker, said) = (bare(marker), bare(&body::read(html).0.to_plain()));
    // Where a link leads stands behind it in parentheses.
    let label = said.strip_suffix(')').and_then(|said| said.rsplit_once('('));
    let ends = |text: &str| text.ends_with(&marker);
    !marker.is_empty() && (ends(&said) || label.is_some_and(|(label, _)| ends(label)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[test]
    fn a_mark_is_known_again_in_whatever_form_it_comes_back() {
        let marker = "https://t.me/c/1/23";
        let bodies = [
            ("<p>Hi</p><p>https://t.me/c/1/23</p>", true),
            ("<p>Hi<br>https://t.me/c/1/23 </p>", true),
            (
                "<p>Hi</p><p><a href=\"https://t.me/c/1/23\">https://t.me/c/1/23</a></p>",
                true,
            ),
            (
                "<p>Hi <a href=\"https://www.t.me/c/1/23\">https://t.me/c/1/23</a></p>",
                true,
            ),
            ("Hi\n\nhttps://t.me/c/1/23", true),
            ("Hi\n\nhttps://t.me/c/1/23 (https://t.me/c/1/23)", true),
            ("<p>https://t.me/c/1/23 was it</p>", false),
            ("<p>https://t.me/c/1/234</p>", false),
            ("<p>https://t.me/c/12/3</p>", false),
            ("", false),
        ];
        for (body, marked) in bodies {
            let wire = wire::Conversation::deserialize(json!({"id": "1", "source": {"body": body}})).unwrap();
            assert_eq!(is_marked(&wire, marker), marked, "{body}");
            assert!(!is_marked(&wire, " "));
        }
    }
}
