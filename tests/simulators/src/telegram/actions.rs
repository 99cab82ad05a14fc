//! What people do: write, edit, react, and look after topics.

use serde_json::{Map, Value, json};

use super::{
    compose::{Compose, Media, Voice},
    entities,
    files::NewFile,
    people::{CHANNEL_BOT, GROUP_ANONYMOUS_BOT, Member, Status, TELEGRAM, UserId},
    post::{Draft, NewTopic, fields},
    sim::{Shared, TelegramSim},
    world::{Place, World},
};

const ICON_COLOR: i64 = 7_322_096;

impl Shared {
    /// Changes the world now, and wakes whoever delivers.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World, i64) -> T) -> T {
        let now_ms = self.clock.now_ms();
        let changed = change(&mut self.world(), now_ms);
        self.wake.notify_waiters();
        changed
    }
}

impl TelegramSim {
    /// A person writes text; the message's id. Who was no member yet joins unseen.
    ///
    /// # Panics
    /// If that person cannot write there.
    pub fn say(&self, user: UserId, place: Place, text: &str) -> i64 {
        self.say_with(user, place, Compose::text(text))
    }

    /// A person writes anything; the message's id, for an album that of its first.
    ///
    /// # Panics
    /// If that person cannot write there.
    pub fn say_with(&self, user: UserId, place: Place, compose: Compose) -> i64 {
        self.try_say(user, place, compose)
            .expect("a person writes only where they can")
    }

    /// Like [`TelegramSim::say_with`], with the reason if that person cannot write there.
    pub fn try_say(&self, user: UserId, place: Place, compose: Compose) -> Result<i64, String> {
        self.shared.change(|world, now_ms| {
            world.may_say(user, place, &compose.voice)?;
            Ok(world.write(user, place, compose, now_ms))
        })
    }

    /// The author changes a message's text or caption.
    ///
    /// # Panics
    /// If there is no such message, or a bot wrote it.
    pub fn edit(&self, chat: i64, message: i64, text: &str) {
        self.shared.change(|world, now_ms| {
            let written = world
                .chat_mut(chat)
                .messages
                .get_mut(&message)
                .expect("a message to edit");
            let has_caption = written.fields.contains_key("caption") || !written.fields.contains_key("text");
            let names = if has_caption {
                ("caption", "caption_entities")
            } else {
                ("text", "entities")
            };
            let same = written.fields.get(names.0).and_then(Value::as_str) == Some(text);
            written.fields.remove(names.1);
            written.fields.extend(text_fields(text, &[], names));
            written.edited_s = Some(now_ms / 1000);
            if !same {
                world.announce(chat, message, "edited_message", now_ms);
            }
        });
    }

