//! The tap at both vendors.

use super::{Mode, Tapped, call};
use async_trait::async_trait;
use bridge::{
    failure::{HelpdeskError, MessengerError},
    intercom_message::Conversation,
    media::Media,
    ports::{
        Assignee, ChangedPage, Download, EnsuredContact, FlatText, Helpdesk, HelpdeskIdentity, Messenger,
        MessengerIdentity, NewContact, Place, Reply,
    },
    rich_text::RichText,
};
use mapping::{AdminId, ChatId, ContactId, ConversationId, CustomerId, FileId, MessageId, PartId, Timestamp, TopicId};
use std::sync::Arc;

fn doubtful() -> HelpdeskError {
    HelpdeskError::Unknown {
        reason: "the answer was lost".into(),
    }
}

/// The calls that are also played late: those that make what can be seen and looked for.
pub(crate) const MAY_BE_LATE: [&str; 5] = [
    "intercom open conversation",
    "intercom reply as contact",
    "intercom reply as admin",
    "intercom add note",
    "telegram create topic",
];

/// The calls that change nothing.
pub(crate) const READS: [&str; 10] = [
    "store get",
    "store list",
    "intercom identity",
    "intercom contact",
    "intercom find opened",
    "intercom conversation",
    "intercom changed since",
    "intercom download",
    "telegram identity",
    "telegram administrators",
];

/// A call that may also happen when nobody waits for it any more.
macro_rules! late {
    ($self:ident, $name:expr, $method:ident($($argument:ident),*)) => {
        match $self.tap.enter($name).await {
            Some(Mode::Late) => {
                let to = Arc::clone(&$self.to);
                $(let $argument = $argument.clone();)*
                $self.tap.later(async move { drop(to.$method($(&$argument),*).await) });
                Err(doubtful())
            }
            mode => call!($self, mode, $self.to.$method($($argument),*), doubtful()),
        }
    };
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
        call!(
            self,
            self.tap.enter("intercom identity").await,
            self.to.identity(),
            unread()
        )
    }

    async fn ensure_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom ensure contact").await,
            self.to.ensure_contact(contact),
            doubtful()
        )
    }

    async fn contact(&self, contact: &ContactId) -> Result<Option<ContactId>, HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom contact").await,
            self.to.contact(contact),
            unread()
        )
    }

    async fn rename_contact(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom rename contact").await,
            self.to.rename_contact(contact, name),
            doubtful()
        )
    }

    async fn open_conversation(&self, contact: &ContactId, message: &Reply) -> Result<ConversationId, HelpdeskError> {
        late!(self, "intercom open conversation", open_conversation(contact, message))
    }

    async fn find_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom find opened").await,
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
        late!(
            self,
            "intercom reply as contact",
            reply_as_contact(conversation, contact, reply)
        )
    }

    async fn reply_as_admin(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        late!(
            self,
            "intercom reply as admin",
            reply_as_admin(conversation, admin, reply)
        )
    }

    async fn add_note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        note: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        late!(self, "intercom add note", add_note(conversation, admin, note))
    }

    async fn attach(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom attach").await,
            self.to.attach(conversation, admin, contact),
            doubtful()
        )
    }

    async fn set_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom set title").await,
            self.to.set_title(conversation, title),
            doubtful()
        )
    }

    async fn set_closed(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        closed: bool,
    ) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom set closed").await,
            self.to.set_closed(conversation, admin, closed),
            doubtful()
        )
    }

    async fn tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom tag").await,
            self.to.tag(conversation, admin, tag),
            doubtful()
        )
    }

    async fn assign(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom assign").await,
            self.to.assign(conversation, admin, assignee),
            doubtful()
        )
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError> {
        let read = call!(
            self,
            self.tap.enter("intercom conversation").await,
            self.to.conversation(conversation),
            unread()
        )?;
        Ok(self.tap.read(read))
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<ChangedPage, HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom changed since").await,
            self.to.changed_since(since, cursor),
            unread()
        )
    }

    fn keeps(&self, url: &str) -> bool {
        self.to.keeps(url)
    }

    async fn download(&self, url: &str, most: u64, now: Timestamp) -> Result<Download, HelpdeskError> {
        call!(
            self,
            self.tap.enter("intercom download").await,
            self.to.download(url, most, now),
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
        call!(
            self,
            self.tap.enter("telegram identity").await,
            self.to.identity(),
            unread_in_telegram()
        )
    }

    fn compose(&self, text: &RichText) -> Vec<FlatText> {
        self.to.compose(text)
    }

    async fn send(&self, place: Place, text: &FlatText) -> Result<MessageId, MessengerError> {
        call!(self, self.tap.enter(SEND).await, self.to.send(place, text), lost())
    }

    async fn send_media(
        &self,
        place: Place,
        media: &[Media],
        caption: Option<&FlatText>,
    ) -> Result<Vec<MessageId>, MessengerError> {
        call!(
            self,
            self.tap.enter(SEND).await,
            self.to.send_media(place, media, caption),
            lost()
        )
    }

    async fn administrators(&self, chat: ChatId) -> Result<Vec<CustomerId>, MessengerError> {
        call!(
            self,
            self.tap.enter("telegram administrators").await,
            self.to.administrators(chat),
            unread_in_telegram()
        )
    }

    async fn delete(&self, chat: ChatId, message: MessageId) -> Result<(), MessengerError> {
        call!(
            self,
            self.tap.enter("telegram delete").await,
            self.to.delete(chat, message),
            lost()
        )
    }

    async fn download(&self, file: &FileId, most: u64) -> Result<Download, MessengerError> {
        call!(
            self,
            self.tap.enter("telegram download").await,
            self.to.download(file, most),
            unread_in_telegram()
        )
    }

    async fn set_topic_closed(&self, chat: ChatId, topic: TopicId, closed: bool) -> Result<(), MessengerError> {
        call!(
            self,
            self.tap.enter("telegram set topic closed").await,
            self.to.set_topic_closed(chat, topic, closed),
            lost()
        )
    }

    async fn create_topic(&self, chat: ChatId, title: &str) -> Result<TopicId, MessengerError> {
        match self.tap.enter("telegram create topic").await {
            Some(Mode::Late) => {
                let (to, title) = (Arc::clone(&self.to), title.to_owned());
                self.tap.later(async move { drop(to.create_topic(chat, &title).await) });
                Err(lost())
            }
            mode => call!(self, mode, self.to.create_topic(chat, title), lost()),
        }
    }
}
