//! All that the page shows, as one JSON value.

use super::{
    cast::{Agent, GROUP, Person},
    faults::Switch,
    picture::Shown,
    records::{GivenUp, Queued},
    scene,
    state::{Around, State, Way},
    world::World,
};
use mapping::{Delivery, Timestamp};
use serde::Serialize;
use serde_json::Value;
use simulators::{
    intercom::{ConversationView, PartView},
    telegram::{Place, Seen, SeenTopic},
};
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Snapshot<'w> {
    /// Which demo it is: another one has other messages under the same ids.
    demo: i64,
    /// What is older was read before the page was opened.
    read_until: i64,
    group: &'static str,
    people: &'w [Person],
    agents: &'w [Agent],
    topics: Vec<Topic>,
    conversations: Vec<Conversation>,
    bridge: Option<i64>,
    comes_back: bool,
    queued: Queued,
    switches: Vec<Switch>,
}

#[derive(Serialize)]
struct Topic {
    id: i64,
    name: String,
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Conversation {
    id: String,
    title: String,
    state: String,
    topic: Option<i64>,
    people: Vec<String>,
    tags: Vec<String>,
    messages: Vec<Message>,
}

/// A message on either side.
#[derive(Serialize)]
struct Message {
    id: String,
    /// `message`, `note`, or `event` for what is no message.
    kind: &'static str,
    name: String,
    /// Who wrote it: `customer`, `staff`, `agent`, or `bridge`.
    who: &'static str,
    html: String,
    files: Vec<Shown>,
    at: i64,
    edited: bool,
    state: Option<State>,
}

/// What is the same for every message of a snapshot.
struct Now {
    at: Timestamp,
    running_since: Option<Timestamp>,
}

/// What the bridge's records say about messages.
struct Known<T> {
    deliveries: BTreeMap<T, Delivery>,
    given_up: GivenUp,
}

impl<T> Known<T> {
    /// The dead letters are read last: the bridge puts a copy there before it records that it gave up.
    async fn of(world: &World, deliveries: BTreeMap<T, Delivery>) -> anyhow::Result<Self> {
        let given_up = world.records.given_up().await?;
        Ok(Self { deliveries, given_up })
    }
}

/// Takes it.
pub(super) async fn take(world: &World) -> anyhow::Result<String> {
    let (running_since, comes_back) = {
        let bridge = world.bridge.lock().await;
        (bridge.since(), bridge.comes_back())
    };
    let now = Now {
        at: Timestamp::from_millis(world.vendors.clock.now_ms()),
        running_since,
    };
    let snapshot = Snapshot {
        demo: world.began.as_millis(),
        read_until: scene::read_until(world.began).as_millis(),
        group: GROUP,
        people: &world.cast.people,
        agents: &world.cast.agents,
        topics: topics(world, &now).await?,
        conversations: conversations(world, &now).await?,
        bridge: now.running_since.map(Timestamp::as_millis),
        comes_back,
        queued: world.records.queued().await?,
        switches: world.troubles.switches(),
    };
    Ok(serde_json::to_string(&snapshot)?)
}

async fn topics(world: &World, now: &Now) -> anyhow::Result<Vec<Topic>> {
    let telegram = &world.vendors.telegram;
    let mut topics = Vec::new();
    for topic in telegram.topics(world.cast.forum) {
        let place = Place::topic(world.cast.forum, topic.id);
        let seen = telegram.messages(place);
        let ids: Vec<i64> = seen.iter().map(|message| message.id).collect();
        let deliveries = world.records.inbound(&ids).await?;
        let known = Known::of(world, deliveries).await?;
        let mut messages = said_in(world, now, &seen, &known);
        messages.extend(telegram.service_messages(place).iter().filter_map(event));
        messages.sort_by_key(|message| message.id.parse::<i64>().unwrap_or_default());
        let SeenTopic { id, name, .. } = topic;
        topics.push(Topic { id, name, messages });
    }
    Ok(topics)
}

fn said_in(world: &World, now: &Now, seen: &[Seen], known: &Known<i64>) -> Vec<Message> {
    let mut is_behind = false;
    let told_next = world.vendors.telegram.next_due_ms().map(Timestamp::from_millis);
    let mut said = Vec::new();
    for message in seen.iter().filter(|message| !message.deleted) {
        let delivery = known.deliveries.get(&message.id);
        let around = Around {
            way: Way::ToIntercom,
            now: now.at,
            written: Timestamp::from_millis(message.date_ms),
            running_since: now.running_since,
            told_next,
            is_behind,
            is_given_up: known.given_up.holds(Way::ToIntercom, &message.id.to_string()),
        };
        let state = (!message.from_bot).then(|| State::of(delivery, &around));
        is_behind |= state.is_some() && !delivery.is_some_and(Delivery::is_finished);
        let is_staff = |person: &&Person| person.staff && person.name == message.from_name;
        let who = match world.cast.people.iter().find(is_staff) {
            _ if message.from_bot => "bridge",
            Some(_) => "staff",
            None => "customer",
        };
        let file = message.media.as_ref();
        said.push(Message {
            id: message.id.to_string(),
            kind: "message",
            name: message.from_name.clone(),
            who,
            html: message.html(),
            files: file
                .map(|file| Shown::in_telegram(message.id, file))
                .into_iter()
                .collect(),
            at: message.date_ms,
            edited: message.edited,
            state,
        });
    }
    said
}

/// What happened to the topic, in words.
fn event(message: &Seen) -> Option<Message> {
    let text = |field: &str| message.fields.get(field)?.get("name")?.as_str();
    let words = if let Some(name) = text("forum_topic_created") {
        format!("opened “{name}”")
    } else if let Some(name) = text("forum_topic_edited") {
        format!("renamed the topic to “{name}”")
    } else if message.fields.contains_key("forum_topic_closed") {
        "closed the topic".to_owned()
    } else if message.fields.contains_key("forum_topic_reopened") {
        "reopened the topic".to_owned()
    } else {
        return None;
    };
    Some(Message {
        id: message.id.to_string(),
        kind: "event",
        name: message.from_name.clone(),
        who: "customer",
        html: words,
        files: Vec::new(),
        at: message.date_ms,
        edited: false,
        state: None,
    })
}

async fn conversations(world: &World, now: &Now) -> anyhow::Result<Vec<Conversation>> {
    let views = world.vendors.intercom.conversations();
    let ids: Vec<String> = views.iter().map(|view| view.id.clone()).collect();
    let topics = world.records.topics(&ids).await?;
    let mut conversations = Vec::new();
    for view in views {
        let parts: Vec<String> = view.parts.iter().map(|part| part.id.clone()).collect();
        let deliveries = world.records.outbound(&parts).await?;
        let known = Known::of(world, deliveries).await?;
        let messages = written_in(world, now, &view, &known);
        let names = view.contacts.iter().filter_map(|contact| contact.name.clone());
        conversations.push(Conversation {
            topic: topics.get(&view.id).copied(),
            people: names.collect(),
            title: view.title.unwrap_or_else(|| "Untitled".to_owned()),
            state: view.state,
            tags: view.tags,
            id: view.id,
            messages,
        });
    }
    Ok(conversations)
}

fn written_in(world: &World, now: &Now, view: &ConversationView, known: &Known<String>) -> Vec<Message> {
    let mut is_behind = false;
    let told_next = world.vendors.intercom.next_due_ms().map(Timestamp::from_millis);
    let mut written = Vec::new();
    for part in &view.parts {
        let Some(kind) = kind_of(part) else { continue };
        let delivery = known.deliveries.get(&part.id);
        let goes_out = kind == "message" && matches!(part.author_kind.as_str(), "admin" | "bot");
        let around = Around {
            way: Way::ToTelegram,
            now: now.at,
            written: Timestamp::from_seconds(part.created_at),
            running_since: now.running_since,
            told_next,
            is_behind,
            is_given_up: known.given_up.holds(Way::ToTelegram, &part.id),
        };
        let state = goes_out.then(|| State::of(delivery, &around));
        is_behind |= goes_out && !delivery.is_some_and(Delivery::is_finished);
        written.push(Message {
            id: part.id.clone(),
            kind,
            name: part.author_name.clone(),
            who: author(world, part),
            html: if kind == "event" {
                words_of(part).to_owned()
            } else {
                part.html.clone()
            },
            files: shown_in(part),
            at: part.created_at * 1000,
            edited: false,
            state,
        });
    }
    written
}

fn shown_in(part: &PartView) -> Vec<Shown> {
    let files = part.attachments.iter().enumerate();
    files.map(|(at, file)| Shown::in_intercom(&part.id, at, file)).collect()
}

/// `message`, `note` or `event`; none for what nobody needs to see.
fn kind_of(part: &PartView) -> Option<&'static str> {
    match part.kind.as_str() {
        "note" => Some("note"),
        _ if !part.html.is_empty() || !part.attachments.is_empty() => Some("message"),
        "open" | "close" | "snoozed" => Some("event"),
        _ => None,
    }
}

fn words_of(part: &PartView) -> &'static str {
    match part.kind.as_str() {
        "close" => "closed the conversation",
        "snoozed" => "snoozed the conversation",
        _ => "reopened the conversation",
    }
}

fn author(world: &World, part: &PartView) -> &'static str {
    let is_agent = world.cast.agents.iter().any(|agent| agent.id == part.author_id);
    let is_staff = world
        .cast
        .people
        .iter()
        .any(|person| person.staff && person.name == part.author_name);
    match part.author_kind.as_str() {
        "admin" if is_agent => "agent",
        "admin" if is_staff => "staff",
        "admin" | "bot" => "bridge",
        _ => "customer",
    }
}

/// The snapshot with the time at which it is sent, so that the page can count down by the same clock.
pub(super) fn stamped(snapshot: &str, now_ms: i64) -> String {
    format!(
        "{{\"now\":{now_ms},\"state\":{}}}",
        if snapshot.is_empty() { "null" } else { snapshot }
    )
}

/// An answer to an act that was not done.
pub(super) fn refused(words: &str) -> Value {
    serde_json::json!({ "error": words })
}
