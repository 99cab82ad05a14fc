//! What happened before the page was opened. It is played in moments, on clocks that are behind and skip the minutes in between.

use super::{actions::Action, faults::Trouble, records::Queued, world::World};
use mapping::Timestamp;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// From its first line to the page: the clocks begin so far behind.
pub(super) const LASTS: Duration = Duration::from_mins(66);

/// How long (real time) it may take to play; it is left where it stands then.
const MAY_TAKE: Duration = Duration::from_secs(30);
const BREATH: Duration = Duration::from_millis(10);

/// What was written longer before the page than this, somebody has read.
const READ_BEFORE: Duration = Duration::from_mins(15);

enum Line {
    Opens(&'static str, &'static str, &'static str),
    Says(&'static str, &'static str, &'static str),
    /// The same with a photo.
    Shows(&'static str, &'static str, &'static str),
    Replies(&'static str, &'static str, &'static str),
    /// The same, and Telegram refuses it.
    RepliesInVain(&'static str, &'static str, &'static str),
    Notes(&'static str, &'static str, &'static str),
    Closes(&'static str, &'static str),
}

use Line::{Closes, Notes, Opens, Replies, RepliesInVain, Says, Shows};

/// Who does what where, each so many minutes after the line before it.
const LINES: [(u64, Line); 21] = [
    (
        0,
        Opens(
            "Carla",
            "Return label",
            "Hi, where do I find the return label for order `0987`?",
        ),
    ),
    (
        2,
        Replies(
            "Jonas",
            "Return label",
            "Hi Carla, it is the last page of your [delivery note](https://example.com/help/returns).",
        ),
    ),
    (4, Says("Carla", "Return label", "Found it, thank you!")),
    (1, Closes("Jonas", "Return label")),
    (
        5,
        Opens("Eva", "Gift cards", "Hello, can I pay with **two** gift cards at once?"),
    ),
    (
        3,
        Replies(
            "Anna",
            "Gift cards",
            "Yes, Eva! Enter one after the other at the checkout.",
        ),
    ),
    (6, Opens("Ben", "Holiday hours", "Are you open on __24 December__?")),
    (3, RepliesInVain("Jonas", "Holiday hours", "Yes Ben, until **noon**.")),
    (
        8,
        Opens(
            "Priya",
            "Size exchange",
            "Hi! The jacket from order `A-2291` is too small. Can I swap it for an __L__?",
        ),
    ),
    (
        1,
        Shows("Priya", "Size exchange", "The box is a bit dented, is that a problem?"),
    ),
    (
        4,
        Replies(
            "Anna",
            "Size exchange",
            "Hi Priya, gladly: the __L__ is in stock. Shall I send it today?",
        ),
    ),
    (
        6,
        Opens(
            "Maria",
            "Order 1042",
            "Hello! My parcel was **due on Monday** and it has not come yet.",
        ),
    ),
    (
        1,
        Says(
            "Maria",
            "Order 1042",
            "The tracking page says nothing new: [track 1042](https://example.com/track/1042)",
        ),
    ),
    (
        4,
        Replies(
            "Anna",
            "Order 1042",
            "Hi Maria, sorry for the wait! It is **on its way again** and should reach you __tomorrow__.",
        ),
    ),
    (
        1,
        Notes(
            "Anna",
            "Order 1042",
            "The carrier lost a day in Leipzig. Refund the shipping if it slips again.",
        ),
    ),
    (
        3,
        Opens(
            "Dev",
            "New address",
            "We have moved! Can order 1038 still go to the new address?",
        ),
    ),
    (
        2,
        Opens(
            "Ken",
            "March invoice",
            "Good morning, I need the March invoice with our **VAT number** on it.",
        ),
    ),
    (1, Says("Sam", "Order 1042", "I called the depot: it is on the van.")),
    (
        3,
        Replies("Jonas", "March invoice", "Of course, Ken. What is the VAT number?"),
    ),
    (1, Says("Priya", "Size exchange", "Yes please, and thank you!")),
    (2, Says("Maria", "Order 1042", "Wonderful, thank you both!")),
];

/// Until when everything has been read, if the page could be opened first at this time.
pub(super) fn read_until(began: Timestamp) -> Timestamp {
    began - READ_BEFORE
}

/// Plays it, each line when what came before it is across.
pub(super) async fn play(world: &World) {
    let end = Instant::now() + MAY_TAKE;
    let _ = timeout_at(end, async {
        for (minutes, line) in LINES {
            // Nothing may be under way while time is skipped: it would seem to have taken that long.
            settle(world).await;
            world.vendors.clock.catch_up(Duration::from_mins(minutes));
            play_line(world, line).await;
        }
        settle(world).await;
    })
    .await;
    world.vendors.clock.catch_up(LASTS);
}

async fn settle(world: &World) {
    let is_settled = async || {
        let told = world.vendors.telegram.pending() + world.vendors.intercom.pending() == 0;
        told && world.records.queued().await.is_ok_and(Queued::is_empty)
    };
    while !is_settled().await {
        sleep(BREATH).await;
    }
}

async fn play_line(world: &World, line: Line) {
    let (title, text) = (str::to_owned, str::to_owned);
    let action = match line {
        Opens(who, topic, words) => Action::OpenTopic {
            person: person(world, who),
            title: title(topic),
            text: text(words),
        },
        Says(who, topic, words) => say(world, who, topic, words, false),
        Shows(who, topic, words) => say(world, who, topic, words, true),
        Replies(who, topic, words) => reply(world, who, topic, words),
        RepliesInVain(who, topic, words) => {
            world.troubles.switch(Trouble::TelegramRefuses, true);
            reply(world, who, topic, words)
        }
        Notes(who, topic, words) => Action::Note {
            conversation: conversation(world, topic),
            agent: agent(world, who),
            text: text(words),
        },
        Closes(who, topic) => Action::Close {
            conversation: conversation(world, topic),
            agent: agent(world, who),
        },
    };
    // Nobody waits for an answer here; what was refused is not on the page.
    let _ = world.act(action).await;
}

fn say(world: &World, who: &str, topic: &str, words: &str, photo: bool) -> Action {
    Action::Say {
        topic: self::topic(world, topic),
        person: person(world, who),
        text: words.to_owned(),
        photo,
    }
}

fn reply(world: &World, who: &str, topic: &str, words: &str) -> Action {
    Action::Reply {
        conversation: conversation(world, topic),
        agent: agent(world, who),
        text: words.to_owned(),
        photo: false,
    }
}

fn person(world: &World, first_name: &str) -> i64 {
    let mut people = world.cast.people.iter();
    let found = people.find(|person| person.name.starts_with(first_name));
    found.map_or(0, |person| person.id)
}

fn agent(world: &World, first_name: &str) -> String {
    let mut agents = world.cast.agents.iter();
    let found = agents.find(|agent| agent.name.starts_with(first_name));
    found.map_or_else(String::new, |agent| agent.id.clone())
}

fn topic(world: &World, title: &str) -> i64 {
    let mut topics = world.vendors.telegram.topics(world.cast.forum).into_iter();
    topics.find(|topic| topic.name == title).map_or(0, |topic| topic.id)
}

fn conversation(world: &World, title: &str) -> String {
    let mut conversations = world.vendors.intercom.conversations().into_iter();
    let found = conversations.find(|conversation| conversation.title.as_deref() == Some(title));
    found.map_or_else(String::new, |conversation| conversation.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_played_to_its_end_and_every_line_has_its_own_minute() {
        let minutes: u64 = LINES.iter().map(|(minutes, _)| minutes).sum();
        assert!(Duration::from_mins(minutes) < LASTS, "its end is in the past");
        let world = World::start().await.unwrap();
        world.shown().wait_for(|page| !page.is_empty()).await.unwrap();
        let place = simulators::telegram::Place::topic(world.cast.forum, topic(&world, "Order 1042"));
        let seen = world.vendors.telegram.messages(place);
        let told: Vec<&str> = seen.iter().map(|message| message.from_name.as_str()).collect();
        assert_eq!(
            told,
            ["Maria Lopez", "Maria Lopez", "Support", "Sam Hill", "Maria Lopez"]
        );
        let times: std::collections::BTreeSet<i64> = seen.iter().map(|message| message.date_ms / 60_000).collect();
        assert_eq!(times.len(), seen.len(), "{times:?}");
        assert!(world.records.queued().await.unwrap().is_empty());
        let lag = world.began.as_millis() - world.vendors.clock.now_ms();
        assert!(lag <= 0, "the clocks are {lag} ms behind");
    }
}
