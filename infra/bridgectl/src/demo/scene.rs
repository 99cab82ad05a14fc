//! The exchange that is under way when the page opens.

use super::{actions::Action, world::World};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// How long the exchange may take; it is left where it stands then.
const MAY_TAKE: Duration = Duration::from_secs(30);
const BREATH: Duration = Duration::from_millis(400);

enum Line {
    Opens(usize, &'static str, &'static str),
    Says(usize, &'static str, &'static str),
    Replies(usize, &'static str, &'static str),
    Notes(usize, &'static str, &'static str),
}

use Line::{Notes, Opens, Replies, Says};

/// People and agents go by their places in the cast.
const LINES: [Line; 9] = [
    Opens(
        2,
        "Size exchange",
        "Hi! The jacket from order `A-2291` is too small. Can I swap it for an __L__?",
    ),
    Opens(
        1,
        "March invoice",
        "Good morning, I need the March invoice with our **VAT number** on it.",
    ),
    Opens(
        0,
        "Order 1042",
        "Hello! My parcel was **due on Monday** and it has not come yet.",
    ),
    Says(
        0,
        "Order 1042",
        "The tracking page says nothing new: [track 1042](https://example.com/track/1042)",
    ),
    Replies(
        0,
        "Order 1042",
        "Hi Maria, sorry for the wait! It is **on its way again** and should reach you __tomorrow__.",
    ),
    Notes(
        0,
        "Order 1042",
        "The carrier lost a day in Leipzig. Refund the shipping if it slips again.",
    ),
    Says(3, "Order 1042", "I called the depot: it is on the van."),
    Replies(1, "March invoice", "Of course, Ken. What is the VAT number?"),
    Says(0, "Order 1042", "Wonderful, thank you both!"),
];

/// Plays the exchange, each line when what it answers has come across.
pub(super) async fn play(world: Arc<World>) {
    let end = Instant::now() + MAY_TAKE;
    let _ = timeout_at(end, async {
        for line in LINES {
            play_line(&world, line).await;
            sleep(BREATH).await;
        }
    })
    .await;
}

async fn play_line(world: &World, line: Line) {
    let person = |at: usize| world.cast.people.get(at).map_or(0, |person| person.id);
    let agent = |at: usize| {
        world
            .cast
            .agents
            .get(at)
            .map_or_else(String::new, |agent| agent.id.clone())
    };
    let action = match line {
        Opens(who, title, text) => Action::OpenTopic {
            person: person(who),
            title: title.to_owned(),
            text: text.to_owned(),
        },
        Says(who, topic, text) => {
            let colleague = world.cast.people.get(who).is_some_and(|person| person.staff);
            if colleague {
                // A colleague who writes before any customer's message is across stays unheard.
                conversation(world, topic).await;
            }
            Action::Say {
                topic: self::topic(world, topic),
                person: person(who),
                text: text.to_owned(),
            }
        }
        Replies(who, title, text) => Action::Reply {
            conversation: conversation(world, title).await,
            agent: agent(who),
            text: text.to_owned(),
        },
        Notes(who, title, text) => Action::Note {
            conversation: conversation(world, title).await,
            agent: agent(who),
            text: text.to_owned(),
        },
    };
    // Nobody waits for an answer here; what was refused is not on the page.
    let _ = world.act(action).await;
}

fn topic(world: &World, title: &str) -> i64 {
    let mut topics = world.vendors.telegram.topics(world.cast.forum).into_iter();
    topics.find(|topic| topic.name == title).map_or(0, |topic| topic.id)
}

/// The conversation of a topic, as soon as there is one.
async fn conversation(world: &World, title: &str) -> String {
    loop {
        let mut conversations = world.vendors.intercom.conversations().into_iter();
        let found = conversations.find(|conversation| conversation.title.as_deref() == Some(title));
        match found {
            Some(conversation) => return conversation.id,
            None => sleep(BREATH).await,
        }
    }
}
