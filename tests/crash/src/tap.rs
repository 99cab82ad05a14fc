//! The tap: it stands between the handlers and the outside, counts every call, and lets one of them be a worker's last.

use async_trait::async_trait;
use bridge::{
    failure::{HelpdeskError, MessengerError},
    intercom_message::Conversation,
    ports::{
        Assignee, ChangedPage, EnsuredContact, FlatText, Helpdesk, HelpdeskIdentity, Messenger, MessengerIdentity,
        NewContact, Place, Queue, QueueError, QueueMessage, Reply,
    },
    rich_text::RichText,
};
use bridgectl::stage::Ports;
use mapping::{
    AdminId, ChatId, ContactId, ConversationId, CustomerId, Item, Key, MessageId, PartId, Range, Store, StoreError,
    Timestamp, TopicId, Write, WriteError,
};
use std::sync::{Arc, Mutex, PoisonError};

/// How a worker ends at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It dies just before the call.
    Before,
    /// It dies just after the call.
    After,
    /// The call happens and its answer is lost; the worker lives on.
    AnswerLost,
}

/// Where a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crash {
    /// At which call, counted from 0.
    pub at: usize,
    /// How.
    pub mode: Mode,
}

/// Counts the calls, and ends a worker at one of them.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    calls: Mutex<Vec<&'static str>>,
    crash: Option<Crash>,
}

impl Tap {
    pub(crate) fn new(crash: Option<Crash>) -> Arc<Self> {
        Arc::new(Self {
            calls: Mutex::default(),
            crash,
        })
    }

    /// The calls so far, by name.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts the tap around what the handlers reach the outside through.
    pub(crate) fn around(self: &Arc<Self>, ports: Ports) -> Ports {
        let queue = |name, queue| {
            Arc::new(Tapped {
                tap: Arc::clone(self),
                to: Named { name, queue },
            }) as Arc<dyn Queue>
        };
        Ports {
            store: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.store,
            }),
            helpdesk: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.helpdesk,
            }),
            messenger: Arc::new(Tapped {
                tap: Arc::clone(self),
                to: ports.messenger,
            }),
            queues: bridge::Queues {
                inbound: queue("queue inbound", ports.queues.inbound),
                outbound: queue("queue outbound", ports.queues.outbound),
                inbound_dead: queue("queue inbound dead", ports.queues.inbound_dead),
                outbound_dead: queue("queue outbound dead", ports.queues.outbound_dead),
            },
        }
    }

    fn enter(&self, name: &'static str) -> Option<Mode> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(name);
        let at = calls.len() - 1;
        self.crash.filter(|crash| crash.at == at).map(|crash| crash.mode)
    }
}

/// What a worker says when it dies here.
pub(crate) const LAST_WORDS: &str = "a crash point";

/// Lets workers die without a word; every other panic is as loud as ever.
pub fn be_quiet_about_crashes() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(LAST_WORDS) {
            loud(panic);
        }
    }));
}

struct Tapped<T> {
    tap: Arc<Tap>,
    to: T,
}

struct Named {
    name: &'static str,
    queue: Arc<dyn Queue>,
}

macro_rules! call {
    ($self:ident, $name:expr, $call:expr, $lost:expr) => {
        match $self.tap.enter($name) {
            None => $call.await,
            Some(Mode::Before) => std::panic::panic_any(LAST_WORDS),
            Some(Mode::After) => {
                drop($call.await);
                std::panic::panic_any(LAST_WORDS)
            }
            Some(Mode::AnswerLost) => {
                drop($call.await);
                Err($lost)
            }
        }
    };
}

fn unreachable_store() -> StoreError {
    StoreError::Unavailable("the answer was lost".into())
}

#[async_trait]
impl Store for Tapped<Arc<dyn Store>> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        call!(self, "store get", self.to.get(keys), unreachable_store())
    }

    async fn list(&self, range: &Range) -> Result<Vec<Item>, StoreError> {
        call!(self, "store list", self.to.list(range), unreachable_store())
    }

    async fn write(&self, writes: &[Write]) -> Result<(), WriteError> {
        call!(
            self,
            "store write",
            self.to.write(writes),
            WriteError::Store(unreachable_store())
        )
    }
}

#[async_trait]
impl Queue for Tapped<Named> {
    async fn send(&self, message: QueueMessage) -> Result<(), QueueError> {
        let lost = QueueError::Unavailable("the answer was lost".into());
        call!(self, self.to.name, self.to.queue.send(message), lost)
    }
}

