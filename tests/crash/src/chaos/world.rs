//! The people of a chaos run, where they are, and what they have said.

use super::plan::{AGENTS, How, Size, Who};
use crate::chance::Chance;
use bridgectl::stage::{Setting, Stage, Vendors};
use simulators::{
    SimClock,
    intercom::{File, Reply},
    telegram::{Compose, Media, Place, Rights, UserId},
};

/// So many topics are in one group.
const TOPICS_OF_A_GROUP: usize = 5;

/// So many customers are in a group.
const CUSTOMERS: usize = 4;

/// In every third topic the same words are never said twice, so that what was said in it before and after it was deleted can be
/// told apart; the others are never deleted.
const DELETABLE: usize = 3;

/// A word of customers that stands nowhere else, least of all in the table.
pub(super) const CUSTOMERS_WORD: &str = "quokka";

/// The same of agents.
pub(super) const AGENTS_WORD: &str = "wombat";

/// How a correction begins.
pub(super) const CORRECTION: &str = "Correction:";

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";

/// What agents see of a message with files.
pub(super) fn with_files(text: String, files: usize) -> String {
    if files == 0 {
        text
    } else {
        format!("{text} + {files} files")
    }
}

/// A topic, in all the places where it was.
pub(super) struct Topic {
    pub(super) title: String,
    pub(super) places: Vec<Place>,
    customers: [(UserId, String); 2],
}

/// Something that was said in a topic.
pub(super) struct Said {
    pub(super) topic: usize,
    pub(super) place: Place,
    pub(super) who: UserId,
    pub(super) name: String,
    /// What agents have to see, with the number of its files.
    pub(super) text: String,
    message: i64,
    is_corrected: bool,
}

/// An agent's answer.
pub(super) struct Answered {
    pub(super) topic: usize,
    pub(super) conversation: String,
    pub(super) part: String,
    /// How each message in Telegram begins; and the names of its files.
    pub(super) lines: Vec<String>,
    pub(super) photos: usize,
    pub(super) closes: bool,
    pub(super) taken_back: bool,
}

/// The people, their topics and the bridge between them.
pub(super) struct World {
    pub(super) stage: Stage,
    pub(super) topics: Vec<Topic>,
    pub(super) sam: UserId,
    pub(super) said: Vec<Said>,
    pub(super) answered: Vec<Answered>,
    agents: Vec<(String, String)>,
    serial: usize,
}

impl World {
    pub(super) async fn new(seed: u64, size: Size, clock: SimClock, mut setting: Setting) -> anyhow::Result<Self> {
        let mut chance = Chance::new(seed, 4);
        let vendors = Vendors::start(clock).await;
        let sam = vendors.telegram.user("Sam", Some("Hill"), None);
        let groups: Vec<_> = (0..size.topics.div_ceil(TOPICS_OF_A_GROUP))
            .map(|number| group(&vendors, sam, number))
            .collect();
        let admin = vendors.intercom.admin("Sam Hill");
        let names = ["Anna Weber", "Ben Okafor", "Carla Diaz", "Dev Patel", "Eva Novak"];
        let agents = names
            .iter()
            .take(AGENTS)
            .map(|name| (vendors.intercom.admin(name), (*name).to_owned()));
        let chats: Vec<String> = groups.iter().map(|(chat, _)| chat.to_string()).collect();
        let generations = ["never", "after_close"];
        setting.variables = vec![
            ("TELEGRAM_CHATS", chats.join(",")),
            ("STAFF", format!("{}={admin}", sam.0)),
            ("NEW_CONVERSATION", generations[chance.index(2)].to_owned()),
        ];
        vendors.telegram.duplicate_updates(3);
        vendors.telegram.enforce_pace(true);
        let before_answer = chance.happens(500);
        vendors.intercom.configure(|options| {
            options.duplicates = 2;
            options.shuffle_seed = Some(seed);
            options.notify_before_answer = before_answer;
        });
        let agents = agents.collect();
        let stage = Stage::set(vendors, &setting).await?;
        let topics = (0..size.topics).map(|number| topic(&stage.vendors, &groups, number));
        Ok(Self {
            topics: topics.collect(),
            stage,
            sam,
            said: Vec::new(),
            answered: Vec::new(),
            agents,
            serial: 0,
        })
    }

