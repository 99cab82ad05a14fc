//! The scenes: what people do, and what everybody has to see in the end, whatever died on the way.

mod agents;
mod albums;
mod conversations;
mod customers;
mod files;
mod healing;
mod topics;

use crate::tap::Tap;
use bridgectl::stage::{Setting, Stage, Vendors};
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
    pub(crate) play: for<'w> fn(&'w World) -> Played<'w>,
}

/// All scenes.
pub const SCENES: &[Scene] = &[
    Scene {
        name: "a customer opens a conversation and goes on",
        variables: &[],
        play: |world| Box::pin(customers::opens(world)),
    },
    Scene {
        name: "two customers in one topic",
        variables: &[],
        play: |world| Box::pin(customers::two_customers(world)),
    },
    Scene {
        name: "the same word again and again",
        variables: &[],
        play: |world| Box::pin(customers::same_word(world)),
    },
    Scene {
        name: "an agent answers, in three messages",
        variables: &[],
        play: |world| Box::pin(agents::long_answer(world)),
    },
    Scene {
        name: "an agent answers with files",
        variables: &[],
        play: |world| Box::pin(agents::files(world)),
    },
    Scene {
        name: "an agent answers with an album",
        variables: &[],
        play: |world| Box::pin(agents::album(world)),
    },
    Scene {
        name: "staff and agent say the same",
        variables: &[],
        play: |world| Box::pin(agents::staff(world)),
    },
    Scene {
        name: "a message is corrected",
        variables: &[],
        play: |world| Box::pin(customers::corrected(world)),
    },
    Scene {
        name: "an answer is taken back",
        variables: &[],
        play: |world| Box::pin(agents::redacted(world)),
    },
    Scene {
        name: "an answer is taken back before it was sent",
        variables: &[],
        play: |world| Box::pin(agents::redacted_in_time(world)),
    },
    Scene {
        name: "staff answer the bot where each customer has a conversation",
        variables: &[("CONVERSATION_PER", "user")],
        play: |world| Box::pin(agents::staff_answer_the_bot(world)),
    },
    Scene {
        name: "files are too big",
        variables: &[],
        play: |world| Box::pin(files::too_big(world)),
    },
    Scene {
        name: "the addresses of files end before they are sent",
        variables: &[],
        play: |world| Box::pin(files::address_has_ended(world)),
    },
    Scene {
        name: "each customer has a conversation",
        variables: &[("CONVERSATION_PER", "user")],
        play: |world| Box::pin(customers::per_user(world)),
    },
    Scene {
        name: "notifications are lost and swept up",
        variables: &[],
        play: |world| Box::pin(agents::swept(world)),
    },
    Scene {
        name: "a closed conversation is followed by another",
        variables: &[("NEW_CONVERSATION", "after_close")],
        play: |world| Box::pin(conversations::after_close(world)),
    },
    Scene {
        name: "an answer is given up and put back",
        variables: &[("GIVE_UP_AFTER", "20m")],
        play: |world| Box::pin(agents::redriven(world)),
    },
    Scene {
        name: "a conversation is deleted",
        variables: &[],
        play: |world| Box::pin(conversations::deleted(world)),
    },
    Scene {
        name: "a conversation is merged into another",
        variables: &[],
        play: |world| Box::pin(conversations::merged(world)),
    },
    Scene {
        name: "a conversation is followed by another after days of silence",
        variables: &[("NEW_CONVERSATION", "after_days:2")],
        play: |world| Box::pin(conversations::after_days(world)),
    },
    Scene {
        name: "an agent answers where no topic belongs",
        variables: &[],
        play: |world| Box::pin(conversations::unlinked(world)),
    },
    Scene {
        name: "a contact is deleted",
        variables: &[],
        play: |world| Box::pin(healing::contact_deleted(world)),
    },
    Scene {
        name: "a contact is merged into another",
        variables: &[],
        play: |world| Box::pin(healing::contact_merged(world)),
    },
    Scene {
        name: "a contact is archived",
        variables: &[],
        play: |world| Box::pin(healing::contact_archived(world)),
    },
    Scene {
        name: "a group moves with messages in its queue",
        variables: &[],
        play: |world| Box::pin(healing::moved(world)),
    },
    Scene {
        name: "a topic is deleted",
        variables: &[],
        play: |world| Box::pin(topics::deleted(world)),
    },
    Scene {
        name: "a topic with a conversation for each customer is deleted",
        variables: &[("CONVERSATION_PER", "user")],
        play: |world| Box::pin(topics::deleted_under_two(world)),
    },
    Scene {
        name: "a customer sends photos",
        variables: &[],
        play: |world| Box::pin(customers::photos(world)),
    },
    Scene {
        name: "albums among texts",
        variables: &[],
        play: |world| Box::pin(albums::among_texts(world)),
    },
    Scene {
        name: "an album opens a conversation",
        variables: &[],
        play: |world| Box::pin(albums::opens(world)),
    },
    Scene {
        name: "an item of an album is not given out",
        variables: &[],
        play: |world| Box::pin(albums::without_an_item(world)),
    },
    Scene {
        name: "an item of an album is corrected",
        variables: &[],
        play: |world| Box::pin(albums::corrected(world)),
    },
    Scene {
        name: "staff send an album",
        variables: &[],
        play: |world| Box::pin(albums::of_staff(world)),
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
        let mut setting = setting;
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
