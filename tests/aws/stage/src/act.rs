//! What the director may ask for.

use crate::{road::Destination, scene::Scene};
use serde::Deserialize;
use serde_json::{Value, json};
use simulators::{
    Fault, Faults,
    intercom::{ConversationView, File, PartView, Reply},
    telegram::{Compose, Media, Place, Seen},
};
use std::time::Duration;

const FILM: &str = "film.mkv";
const FILM_TYPE: &str = "video/x-matroska";

/// One thing that happens, or one look at what there is.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Act {
    /// The road leads to this API.
    Lead(Destination),
    /// Intercom delivers to this URL.
    Subscribe { url: String },
    /// One of the customers writes in one of the topics.
    CustomerSays { who: usize, topic: usize, text: String },
    /// One of the customers sends a film of this size in one of the topics.
    CustomerSends { who: usize, topic: usize, bytes: usize },
    /// The agent replies in a conversation.
    AgentReplies { conversation: String, html: String },
    /// The agent replies with a film of this size.
    AgentSends { conversation: String, bytes: usize },
    /// The next calls of a vendor's API go wrong.
    Fault {
        vendor: Vendor,
        call: String,
        fault: Trouble,
        times: usize,
    },
    /// Telegram delivers its newest update once more.
    RepeatUpdate,
    /// Intercom loses what it would have delivered, from now on or no more.
    LoseNotifications { lose: bool },
    /// Intercom signs with another secret from now on.
    RotateClientSecret,
    /// From now on the access token belongs to another workspace.
    MoveToken { workspace: String },
    /// What stands in one of the topics.
    Topic { topic: usize },
    /// What stands in the inbox.
    Inbox,
    /// Who went to the deployed API.
    Passed,
    /// What the vendors would have complained about.
    Violations,
}

/// Whose API.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Vendor {
    Telegram,
    Intercom,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    /// An error with this status, and nothing done.
    Refuse(u16),
    /// An error that asks to come again after so many seconds.
    Throttle(u64),
    /// No answer, and nothing done.
    Hang,
}

impl Act {
    /// Does it, and tells what there is to see.
    pub(crate) async fn perform(self, scene: &Scene) -> Result<Value, String> {
        let (telegram, intercom) = (&scene.telegram, &scene.intercom);
        match self {
            Self::Lead(to) => scene.road.lead_to(to),
            Self::Subscribe { url } => intercom.subscribe(&url).await?,
            Self::Fault {
                vendor,
                call,
                fault,
                times,
            } => faults(scene, vendor).arm(&call, fault.into(), times),
            Self::LoseNotifications { lose } => intercom.lose_notifications(lose),
            Self::MoveToken { workspace } => intercom.configure(|options| options.token_of = Some(workspace)),
            Self::CustomerSays { who, topic, text } => {
                let customer = *scene.customers.get(who).ok_or("no such customer")?;
                return Ok(json!(telegram.say(customer, place(scene, topic)?, &text)));
            }
            Self::CustomerSends { who, topic, bytes } => {
                let customer = *scene.customers.get(who).ok_or("no such customer")?;
                let film = Compose::media(Media::document(FILM, FILM_TYPE, vec![7; bytes]));
                return Ok(json!(telegram.say_with(customer, place(scene, topic)?, film)));
            }
            Self::AgentReplies { conversation, html } => {
                return Ok(json!(intercom.agent_replies(&conversation, &scene.agent, &html)));
            }
            Self::AgentSends { conversation, bytes } => {
                let reply = Reply::text("").with_file(File::new(FILM, FILM_TYPE, vec![7; bytes]));
                return Ok(json!(intercom.agent_replies_with(&conversation, &scene.agent, reply)));
            }
            Self::RepeatUpdate => {
                let newest = telegram.updates().pop().and_then(|update| update["update_id"].as_i64());
                return Ok(json!(telegram.redeliver(newest.ok_or("no update was made yet")?)));
            }
            Self::RotateClientSecret => return Ok(json!(intercom.rotate_client_secret())),
            Self::Topic { topic } => {
                let messages = telegram.messages(place(scene, topic)?);
                return Ok(messages.iter().map(message).collect());
            }
            Self::Inbox => return Ok(intercom.conversations().iter().map(conversation).collect()),
            Self::Passed => return Ok(json!(scene.road.passed())),
            Self::Violations => return Ok(json!([telegram.violations(), intercom.violations()].concat())),
        }
        Ok(Value::Null)
    }
}

fn place(scene: &Scene, topic: usize) -> Result<Place, String> {
    let place = scene.topics.get(topic).copied();
    place.ok_or_else(|| "no such topic".into())
}

fn faults(scene: &Scene, vendor: Vendor) -> &Faults {
    match vendor {
        Vendor::Telegram => scene.telegram.faults(),
        Vendor::Intercom => scene.intercom.faults(),
    }
}

impl From<Trouble> for Fault {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refuse(status) => Self::Refuse(status),
            Trouble::Throttle(seconds) => Self::TooManyRequests(Duration::from_secs(seconds)),
            Trouble::Hang => Self::Hang,
        }
    }
}

fn message(seen: &Seen) -> Value {
    let files: Vec<usize> = seen.media.iter().map(|file| file.bytes.len()).collect();
    json!({"id": seen.id, "by_bot": seen.from_bot, "text": seen.text, "files": files})
}

fn conversation(seen: &ConversationView) -> Value {
    let messages: Vec<Value> = seen.messages().map(part).collect();
    json!({"id": seen.id, "state": seen.state, "title": seen.title, "messages": messages})
}

fn part(seen: &PartView) -> Value {
    let files: Vec<usize> = seen.attachments.iter().map(|file| file.bytes.len()).collect();
    json!({"kind": seen.kind, "by": seen.author_kind, "name": seen.author_name, "text": seen.text, "files": files})
}