    /// How many messages there were so far.
    pub(super) fn messages(&self) -> usize {
        self.said.len() + self.answered.len()
    }

    /// The names of the agents.
    pub(super) fn agents(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().map(|(_, name)| name.as_str())
    }

    /// Whether a topic may be deleted.
    pub(super) fn may_be_deleted(topic: usize) -> bool {
        topic.is_multiple_of(DELETABLE)
    }

    /// Somebody writes in a topic, if it is there.
    pub(super) fn write(&mut self, topic: usize, who: Who, ok: bool) {
        let Some(place) = self.place(topic) else { return };
        let customer = |at: usize| self.topics[topic].customers[at % 2].clone();
        let (who, name) = match who {
            Who::Customer(at) => customer(at),
            // In a topic without conversation what staff say is not carried.
            Who::Staff if self.conversation(topic).is_some() => (self.sam, "Sam Hill".to_owned()),
            Who::Staff => customer(0),
        };
        self.serial += 1;
        let text = if ok && !Self::may_be_deleted(topic) {
            "ok".to_owned()
        } else {
            format!("{CUSTOMERS_WORD} {}.", self.serial)
        };
        let message = self.stage.vendors.telegram.say(who, place, &text);
        self.said.push(Said {
            topic,
            place,
            who,
            name,
            text,
            message,
            is_corrected: false,
        });
    }

    /// A customer sends photos with a text below, if the topic is there.
    pub(super) fn show(&mut self, topic: usize, customer: usize, photos: usize) {
        let Some(place) = self.place(topic) else { return };
        let (who, name) = self.topics[topic].customers[customer % 2].clone();
        self.serial += 1;
        let text = format!("{CUSTOMERS_WORD} {}.", self.serial);
        let album = Compose::album(vec![Media::photo(JPEG); photos]).with_text(&text);
        let message = self.stage.vendors.telegram.say_with(who, place, album);
        self.said.push(Said {
            topic,
            place,
            who,
            name,
            text: with_files(text, photos),
            message,
            is_corrected: true,
        });
    }

    /// A customer corrects the last text in a topic that can be told from others, if there is one.
    pub(super) fn correct(&mut self, topic: usize) {
        let place = self.place(topic);
        let mut said = self.said.iter_mut().rev();
        let last = said.find(|said| {
            let by_customer = said.who != self.sam && said.text.starts_with(CUSTOMERS_WORD);
            said.topic == topic && Some(said.place) == place && by_customer && !said.is_corrected
        });
        let Some(last) = last else { return };
        last.is_corrected = true;
        self.serial += 1;
        let text = format!("{CUSTOMERS_WORD} {}.", self.serial);
        let (place, message) = (last.place, last.message);
        self.stage.vendors.telegram.edit(place.chat, message, &text);
        let correction = Said {
            topic,
            place,
            who: last.who,
            name: last.name.clone(),
            text: format!("{CORRECTION}\n{text}"),
            message,
            is_corrected: true,
        };
        self.said.push(correction);
    }

    /// An agent answers, if there is a conversation.
    pub(super) fn answer(&mut self, topic: usize, agent: usize, how: How) {
        let Some(conversation) = self.conversation(topic) else {
            return;
        };
        self.serial += 1;
        let serial = self.serial;
        let (admin, name) = &self.agents[agent % self.agents.len()];
        let first = name.split(' ').next().unwrap_or_default();
        let parts: Vec<String> = if how.long {
            ["a", "b"]
                .iter()
                .map(|part| format!("{AGENTS_WORD} {serial}{part}."))
                .collect()
        } else {
            vec![format!("{AGENTS_WORD} {serial}.")]
        };
        let more = if how.long {
            " and so on".repeat(300)
        } else {
            String::new()
        };
        let html = parts.join(&format!("{more}</p><p>"));
        let files: Vec<String> = (0..how.photos).map(|at| format!("f{serial}-{at}.jpg")).collect();
        let photo = |reply: Reply, name: &String| reply.with_file(File::new(name, "image/jpeg", JPEG));
        let mut reply = files.iter().fold(Reply::html(&format!("<p>{html}{more}</p>")), photo);
        reply.close = how.closes;
        let intercom = &self.stage.vendors.intercom;
        let part = intercom.agent_replies_with(&conversation, admin, reply);
        let headed = |(at, line): (usize, String)| if at == 0 { format!("{first}\n{line}") } else { line };
        self.answered.push(Answered {
            topic,
            conversation,
            part,
            lines: parts.into_iter().enumerate().map(headed).chain(files).collect(),
            photos: how.photos,
            closes: how.closes,
            taken_back: false,
        });
    }