fn doubtful() -> HelpdeskError {
    HelpdeskError::Unknown {
        reason: "the answer was lost".into(),
    }
}

fn unread() -> HelpdeskError {
    HelpdeskError::Transient {
        after: None,
        reason: "the answer was lost".into(),
    }
}

#[async_trait]
impl Helpdesk for Tapped<Arc<dyn Helpdesk>> {
    async fn identity(&self) -> Result<HelpdeskIdentity, HelpdeskError> {
        call!(self, "intercom identity", self.to.identity(), unread())
    }

    async fn ensure_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError> {
        call!(
            self,
            "intercom ensure contact",
            self.to.ensure_contact(contact),
            doubtful()
        )
    }

    async fn contact(&self, contact: &ContactId) -> Result<Option<ContactId>, HelpdeskError> {
        call!(self, "intercom contact", self.to.contact(contact), unread())
    }

    async fn rename_contact(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError> {
        call!(
            self,
            "intercom rename contact",
            self.to.rename_contact(contact, name),
            doubtful()
        )
    }

    async fn open_conversation(&self, contact: &ContactId, message: &Reply) -> Result<ConversationId, HelpdeskError> {
        call!(
            self,
            "intercom open conversation",
            self.to.open_conversation(contact, message),
            doubtful()
        )
    }

    async fn find_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError> {
        call!(
            self,
            "intercom find opened",
            self.to.find_opened(contact, marker, since),
            unread()
        )
    }

    async fn reply_as_contact(
        &self,
        conversation: &ConversationId,
        contact: &ContactId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        call!(
            self,
            "intercom reply as contact",
            self.to.reply_as_contact(conversation, contact, reply),
            doubtful()
        )
    }

    async fn reply_as_admin(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        call!(
            self,
            "intercom reply as admin",
            self.to.reply_as_admin(conversation, admin, reply),
            doubtful()
        )
    }

    async fn add_note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        body: &RichText,
    ) -> Result<PartId, HelpdeskError> {
        call!(
            self,
            "intercom add note",
            self.to.add_note(conversation, admin, body),
            doubtful()
        )
    }

    async fn attach(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError> {
        call!(
            self,
            "intercom attach",
            self.to.attach(conversation, admin, contact),
            doubtful()
        )
    }

    async fn set_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError> {
        call!(
            self,
            "intercom set title",
            self.to.set_title(conversation, title),
            doubtful()
        )
    }

    async fn tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError> {
        call!(self, "intercom tag", self.to.tag(conversation, admin, tag), doubtful())
    }

    async fn assign(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError> {
        call!(
            self,
            "intercom assign",
            self.to.assign(conversation, admin, assignee),
            doubtful()
        )
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError> {
        call!(
            self,
            "intercom conversation",
            self.to.conversation(conversation),
            unread()
        )
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<ChangedPage, HelpdeskError> {
        call!(
            self,
            "intercom changed since",
            self.to.changed_since(since, cursor),
            unread()
        )
    }
}

/// The call that a crash next to it may show twice: nothing in Telegram can be looked up.
pub(crate) const SEND: &str = "telegram send";

fn lost() -> MessengerError {
    MessengerError::Unknown {
        reason: "the answer was lost".into(),
    }
}

fn unread_in_telegram() -> MessengerError {
    MessengerError::Transient {
        after: None,
        throttled: false,
        reason: "the answer was lost".into(),
    }
}

#[async_trait]
impl Messenger for Tapped<Arc<dyn Messenger>> {
    async fn identity(&self) -> Result<MessengerIdentity, MessengerError> {
        call!(self, "telegram identity", self.to.identity(), unread_in_telegram())
    }

    fn compose(&self, text: &RichText) -> Vec<FlatText> {
        self.to.compose(text)
    }

    async fn send(&self, place: Place, text: &FlatText) -> Result<MessageId, MessengerError> {
        call!(self, SEND, self.to.send(place, text), lost())
    }

    async fn administrators(&self, chat: ChatId) -> Result<Vec<CustomerId>, MessengerError> {
        call!(
            self,
            "telegram administrators",
            self.to.administrators(chat),
            unread_in_telegram()
        )
    }

    async fn delete(&self, chat: ChatId, message: MessageId) -> Result<(), MessengerError> {
        call!(self, "telegram delete", self.to.delete(chat, message), lost())
    }

    async fn create_topic(&self, chat: ChatId, title: &str) -> Result<TopicId, MessengerError> {
        call!(self, "telegram create topic", self.to.create_topic(chat, title), lost())
    }
}
