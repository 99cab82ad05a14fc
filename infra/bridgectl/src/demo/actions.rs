//! What somebody at the page can do.

use super::{faults::Trouble, markup, picture, state::Way, world::World};
use serde::Deserialize;
use simulators::{
    intercom::{File, Reply},
    telegram::{Compose, Media, Place, UserId},
};

/// One act.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Action {
    /// Somebody writes in a topic, or sends a photo with these words.
    Say {
        topic: i64,
        person: i64,
        text: String,
        #[serde(default)]
        photo: bool,
    },
    /// Somebody opens a topic and writes in it.
    OpenTopic { person: i64, title: String, text: String },
    /// An agent answers, or sends a photo with these words.
    Reply {
        conversation: String,
        agent: String,
        text: String,
        #[serde(default)]
        photo: bool,
    },
    /// An agent writes an internal note.
    Note {
        conversation: String,
        agent: String,
        text: String,
    },
    /// An agent closes a conversation.
    Close { conversation: String, agent: String },
    /// An agent opens a conversation again.
    Reopen { conversation: String, agent: String },
    /// Something goes wrong, or no longer.
    Trouble { name: Trouble, on: bool },
    /// The bridge ends, wherever it stands.
    Kill,
    /// The bridge starts.
    Start,
    /// A message that was given up is sent once more.
    Redrive { way: Way, message: String },
}

/// Why an act was not done, for whoever tried.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) String);

impl Refusal {
    fn new(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// As long as a message in Telegram can be.
const LONGEST: usize = 4096;
const LONGEST_TITLE: usize = 128;

/// Does it.
pub(super) async fn perform(world: &World, action: Action) -> Result<(), Refusal> {
    match action {
        Action::Say {
            topic,
            person,
            text,
            photo,
        } => say(world, topic, person, &text, photo),
        Action::OpenTopic { person, title, text } => open_topic(world, person, &title, &text),
        Action::Reply {
            conversation,
            agent,
            text,
            photo,
        } => reply(world, &conversation, &agent, &text, photo),
        Action::Note {
            conversation,
            agent,
            text,
        } => {
            let html = markup::to_intercom(written(&text, false)?);
            let agent = agent_in(world, &conversation, &agent)?;
            world.vendors.intercom.agent_notes(&conversation, agent, &html);
            Ok(())
        }
        Action::Close { conversation, agent } => {
            let agent = agent_in(world, &conversation, &agent)?;
            world.vendors.intercom.agent_closes(&conversation, agent);
            Ok(())
        }
        Action::Reopen { conversation, agent } => {
            let agent = agent_in(world, &conversation, &agent)?;
            world.vendors.intercom.agent_opens(&conversation, agent);
            Ok(())
        }
        Action::Trouble { name, on } => {
            world.troubles.switch(name, on);
            Ok(())
        }
        Action::Kill => {
            world.bridge.lock().await.kill();
            Ok(())
        }
        Action::Start => started(world).await,
        Action::Redrive { way, message } => redriven(world, way, &message).await,
    }
}

async fn redriven(world: &World, way: Way, message: &str) -> Result<(), Refusal> {
    match world.records.redrive(way, message).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::new("It is on its way already.")),
        Err(_) => Err(Refusal::new("The bridge's database cannot be used.")),
    }
}

fn say(world: &World, topic: i64, person: i64, text: &str, photo: bool) -> Result<(), Refusal> {
    let person = person_in(world, person)?;
    let (text, entities) = markup::to_telegram(written(text, photo)?);
    let place = Place::topic(world.cast.forum, topic);
    let message = if photo {
        Compose::media(Media::photo(picture::OF_CUSTOMERS)).with_text(&text)
    } else {
        Compose::text(&text)
    };
    let said = world
        .vendors
        .telegram
        .try_say(person, place, message.with_entities(entities));
    said.map(drop)
        .map_err(|reason| Refusal(format!("Telegram does not take it: {reason}.")))
}

fn reply(world: &World, conversation: &str, agent: &str, text: &str, photo: bool) -> Result<(), Refusal> {
    let text = written(text, photo)?;
    let agent = agent_in(world, conversation, agent)?;
    let mut reply = Reply::default();
    if !text.is_empty() {
        reply = Reply::html(&markup::to_intercom(text));
    }
    if photo {
        reply = reply.with_file(File::new("shelf.jpg", "image/jpeg", picture::OF_AGENTS));
    }
    world.troubles.before_reply();
    world.vendors.intercom.agent_replies_with(conversation, agent, reply);
    Ok(())
}

fn open_topic(world: &World, person: i64, title: &str, text: &str) -> Result<(), Refusal> {
    let person = person_in(world, person)?;
    let title = title.trim();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE {
        return Err(Refusal::new("A topic needs a title of up to 128 characters."));
    }
    written(text, false)?;
    let topic = world.vendors.telegram.create_topic(person, world.cast.forum, title);
    say(world, topic, person.0, text, false)
}

async fn started(world: &World) -> Result<(), Refusal> {
    let started = world.bridge.lock().await.start(&world.vendors).await;
    started.map_err(|error| Refusal(format!("The bridge does not start: {error:#}.")))
}

/// What was written, if it can be sent. A photo needs no words.
fn written(text: &str, photo: bool) -> Result<&str, Refusal> {
    let text = text.trim();
    if text.is_empty() && !photo {
        return Err(Refusal::new("There is nothing to send."));
    }
    if text.encode_utf16().count() > LONGEST {
        return Err(Refusal::new("A message has up to 4,096 characters."));
    }
    Ok(text)
}

fn person_in(world: &World, person: i64) -> Result<UserId, Refusal> {
    let person = world.cast.person(person);
    person.ok_or_else(|| Refusal::new("Nobody of that name is in the group."))
}

/// The agent, if there are such an agent and such a conversation.
fn agent_in<'w>(world: &'w World, conversation: &str, agent: &str) -> Result<&'w str, Refusal> {
    if world.vendors.intercom.conversation(conversation).is_none() {
        return Err(Refusal::new("There is no such conversation."));
    }
    let agent = world.cast.agent(agent);
    agent
        .map(|agent| agent.id.as_str())
        .ok_or_else(|| Refusal::new("There is no such agent."))
}