    /// An agent takes back the last answer in a topic; if there is one. Nobody searches for what was taken back, so this
    /// notification is not lost.
    pub(super) fn take_back(&mut self, topic: usize) {
        let mut answered = self.answered.iter_mut().rev();
        let last = answered.find(|answered| answered.topic == topic && !answered.taken_back);
        let Some(last) = last else { return };
        last.taken_back = true;
        let intercom = &self.stage.vendors.intercom;
        let mut were_lost = false;
        intercom.configure(|options| were_lost = std::mem::take(&mut options.lose_notifications));
        intercom.agent_redacts(&last.part);
        intercom.configure(|options| options.lose_notifications = were_lost);
    }

    /// An agent closes a topic's conversation without a word; tells whether there was one.
    pub(super) fn close(&self, topic: usize) -> bool {
        let Some(conversation) = self.conversation(topic) else {
            return false;
        };
        let (admin, _) = &self.agents[0];
        self.stage.vendors.intercom.agent_closes(&conversation, admin);
        true
    }

    /// A topic is deleted, if it may be.
    pub(super) fn delete(&mut self, topic: usize) {
        if let Some(place) = self.place(topic).filter(|_| Self::may_be_deleted(topic))
            && let Some(id) = place.topic
        {
            self.stage.vendors.telegram.delete_topic(place.chat, id);
        }
    }

    /// Looks where every topic is now.
    pub(super) fn look_around(&mut self) {
        for topic in 0..self.topics.len() {
            self.place(topic);
        }
    }

    /// Where a topic is now: if it was deleted, where another of its name is.
    fn place(&mut self, topic: usize) -> Option<Place> {
        let topic = &mut self.topics[topic];
        let last = topic.places.last().copied()?;
        let mut there = self.stage.vendors.telegram.topics(last.chat);
        there.retain(|one| !one.deleted && one.name == topic.title);
        let place = Place::topic(last.chat, there.last()?.id);
        if place != last {
            topic.places.push(place);
        }
        Some(place)
    }

    /// The newest conversation of a topic.
    fn conversation(&self, topic: usize) -> Option<String> {
        self.conversations(topic).pop()
    }

    /// The conversations of a topic, the oldest first: they open with a link to it.
    pub(super) fn conversations(&self, topic: usize) -> Vec<String> {
        let link = |place: &Place| {
            let group = -place.chat - 1_000_000_000_000;
            format!("https://t.me/c/{group}/{}/", place.topic.unwrap_or_default())
        };
        let links: Vec<String> = self.topics[topic].places.iter().map(link).collect();
        let openings = self.stage.vendors.intercom.openings().into_iter();
        openings
            .filter(|(_, text)| links.iter().any(|link| text.contains(link)))
            .map(|(id, _)| id)
            .collect()
    }
}

fn group(vendors: &Vendors, sam: UserId, number: usize) -> (i64, Vec<(UserId, String)>) {
    let telegram = &vendors.telegram;
    let chat = telegram.supergroup(&format!("Group {number}"), true);
    telegram.promote_bot(&vendors.bot, chat, Rights::all());
    telegram.add_member(chat, sam);
    let customer = |at: usize| {
        let last = format!("No{number}{at}");
        let user = telegram.user("Maria", Some(&last), None);
        telegram.add_member(chat, user);
        (user, format!("Maria {last}"))
    };
    (chat, (0..CUSTOMERS).map(customer).collect())
}

fn topic(vendors: &Vendors, groups: &[(i64, Vec<(UserId, String)>)], number: usize) -> Topic {
    let (chat, people) = &groups[number % groups.len()];
    let customers = [0, 1].map(|at| people[(number / groups.len() + at) % people.len()].clone());
    let title = format!("Topic {number}");
    let id = vendors.telegram.create_topic(customers[0].0, *chat, &title);
    Topic {
        title,
        places: vec![Place::topic(*chat, id)],
        customers,
    }
}
