//! What of the table is about one person. Pure: it is shown every item twice, first to learn what is theirs, then to find what hangs on that.

use bridge::ports::UpdateReader as _;
use mapping::{
    ChatId, ContactId, ConversationId, CustomerId, Delivery, Item, Key, Link, LinkKey, LinkState, Record, Reverse,
    SentMessage, Stored, TopicKey, TopicState, TopicTitle, Version, WorkspaceId, decode, keys,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use telegram::TelegramUpdates;

/// Whose traces.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// In Telegram.
    pub(crate) customer: CustomerId,
    /// In Intercom, if the bridge knows.
    pub(crate) contact: Option<ContactId>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// Links that are the person's alone.
    pub(crate) links: BTreeMap<Key, (LinkKey, Version)>,
    /// Reverse items of their conversations.
    pub(crate) reverses: BTreeMap<Key, Version>,
    /// Links that they are in with others.
    pub(crate) shared: Vec<(LinkKey, Stored<Link>)>,
    /// Links that are being opened in their name.
    pub(crate) opening: Vec<LinkKey>,
    /// Everything else that goes: deliveries, indexes, notices, echoes, titles, pace.
    pub(crate) others: BTreeMap<Key, Version>,
    conversations: BTreeSet<(WorkspaceId, ConversationId)>,
    lanes: BTreeSet<String>,
    // Notices are about deliveries that may be seen later.
    notices: Vec<(String, Key, Version)>,
}

impl Traces {
    /// Learns what is theirs.
    pub(crate) fn learn(&mut self, person: &Person, item: &Item) -> anyhow::Result<()> {
        match kind(item) {
            Link::KIND => self.learn_link(person, item),
            Reverse::KIND => self.learn_reverse(person, item),
            _ => Ok(()),
        }
    }

    fn learn_link(&mut self, person: &Person, item: &Item) -> anyhow::Result<()> {
        let Some(link) = LinkKey::at(&item.key) else {
            return Ok(());
        };
        let read = decode::<Link>(item)?;
        let is_theirs_by_place = is_of(person, link);
        match &read.value.state {
            LinkState::Opening(opening) => {
                if is_theirs_by_place || Some(&opening.contact) == person.contact.as_ref() {
                    self.opening.push(link);
                }
            }
            LinkState::Open(open) => {
                let takes_part = person
                    .contact
                    .as_ref()
                    .is_some_and(|contact| open.participants.contains(contact));
                if is_theirs_by_place || takes_part && open.participants.len() == 1 {
                    self.conversations
                        .insert((open.workspace.clone(), open.conversation.clone()));
                    self.lanes.insert(link.lane());
                    self.links.insert(item.key.clone(), (link, item.version.clone()));
                } else if takes_part {
                    self.shared.push((link, read));
                }
            }
        }
        Ok(())
    }

    /// Conversations of theirs that others have followed.
    fn learn_reverse(&mut self, person: &Person, item: &Item) -> anyhow::Result<()> {
        let reverse = decode::<Reverse>(item)?.value;
        if is_of(person, reverse.link)
            && let Some(conversation) = conversation_at(&item.key)
        {
            self.conversations.insert(conversation);
            self.lanes.insert(reverse.link.lane());
        }
        Ok(())
    }

    /// Whether a conversation is theirs alone.
    pub(crate) fn has(&self, conversation: &(WorkspaceId, ConversationId)) -> bool {
        self.conversations.contains(conversation)
    }

    /// Whether a lane carries nothing but theirs.
    pub(crate) fn is_theirs(&self, lane: &str) -> bool {
        self.lanes.contains(lane)
    }

    /// Finds what hangs on what is theirs. `letters` are the deliveries of messages of theirs that lay in a queue.
    pub(crate) fn find(&mut self, person: &Person, letters: &BTreeSet<Key>, item: Item) -> anyhow::Result<()> {
        let goes = match kind(&item) {
            Reverse::KIND => {
                if conversation_at(&item.key).is_some_and(|conversation| self.has(&conversation)) {
                    self.reverses.insert(item.key, item.version);
                }
                return Ok(());
            }
            Delivery::KIND => {
                if let Some(about) = about(&item.key) {
                    self.notices.push((about, item.key, item.version));
                    return Ok(());
                }
                letters.contains(&item.key) || self.is_delivery_of(person, &item)?
            }
            SentMessage::KIND => {
                let sent = decode::<SentMessage>(&item)?.value;
                is_of(person, sent.link) || self.has(&(sent.workspace, sent.conversation))
            }
            TopicTitle::KIND | TopicState::KIND => self.links.values().any(|(link, _)| is_of_topic(&item.key, *link)),
            _ => self.is_named_by_key(person, &item.key) || is_album_of(person, &item),
        };
        if goes {
            self.others.insert(item.key, item.version);
        }
        Ok(())
    }

