//! Setting the scene: who there is and how the bridge is set, before it starts.

use crate::{recorder::Recorder, world::World};
use bridgectl::stage::{Poison, Ports, Setting, Stage, Vendors};
use simulators::{
    SimClock,
    intercom::Scope,
    telegram::{Right, Rights, UserId},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tempfile::TempDir;

/// 2026-01-15 09:00 UTC: no scenario depends on the day on which it is played.
const MORNING_MS: i64 = 1_768_467_600_000;

/// What the README has the Intercom app ask for: to read and write conversations and users, to read admins, to read and write tags.
pub const SCOPES: [Scope; 7] = [
    Scope::ReadConversations,
    Scope::WriteConversations,
    Scope::ReadUsers,
    Scope::WriteUsers,
    Scope::ReadAdmins,
    Scope::ReadTags,
    Scope::WriteTags,
];

/// The rights that the README has the bot be given.
fn as_the_readme_says() -> Rights {
    Rights::none().with(Right::ManageTopics).with(Right::DeleteMessages)
}

/// The vendors and the people, before there is a bridge.
pub struct Scene {
    /// Both vendors.
    pub vendors: Vendors,
    /// The group that is bridged: "Acme Support", with topics.
    pub forum: i64,
    /// A customer: Maria Lopez, whose @name is `maria_l`.
    pub maria: UserId,
    /// Another: Ken, who has no other name.
    pub ken: UserId,
    /// A colleague who is in the group: Sam Hill. A customer like others, unless the scene says otherwise.
    pub sam: UserId,
    /// Who answers in Intercom: Anna Weber.
    pub anna: String,
    chats: Vec<i64>,
    setting: Setting,
    folder: Option<TempDir>,
}

impl Scene {
    /// The usual people in the usual group.
    pub async fn new() -> Self {
        let vendors = Vendors::start(SimClock::manual(MORNING_MS)).await;
        let telegram = &vendors.telegram;
        let forum = telegram.supergroup("Acme Support", true);
        telegram.promote_bot(&vendors.bot, forum, as_the_readme_says());
        telegram.enforce_pace(true);
        vendors.intercom.configure(|options| options.scopes = SCOPES.into());
        let maria = telegram.user("Maria", Some("Lopez"), Some("maria_l"));
        let ken = telegram.user("Ken", None, None);
        let sam = telegram.user("Sam", Some("Hill"), None);
        for user in [maria, ken, sam] {
            telegram.add_member(forum, user);
        }
        let anna = vendors.intercom.admin("Anna Weber");
        Self {
            vendors,
            forum,
            maria,
            ken,
            sam,
            anna,
            chats: vec![forum],
            setting: Setting::default(),
            folder: None,
        }
    }

    /// With this setting.
    #[must_use]
    pub fn set(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.setting.variables.push((variable, value.into()));
        self
    }

    /// With this chat on the list too.
    #[must_use]
    pub fn bridging(mut self, chat: i64) -> Self {
        self.chats.push(chat);
        self
    }

    /// With Sam Hill as staff, known in Intercom as an admin of the same name.
    #[must_use]
    pub fn with_sam_as_admin(self) -> Self {
        let admin = self.vendors.intercom.admin("Sam Hill");
        let staff = format!("{}={admin}", self.sam.0);
        self.set("STAFF", staff)
    }

    /// With Sam Hill as staff who is nobody in Intercom.
    #[must_use]
    pub fn with_sam_as_staff(self) -> Self {
        let staff = self.sam.0.to_string();
        self.set("STAFF", staff)
    }

    /// With a bridge that gives a call up after so short a (real) time.
    #[must_use]
    pub fn with_calls_of(mut self, timeout: Duration) -> Self {
        self.setting.call_timeout = Some(timeout);
        self
    }

    /// With workers that die of this.
    #[must_use]
    pub fn poisoned_by(mut self, poison: Poison) -> Self {
        self.setting.poison = Some(poison);
        self
    }

    /// With a file that outlives the bridge, so that it can be started anew.
    #[must_use]
    pub fn with_file(mut self) -> Self {
        let folder = TempDir::new().expect("a folder for the file");
        self.setting.data = Some(folder.path().join("bridge.db"));
        self.folder = Some(folder);
        self
    }

    /// Starts the bridge.
    pub async fn open(self) -> World {
        let chats: Vec<String> = self.chats.iter().map(ToString::to_string).collect();
        let mut setting = self.setting;
        setting.variables.push(("TELEGRAM_CHATS", chats.join(",")));
        let (stage, store) = set(self.vendors, setting.clone()).await;
        let world = World {
            stage,
            store,
            forum: self.forum,
            maria: self.maria,
            ken: self.ken,
            sam: self.sam,
            anna: self.anna,
            setting,
            folder: self.folder,
            is_finished: false,
        };
        // The first ping, and that people joined, is nothing to any scenario.
        world.settle().await;
        world
    }
}

/// Starts a bridge, and keeps an eye on its table.
pub(crate) async fn set(vendors: Vendors, mut setting: Setting) -> (Stage, Recorder) {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    setting.wrap = Some(Arc::new(move |ports: Ports| {
        let recorder = Recorder::new(Arc::clone(&ports.store));
        *keep.lock().unwrap_or_else(PoisonError::into_inner) = Some(recorder.clone());
        Ports {
            store: Arc::new(recorder),
            ..ports
        }
    }));
    let stage = Stage::set(vendors, &setting).await.expect("a stage");
    let recorder = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
    (stage, recorder.expect("the store of the stage"))
}
