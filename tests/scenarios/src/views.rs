//! What people see.

use crate::world::World;
use simulators::{
    intercom::{ConversationView, PartView},
    telegram::{MediaKind, Place, SeenMedia},
};

/// How the link at the end of an opening message begins.
const LINK: &str = "https://t.me/c/";

impl World {
    /// The one conversation of this title.
    pub fn conversation(&self, title: &str) -> ConversationView {
        let all = self.intercom().conversations();
        let titles: Vec<String> = all.iter().map(|one| format!("{:?}", one.title)).collect();
        let mut of_title = all.into_iter().filter(|one| one.title.as_deref() == Some(title));
        match (of_title.next(), of_title.next()) {
            (Some(one), None) => one,
            _ => panic!("there is not exactly one conversation {title:?} among {titles:?}"),
        }
    }

    /// The one topic of this title that is there.
    pub fn topic_called(&self, title: &str) -> Place {
        let topics = self.telegram().topics(self.forum);
        let mut there = topics.iter().filter(|topic| topic.name == title && !topic.deleted);
        match (there.next(), there.next()) {
            (Some(topic), None) => Place::topic(self.forum, topic.id),
            _ => panic!("there is not exactly one topic {title:?} among {topics:?}"),
        }
    }

    /// How many conversations there are.
    pub fn conversations(&self) -> usize {
        self.intercom().conversations().len()
    }

    /// What was said in a conversation, as an agent reads it: `name: text`. Without notes, and without the link that an opening
    /// message ends with.
    pub fn agent_sees(&self, title: &str) -> Vec<String> {
        said(&self.conversation(title))
    }

    /// The newest conversation of a topic, told by the link that its opening message ends with: its title may be missing.
    pub fn conversation_in(&self, topic: Place) -> Option<ConversationView> {
        let group = -topic.chat - 1_000_000_000_000;
        let link = format!("{LINK}{group}/{}/", topic.topic.unwrap_or_default());
        let opened_with = |one: &ConversationView| one.parts.first().is_some_and(|part| part.text.contains(&link));
        self.intercom().conversations().into_iter().rfind(opened_with)
    }

    /// What was said in the conversation of a topic.
    pub fn agent_sees_in(&self, topic: Place) -> Vec<String> {
        self.conversation_in(topic).as_ref().map(said).unwrap_or_default()
    }

    /// The notes in a conversation but the first, which the bridge opens it with: `name: text`.
    pub fn agent_notes(&self, title: &str) -> Vec<String> {
        let conversation = self.conversation(title);
        let notes = conversation.messages().filter(|part| is_note(part)).map(line);
        notes.skip(1).collect()
    }

    /// What was said in every conversation, the oldest first.
    pub fn inbox(&self) -> Vec<Vec<String>> {
        self.intercom().conversations().iter().map(said).collect()
    }

    /// What stands in a topic: `name: text`, the text as simple HTML.
    pub fn customer_sees(&self, place: Place) -> Vec<String> {
        let messages = self.telegram().messages(place).into_iter();
        messages
            .filter(|message| !message.deleted)
            .map(|message| format!("{}: {}", message.from_name, message.html()))
            .collect()
    }

    /// What of it the bridge wrote, each message without the bot's name.
    pub fn customer_is_told(&self, place: Place) -> Vec<String> {
        let messages = self.telegram().messages(place).into_iter();
        messages
            .filter(|message| message.from_bot && !message.deleted)
            .map(|message| message.html())
            .collect()
    }

    /// The same with the files: `[kind name] text`, an album as one.
    pub fn customer_is_shown(&self, place: Place) -> Vec<String> {
        let messages = self.telegram().messages(place).into_iter();
        let mut shown: Vec<(Option<String>, String)> = Vec::new();
        for message in messages.filter(|message| message.from_bot && !message.deleted) {
            let name = |media: &SeenMedia| media.file_name.clone().unwrap_or_default();
            let file = message
                .media
                .as_ref()
                .map(|media| format!("[{} {}]", kind(media.kind), name(media)));
            let parts = [file.unwrap_or_default(), message.html()];
            let line = parts.join(" ").trim().to_owned();
            match shown.last_mut() {
                Some((album, last)) if album.is_some() && *album == message.album => last.extend([" & ", &line]),
                _ => shown.push((message.album, line)),
            }
        }
        shown.into_iter().map(|(_, line)| line).collect()
    }
}

/// How a file is called among what a customer is shown.
fn kind(media: MediaKind) -> &'static str {
    match media {
        MediaKind::Photo => "photo",
        MediaKind::Document => "document",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::Voice => "voice",
        MediaKind::Animation => "animation",
        MediaKind::Sticker => "sticker",
        MediaKind::VideoNote => "video note",
    }
}

/// What was said in a conversation, notes left out.
fn said(conversation: &ConversationView) -> Vec<String> {
    conversation
        .messages()
        .filter(|part| !is_note(part) && !part.redacted)
        .map(line)
        .collect()
}

fn is_note(part: &PartView) -> bool {
    part.kind.starts_with("note")
}

fn line(part: &PartView) -> String {
    let text = part.text.trim();
    let text = match text.rsplit_once('\n') {
        Some((text, last)) if part.kind == "source" && last.starts_with(LINK) => text.trim_end(),
        _ => text,
    };
    format!("{}: {text}", part.author_name)
}