    fn is_delivery_of(&self, person: &Person, item: &Item) -> anyhow::Result<bool> {
        let delivery = decode::<Delivery>(item)?.value;
        let named = |conversation: &ConversationId| self.conversations.iter().any(|(_, own)| own == conversation);
        let in_private = chat_of(&item.key) == Some(ChatId(person.customer.0));
        Ok(in_private
            || is_lane_of(person, &delivery.lane)
            || self.is_theirs(&delivery.lane)
            || delivery.conversation.as_ref().is_some_and(named))
    }

    /// Echoes of their conversations, the pace of a private chat, notices of their lanes, what is open in those.
    fn is_named_by_key(&self, person: &Person, key: &Key) -> bool {
        let pk = &key.pk;
        let behind = |word: &str| pk.strip_prefix(word);
        if let Some(rest) = behind("echo#") {
            return self
                .conversations
                .iter()
                .any(|(workspace, conversation)| rest.starts_with(&format!("{workspace}#{conversation}#")));
        }
        if let Some(rest) = behind("notice#") {
            let of_lane = |lane: &str| rest.strip_prefix(lane).is_some_and(|rest| rest.starts_with('#'));
            let of_agents = |(workspace, conversation): &(WorkspaceId, ConversationId)| {
                of_lane(&format!("notice:{workspace}:{conversation}"))
            };
            return self.lanes.iter().any(|lane| of_lane(lane)) || self.conversations.iter().any(of_agents);
        }
        if let Some((_bot, lane)) = behind("lane#").and_then(|rest| rest.split_once('#')) {
            return self.is_theirs(lane) || is_lane_of(person, lane);
        }
        if behind("customer#") == Some(person.customer.to_string().as_str()) {
            return key.sk.starts_with("link#");
        }
        behind("pace#").and_then(|rest| rest.rsplit('#').next()) == Some(person.customer.to_string().as_str())
    }

    /// What is about deliveries that go, when all are known.
    pub(crate) fn finish(&mut self) {
        for (about, key, version) in std::mem::take(&mut self.notices) {
            let is_about = |delivery: &Key| delivery.to_string() == about;
            if self.others.keys().any(is_about) {
                self.others.insert(key, version);
            }
        }
    }
}

