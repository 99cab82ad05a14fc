//! The scenes: what people do, and what everybody has to see in the end, whatever died on the way.

mod agents;
mod albums;
mod conversations;
mod customers;
mod endings;
mod files;
mod healing;
mod patience;
mod topics;

use crate::tap::Tap;
use bridgectl::stage::{Poison, Setting, Stage, Vendors};
use local::QueueName;
use simulators::{
    SimClock,
    intercom::Reply,
    telegram::{Place, Rights, UserId},
};
use std::{future::Future, pin::Pin, sync::Arc};

/// What has to be seen in the end.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// For each conversation by title: who said what, in order, notes left out. An opening message's link is left out.
    pub(crate) agents: Vec<(&'static str, Vec<(&'static str, String)>)>,
    /// For each conversation, whatever its title, in no order: the same. Nothing is looked at, if it is empty.
    pub(crate) inbox: Vec<Vec<(&'static str, String)>>,
    /// For each topic: what the bot wrote there, in order.
    pub(crate) customers: Vec<(Place, Vec<String>)>,
    /// What a customer may still see if a worker ended in the one window: a second copy whose message nobody knows.
    pub(crate) strays: Vec<String>,
    /// Pieces of text that must not stand in the table.
    pub(crate) texts: Vec<String>,
    /// What has been given up in the end.
    pub(crate) dead_letters: u64,
}

/// The people of a scene, and where they are.
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) forum: i64,
    /// A basic group, which the bot is not in.
    pub(crate) group: i64,
    pub(crate) maria: UserId,
    pub(crate) ken: UserId,
    pub(crate) sam: UserId,
    pub(crate) anna: String,
    tap: Arc<Tap>,
}

type Played<'w> = Pin<Box<dyn Future<Output = anyhow::Result<Expected>> + Send + 'w>>;

/// One scene.
#[derive(Clone, Copy)]
pub struct Scene {
    /// What happens in it.
    pub name: &'static str,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// At which word workers die in it.
    pub(crate) poison: Option<Poison>,
    pub(crate) play: for<'w> fn(&'w World) -> Played<'w>,
}

const fn scene(
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    play: for<'w> fn(&'w World) -> Played<'w>,
) -> Scene {
    Scene {
        name,
        variables,
        poison: None,
        play,
    }
}