    /// Replaces fields of a message, as a live location does, and tells the bots.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn edit_fields(&self, chat: i64, message: i64, changed: Map<String, Value>) {
        self.shared.change(|world, now_ms| {
            let written = world
                .chat_mut(chat)
                .messages
                .get_mut(&message)
                .expect("a message to edit");
            written.fields.extend(changed);
            written.edited_s = Some(now_ms / 1000);
            world.announce(chat, message, "edited_message", now_ms);
        });
    }

    /// Somebody takes a message away. No bot is told.
    pub fn delete_message(&self, chat: i64, message: i64) {
        self.shared.change(|world, _| {
            if let Some(message) = world.chat_mut(chat).messages.get_mut(&message) {
                message.deleted = true;
            }
        });
    }

    /// A person's reaction to a message; an empty emoji takes it back.
    ///
    /// # Panics
    /// If there is no such message.
    pub fn react(&self, user: UserId, chat: i64, message: i64, emoji: &str) {
        self.shared
            .change(|world, now_ms| world.react(user, chat, message, emoji, now_ms));
    }

    /// A person opens a topic; its id.
    pub fn create_topic(&self, user: UserId, chat: i64, name: &str) -> i64 {
        let topic = NewTopic {
            name: name.to_owned(),
            icon_color: ICON_COLOR,
            icon: None,
        };
        self.shared
            .change(|world, now_ms| world.open_topic(chat, user.0, topic, now_ms))
    }

    /// A person closes a topic, or General if none is named.
    pub fn close_topic(&self, user: UserId, place: Place) {
        self.set_topic_closed(user, place, true);
    }

    /// A person reopens a topic, or General if none is named.
    pub fn reopen_topic(&self, user: UserId, place: Place) {
        self.set_topic_closed(user, place, false);
    }

    fn set_topic_closed(&self, user: UserId, place: Place, closed: bool) {
        let event = if closed {
            "forum_topic_closed"
        } else {
            "forum_topic_reopened"
        };
        self.shared.change(|world, now_ms| {
            let chat = world.chat_mut(place.chat);
            match place.topic.and_then(|topic| chat.topics.get_mut(&topic)) {
                Some(topic) => topic.closed = closed,
                None => chat.general_closed = closed,
            }
            world.topic_event(place.chat, user.0, place.topic, (event, json!({})), now_ms);
        });
    }

    /// A person gives a topic another title.
    pub fn rename_topic(&self, user: UserId, chat: i64, topic: i64, name: &str) {
        self.shared.change(|world, now_ms| {
            if let Some(topic) = world.chat_mut(chat).topics.get_mut(&topic) {
                name.clone_into(&mut topic.name);
            }
            world.topic_event(
                chat,
                user.0,
                Some(topic),
                ("forum_topic_edited", json!({ "name": name })),
                now_ms,
            );
        });
    }

    /// Somebody deletes a topic with all that is in it. No bot is told.
    pub fn delete_topic(&self, chat: i64, topic: i64) {
        self.shared
            .change(|world, now_ms| world.remove_topic(chat, topic, now_ms));
    }

    /// A person makes a service message of any kind: `pinned_message`, `new_chat_title`…
    pub fn service_message(&self, user: UserId, place: Place, field: &str, value: Value) -> i64 {
        let draft = Draft::service(user.0, place.topic, field, value);
        self.shared
            .change(|world, now_ms| world.post(place.chat, draft, now_ms))
    }

    /// Keeps a file that no message shows yet; gives the fields of a message that shows it, to build what an album cannot hold.
    pub fn keep_file(&self, media: Media) -> Map<String, Value> {
        self.shared.change(|world, _| world.keep_media(media))
    }

    /// Makes a file unavailable, as happens to old ones.
    pub fn lose_file(&self, file_id: &str) {
        if let Some(file) = self.shared.world().files.get_mut(file_id) {
            file.lost = true;
        }
    }
}

fn text_fields(text: &str, given: &[Value], names: (&str, &str)) -> Map<String, Value> {
    let entities = if given.is_empty() {
        entities::found(text)
    } else {
        given.to_vec()
    };
    let mut content = fields([(names.0, text.into())]);
    if !entities.is_empty() {
        content.insert(names.1.to_owned(), entities.into());
    }
    content
}

impl World {
    fn may_say(&mut self, user: UserId, place: Place, voice: &Voice) -> Result<(), String> {
        let chat = self.chat_mut(place.chat);
        if chat.migrated_to.is_some() {
            return Err("the group is a supergroup now".to_owned());
        }
        if *voice == Voice::Own {
            let member = chat.members.entry(user.0).or_insert_with(|| Member::of(Status::Member));
            if !member.status.is_present() || member.status == Status::Restricted {
                return Err("not a member that may write".to_owned());
            }
        }
        let gone = place
            .topic
            .filter(|topic| chat.topics.get(topic).is_none_or(|topic| topic.deleted_ms.is_some()));
        if gone.is_some() {
            return Err("there is no such topic".to_owned());
        }
        let author = if *voice == Voice::Own { user.0 } else { TELEGRAM };
        if self.may_write_in(place.chat, author, place.topic) {
            Ok(())
        } else {
            Err("the topic is closed".to_owned())
        }
    }

    fn write(&mut self, user: UserId, place: Place, compose: Compose, now_ms: i64) -> i64 {
        let mut common = Draft {
            topic: place.topic,
            reply_to: compose.reply_to,
            ..Draft::default()
        };
        let (from, sender) = self.sender(user, place.chat, &compose.voice, now_ms);
        common.from = from;
        common.fields = sender;
        self.place_reply(place, &compose, &mut common);
        common.fields.extend(compose.fields);
        if compose.media.len() > 1 {
            let group = format!("1{:016}", self.next());
            common.fields.insert("media_group_id".into(), group.into());
        }
        if compose.media.is_empty() {
            if !compose.text.is_empty() {
                common
                    .fields
                    .extend(text_fields(&compose.text, &compose.entities, ("text", "entities")));
            }
            return self.post(place.chat, common, now_ms);
        }
        let mut first = None;
        let mut caption = Some(compose.text).filter(|text| !text.is_empty());
        for media in compose.media {
            let mut draft = common.clone();
            draft.fields.extend(self.keep_media(media));
            if let Some(text) = caption.take() {
                draft
                    .fields
                    .extend(text_fields(&text, &compose.entities, ("caption", "caption_entities")));
            }
            let id = self.post(place.chat, draft, now_ms);
            first.get_or_insert(id);
        }
        first.unwrap_or_default()
    }