fn kind(item: &Item) -> &str {
    item.body.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// A conversation of one person alone: where each has one, and in private.
fn is_of(person: &Person, link: LinkKey) -> bool {
    link.customer == Some(person.customer) || link.chat == ChatId(person.customer.0)
}

/// `chat:topic:customer`.
fn is_lane_of(person: &Person, lane: &str) -> bool {
    let parts: Vec<&str> = lane.split(':').collect();
    matches!(parts.as_slice(), [_, _, customer] if *customer == person.customer.to_string())
}

/// An album keeps the updates that brought its items until it is on the other side.
fn is_album_of(person: &Person, item: &Item) -> bool {
    let items = item
        .key
        .pk
        .starts_with("album#")
        .then(|| item.body.get("items"))
        .flatten();
    let updates = items.and_then(Value::as_array).into_iter().flatten();
    updates
        .filter_map(|one| serde_json::from_str(one.get("update")?.as_str()?).ok())
        .filter_map(|update| TelegramUpdates.peek_value(&update).ok()?.sender)
        .any(|sender| sender.id == person.customer)
}

/// The chat of a delivery from Telegram.
fn chat_of(key: &Key) -> Option<ChatId> {
    let (_bot, chat) = key.pk.strip_prefix("tg#")?.split_once('#')?;
    chat.parse().ok().map(ChatId)
}

fn conversation_at(key: &Key) -> Option<(WorkspaceId, ConversationId)> {
    let (workspace, conversation) = key.pk.strip_prefix("conversation#")?.split_once('#')?;
    Some((WorkspaceId::new(workspace), ConversationId::new(conversation)))
}

/// The delivery that the delivery of a notice is about: its key is `notice#<delivery>#<which of its lives>`.
fn about(key: &Key) -> Option<String> {
    let (delivery, _) = key.pk.strip_prefix("notice#")?.rsplit_once('#')?;
    Some(delivery.to_owned())
}

/// Whether it is what is known of the topic of a link that everybody there shares.
fn is_of_topic(key: &Key, link: LinkKey) -> bool {
    let LinkKey { bot, chat, topic, .. } = link;
    let state = TopicKey::of(link).map(keys::topic_state);
    topic.is_some()
        && link.customer.is_none()
        && (*key == keys::topic_title(bot, chat, topic) || Some(key) == state.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MARIA: i64 = 501;
    const KEN: i64 = 502;

    fn item(pk: &str, sk: &str, body: &Value) -> Item {
        Item {
            key: Key::new(pk, sk),
            version: Version::stored("v"),
            expires_at: None,
            body: body.clone(),
        }
    }

    fn link(sk: &str, conversation: &str, participants: &[&str]) -> Item {
        let body = json!({"kind": "link", "form": 1, "generation": 1, "state": "open", "conversation": conversation,
            "workspace": "w", "since": 0, "participants": participants});
        item("chat#7#-5", sk, &body)
    }

    fn delivery(pk: &str, sk: &str, lane: &str, conversation: &str) -> Item {
        let body = json!({"kind": "delivery", "form": 1, "state": "delivered", "lane": lane, "since": 0, "tried_since": 0,
            "attempt": 0, "begun": 0, "generation": 0, "conversation": conversation});
        item(pk, sk, &body)
    }

    fn album(id: &str, sender: i64) -> Item {
        let update = json!({"update_id": 1, "message": {"message_id": 2, "date": 3, "chat": {"id": -5, "type": "supergroup"},
            "from": {"id": sender, "is_bot": false, "first_name": "A"}, "caption": "x"}});
        let items = json!([{"message": 2, "update": update.to_string()}]);
        item(
            &format!("album#7#-5#{id}"),
            "album",
            &json!({"kind": "album", "form": 1, "items": items}),
        )
    }

    /// The keys of what goes, of a table that holds all of these.
    fn goes(table: Vec<Item>) -> Vec<String> {
        let person = Person {
            customer: CustomerId(MARIA),
            contact: Some(ContactId::new("maria")),
        };
        let mut traces = Traces::default();
        for item in &table {
            traces.learn(&person, item).unwrap();
        }
        for item in table {
            traces.find(&person, &BTreeSet::new(), item).unwrap();
        }
        traces.finish();
        let links = traces.links.into_keys();
        let all = links
            .chain(traces.reverses.into_keys())
            .chain(traces.others.into_keys());
        all.map(|key| key.to_string()).collect()
    }

    #[test]
    fn what_hangs_on_a_conversation_of_theirs_goes_and_what_hangs_on_others_stays() {
        let word = |pk: &str, kind: &str| item(pk, kind, &json!({"kind": kind, "form": 1}));
        let table = vec![
            link("topic#1", "c1", &["maria"]),
            link("topic#2", "c2", &["ken", "maria"]),
            link("topic#0#501", "c3", &["maria"]),
            link("topic#0#502", "c4", &["ken"]),
            item(
                "chat#7#-5",
                "title#1",
                &json!({"kind": "topic_title", "form": 1, "title": "Maria"}),
            ),
            item(
                "chat#7#-5",
                "title#2",
                &json!({"kind": "topic_title", "form": 1, "title": "All"}),
            ),
            item(
                "chat#7#-5",
                "state#1",
                &json!({"kind": "topic_state", "form": 1, "closed": true}),
            ),
            item(
                "chat#7#-5",
                "state#2",
                &json!({"kind": "topic_state", "form": 1, "closed": true}),
            ),
            delivery("notice#tg#7#-5/1#1", "late", "-5:1", "c2"),
            delivery("notice#tg#7#-5/2#1", "late", "-5:2", "c2"),
            delivery("part#w#91", "delivery", "w:c1", "c1"),
            delivery("part#w#92", "delivery", "w:c2", "c2"),
            delivery("tg#7#-5", "1", "-5:1", "c1"),
            delivery("tg#7#-5", "2", "-5:2", "c2"),
            delivery("tg#7#-5", "3", "-5:0:501", "gone"),
            delivery("tg#7#-5", "4", "-5:0:502", "c4"),
            delivery("tg#7#501", "5", "501:0", "private"),
            word("echo#w#c1#hash", "echo"),
            word("echo#w#c11#hash", "echo"),
            word("notice#-5:1#late", "notice"),
            word("notice#-5:12#late", "notice"),
            word("notice#notice:w:c3#late", "notice"),
            word("pace#7#501", "pace"),
            word("customer#501", "link#w#c2"),
            word("customer#501", "contact"),
            word("customer#502", "link#w#c2"),
            word("pace#7#-5", "pace"),
            word("lane#7#-5:0:501", "open_album"),
            word("lane#7#-5:2", "open_album"),
            album("a", MARIA),
            album("b", KEN),
        ];
        let expected = [
            "chat#7#-5/topic#0#501",
            "chat#7#-5/topic#1",
            "album#7#-5#a/album",
            "chat#7#-5/state#1",
            "chat#7#-5/title#1",
            "customer#501/link#w#c2",
            "echo#w#c1#hash/echo",
            "lane#7#-5:0:501/open_album",
            "notice#-5:1#late/notice",
            "notice#notice:w:c3#late/notice",
            "notice#tg#7#-5/1#1/late",
            "pace#7#501/pace",
            "part#w#91/delivery",
            "tg#7#-5/1",
            "tg#7#-5/3",
            "tg#7#501/5",
        ];
        assert_eq!(goes(table), expected);
    }
}