/// All scenes.
pub const SCENES: &[Scene] = &[
    scene("a customer opens a conversation and goes on", &[], |world| {
        Box::pin(customers::opens(world))
    }),
    scene("two customers in one topic", &[], |world| {
        Box::pin(customers::two_customers(world))
    }),
    scene("the same word again and again", &[], |world| {
        Box::pin(customers::same_word(world))
    }),
    scene("an agent answers, in three messages", &[], |world| {
        Box::pin(agents::long_answer(world))
    }),
    scene("an agent answers with files", &[], |world| {
        Box::pin(agents::files(world))
    }),
    scene("an agent answers with an album", &[], |world| {
        Box::pin(agents::album(world))
    }),
    scene("staff and agent say the same", &[], |world| {
        Box::pin(agents::staff(world))
    }),
    scene("a message is corrected", &[], |world| {
        Box::pin(customers::corrected(world))
    }),
    scene("an answer is taken back", &[], |world| {
        Box::pin(agents::redacted(world))
    }),
    scene("an answer is taken back before it was sent", &[], |world| {
        Box::pin(agents::redacted_in_time(world))
    }),
    scene(
        "staff answer the bot where each customer has a conversation",
        &[("CONVERSATION_PER", "user")],
        |world| Box::pin(agents::staff_answer_the_bot(world)),
    ),
    scene("files are too big", &[], |world| Box::pin(files::too_big(world))),
    scene("the addresses of files end before they are sent", &[], |world| {
        Box::pin(files::address_has_ended(world))
    }),
    scene(
        "each customer has a conversation",
        &[("CONVERSATION_PER", "user")],
        |world| Box::pin(customers::per_user(world)),
    ),
    scene("notifications are lost and swept up", &[], |world| {
        Box::pin(agents::swept(world))
    }),
    scene(
        "a closed conversation is followed by another",
        &[("NEW_CONVERSATION", "after_close")],
        |world| Box::pin(conversations::after_close(world)),
    ),
    scene(
        "an answer is given up and put back",
        &[("GIVE_UP_AFTER", "20m")],
        |world| Box::pin(agents::redriven(world)),
    ),
    scene("a conversation is deleted", &[], |world| {
        Box::pin(conversations::deleted(world))
    }),
    scene("a conversation is merged into another", &[], |world| {
        Box::pin(conversations::merged(world))
    }),
    scene(
        "a conversation is followed by another after days of silence",
        &[("NEW_CONVERSATION", "after_days:2")],
        |world| Box::pin(conversations::after_days(world)),
    ),
    scene("an agent answers where no topic belongs", &[], |world| {
        Box::pin(conversations::unlinked(world))
    }),
    scene("a contact is deleted", &[], |world| {
        Box::pin(healing::contact_deleted(world))
    }),
    scene("a contact is merged into another", &[], |world| {
        Box::pin(healing::contact_merged(world))
    }),
    scene("a contact is archived", &[], |world| {
        Box::pin(healing::contact_archived(world))
    }),
    scene("a group moves with messages in its queue", &[], |world| {
        Box::pin(healing::moved(world))
    }),
    scene(
        "a topic and its conversation are closed and opened",
        &[("TOPIC_STATES", "follow")],
        |world| Box::pin(topics::closed(world)),
    ),
    scene("a topic is deleted", &[], |world| Box::pin(topics::deleted(world))),
    scene(
        "a topic with a conversation for each customer is deleted",
        &[("CONVERSATION_PER", "user")],
        |world| Box::pin(topics::deleted_under_two(world)),
    ),
    scene("a customer sends photos", &[], |world| {
        Box::pin(customers::photos(world))
    }),
    scene("albums among texts", &[], |world| Box::pin(albums::among_texts(world))),
    scene("an album opens a conversation", &[], |world| {
        Box::pin(albums::opens(world))
    }),
    scene("an item of an album is not given out", &[], |world| {
        Box::pin(albums::without_an_item(world))
    }),
    scene("an item of an album is corrected", &[], |world| {
        Box::pin(albums::corrected(world))
    }),
    scene("staff send an album", &[], |world| Box::pin(albums::of_staff(world))),
    scene("both vendors say that it is too much", &[], |world| {
        Box::pin(patience::throttled(world))
    }),
    scene("an answer takes long", &[], |world| Box::pin(patience::delayed(world))),
    scene("an answer cannot be begun and is put back", &[], |world| {
        Box::pin(endings::unbegun(world))
    }),
    scene("a message is given up after twelve days", &[], |world| {
        Box::pin(endings::inbound(world))
    }),
    scene("an answer is given up after twelve days", &[], |world| {
        Box::pin(endings::outbound(world))
    }),
    Scene {
        poison: Some(Poison::Read(endings::POISON)),
        ..scene("a message kills its workers", &[], |world| {
            Box::pin(endings::poison(world))
        })
    },
    Scene {
        poison: Some(Poison::Read(endings::POISON)),
        ..scene("an answer kills its workers", &[], |world| {
            Box::pin(endings::poisonous_answer(world))
        })
    },
];

/// 2026-01-15 09:00 UTC.
pub(crate) const MORNING_MS: i64 = 1_768_467_600_000;