    fn keep_media(&mut self, media: Media) -> Map<String, Value> {
        let Media {
            kind,
            name,
            mime,
            bytes,
            size,
            fields: more,
        } = media;
        let id = self.store(NewFile {
            kind,
            name,
            mime,
            bytes,
            size,
        });
        let mut content = self.media_fields(&id);
        if let Some(Value::Object(shown)) = content.get_mut(kind.field()) {
            shown.extend(more);
        }
        content
    }

    /// An answer inside the place is a reply; one to another topic shows what it answers.
    fn place_reply(&self, place: Place, compose: &Compose, draft: &mut Draft) {
        let Some(target) = compose.reply_to.and_then(|id| self.chat(place.chat).messages.get(&id)) else {
            return;
        };
        if let Some(quote) = &compose.quote {
            let text = ["text", "caption"]
                .iter()
                .find_map(|name| target.fields.get(*name)?.as_str())
                .unwrap_or_default();
            let before = text.split_once(quote.as_str()).map_or("", |(before, _)| before);
            let quote = json!({ "text": quote, "position": entities::utf16_len(before), "is_manual": true });
            draft.fields.insert("quote".into(), quote);
        }
        if target.topic != place.topic {
            draft.reply_to = None;
            let origin = json!({
                "type": "user", "sender_user": self.person(target.from).json(), "date": target.date_ms / 1000,
            });
            let external = json!({ "origin": origin, "chat": self.chat_json(place.chat), "message_id": target.id });
            draft.fields.insert("external_reply".into(), external);
        }
    }

    /// The account behind a message, and the fields that say as whom it was written.
    fn sender(&self, user: UserId, chat: i64, voice: &Voice, now_ms: i64) -> (i64, Map<String, Value>) {
        match voice {
            Voice::Channel { id, title } => (
                CHANNEL_BOT,
                fields([("sender_chat", json!({ "id": id, "title": title, "type": "channel" }))]),
            ),
            Voice::LinkedChannel { id, title } => {
                let channel = json!({ "id": id, "title": title, "type": "channel" });
                let date = now_ms / 1000;
                let origin = json!({ "type": "channel", "chat": channel, "message_id": 1, "date": date });
                let said = [
                    ("sender_chat", channel),
                    ("is_automatic_forward", true.into()),
                    ("forward_origin", origin),
                ];
                (TELEGRAM, fields(said))
            }
            Voice::Own => match self.chat(chat).members.get(&user.0).filter(|member| member.anonymous) {
                None => (user.0, Map::new()),
                Some(member) => {
                    let mut said = fields([("sender_chat", self.chat_json(chat))]);
                    if let Some(title) = &member.title {
                        said.insert("author_signature".into(), title.as_str().into());
                    }
                    (GROUP_ANONYMOUS_BOT, said)
                }
            },
        }
    }

    fn react(&mut self, user: UserId, chat: i64, message: i64, emoji: &str, now_ms: i64) {
        let new: Vec<Value> = if emoji.is_empty() {
            Vec::new()
        } else {
            vec![json!({ "type": "emoji", "emoji": emoji })]
        };
        let anonymous = self
            .chat(chat)
            .members
            .get(&user.0)
            .is_some_and(|member| member.anonymous);
        let written = self
            .chat_mut(chat)
            .messages
            .get_mut(&message)
            .expect("a message to react to");
        let old = written.reactions.insert(user.0, new.clone()).unwrap_or_default();
        let mut body = json!({
            "chat": self.chat_json(chat), "message_id": message, "date": now_ms / 1000, "old_reaction": old,
            "new_reaction": new,
        });
        if anonymous {
            body["actor_chat"] = self.chat_json(chat);
        } else {
            body["user"] = self.user(user).json();
        }
        for bot in self.admin_bots(chat) {
            self.publish(bot, "message_reaction", body.clone(), now_ms);
        }
    }

    /// The bots that administer a chat, and so learn of reactions and of other members; in private chats, its bots.
    pub(crate) fn admin_bots(&self, chat: i64) -> Vec<i64> {
        let chat = self.chat(chat);
        let private = chat.kind == super::world::ChatKind::Private;
        let admins = chat
            .members
            .iter()
            .filter(|(_, member)| member.status.is_admin() || private);
        admins
            .map(|(id, _)| *id)
            .filter(|id| self.bots.contains_key(id))
            .collect()
    }
}