impl World {
    pub(crate) async fn new(scene: Scene, clock: SimClock, setting: Setting, tap: Arc<Tap>) -> anyhow::Result<Self> {
        let vendors = Vendors::start(clock).await;
        let telegram = &vendors.telegram;
        let forum = telegram.supergroup("Acme Support", true);
        telegram.promote_bot(&vendors.bot, forum, Rights::all());
        let maria = telegram.user("Maria", Some("Lopez"), None);
        let ken = telegram.user("Ken", None, None);
        let sam = telegram.user("Sam", Some("Hill"), None);
        for user in [maria, ken, sam] {
            telegram.add_member(forum, user);
        }
        let group = telegram.group("Old Friends", &[sam, maria]);
        let anna = vendors.intercom.admin("Anna Weber");
        let colleague = vendors.intercom.admin("Sam Hill");
        let mut setting = Setting {
            poison: scene.poison,
            ..setting
        };
        setting.variables = vec![
            ("TELEGRAM_CHATS", format!("{forum},{group}")),
            ("STAFF", format!("{}={colleague}", sam.0)),
        ];
        setting
            .variables
            .extend(scene.variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let stage = Stage::set(vendors, &setting).await?;
        Ok(Self {
            stage,
            forum,
            group,
            maria,
            ken,
            sam,
            anna,
            tap,
        })
    }

    /// Lets everything happen that is due, until nothing is left to do; what happens late, too.
    async fn settle(&self) -> anyhow::Result<()> {
        self.stage.settle().await?;
        while let Some(due) = self.tap.late_call_due() {
            let clock = &self.stage.vendors.clock;
            clock.advance_to(due.max(clock.now_ms()));
            self.tap.catch_up().await;
            self.stage.settle().await?;
        }
        Ok(())
    }

    fn topic(&self, name: &str) -> Place {
        Place::topic(
            self.forum,
            self.stage.vendors.telegram.create_topic(self.maria, self.forum, name),
        )
    }

    fn say(&self, user: UserId, place: Place, text: &str) -> i64 {
        self.stage.vendors.telegram.say(user, place, text)
    }

    /// What agents are told of deliveries in the conversation that opened with this text.
    fn notes(&self, opening: &str) -> Vec<String> {
        let conversation = self
            .conversation(opening)
            .and_then(|id| self.stage.vendors.intercom.conversation(&id));
        let parts = conversation.into_iter().flat_map(|one| one.parts);
        // The first note, which says who writes where, may be missing.
        let is_told = |text: &str| text.starts_with("Not delivered to Telegram") || text.starts_with("The delayed");
        let notes = parts.filter(|part| part.kind.starts_with("note") && is_told(&part.text));
        notes.map(|note| note.text).collect()
    }

    /// What is given up is put back by the console's button, which somebody may press twice.
    async fn put_back(&self, from: QueueName, to: QueueName) -> anyhow::Result<()> {
        for _ in 0..2 {
            self.stage.machine.lanes().redrive(from, to).await?;
            self.settle().await?;
        }
        Ok(())
    }

    /// The conversation that opened with this text.
    fn conversation(&self, opening: &str) -> Option<String> {
        let conversations = self.stage.vendors.intercom.conversations();
        let opened = |part: &simulators::intercom::PartView| part.text.contains(opening);
        conversations
            .into_iter()
            .find(|one| one.parts.first().is_some_and(opened))
            .map(|one| one.id)
    }

    /// The agent answers in the conversation that opened with this text; it has to be there.
    fn answer(&self, opening: &str, html: &str) -> anyhow::Result<String> {
        self.answer_with(opening, Reply::html(html))
    }

    /// The same with more than text.
    fn answer_with(&self, opening: &str, reply: Reply) -> anyhow::Result<String> {
        let conversation = self
            .conversation(opening)
            .ok_or_else(|| anyhow::anyhow!("nothing opened with {opening:?}"))?;
        let intercom = &self.stage.vendors.intercom;
        Ok(intercom.agent_replies_with(&conversation, &self.anna, reply))
    }
}

fn said(lines: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    lines.iter().map(|(who, what)| (*who, (*what).to_owned())).collect()
}

fn read(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}
