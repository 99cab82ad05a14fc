//! The vendors, asked only while there is time for the answer: a call that Lambda cuts off may have happened, one that was not begun
//! comes again at once.

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
use mapping::{
    AdminId, ChatId, Clock, ContactId, ConversationId, CustomerId, FileId, MessageId, PartId, Timestamp, TopicId,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// Until when the process may work on its event.
pub(crate) struct Deadline {
    clock: Arc<dyn Clock>,
    at_millis: AtomicI64,
}

impl Deadline {
    /// No deadline, as long as none is set.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let at_millis = AtomicI64::new(i64::MAX);
        Arc::new(Self { clock, at_millis })
    }

    /// From now on it is this one.
    pub(crate) fn set(&self, at: Timestamp) {
        self.at_millis.store(at.as_millis(), Ordering::Relaxed);
    }

    /// From now on there is none: whoever works watches the time by itself.
    pub(crate) fn lift(&self) {
        self.at_millis.store(i64::MAX, Ordering::Relaxed);
    }

    /// How much time is left.
    pub(crate) fn left(&self) -> Duration {
        Timestamp::from_millis(self.at_millis.load(Ordering::Relaxed)).since(self.clock.now())
    }
}

/// A vendor's client that begins no call for whose answer there is no time.
pub(crate) struct Punctual<C> {
    client: C,
    deadline: Arc<Deadline>,
    call: Duration,
    file: Duration,
}

/// There is no time left for a call.
struct TooLate;

impl<C> Punctual<C> {
    /// A call of this client takes at most so long; one that moves files, at most that long.
    pub(crate) fn new(client: C, deadline: &Arc<Deadline>, call: Duration, file: Duration) -> Self {
        let deadline = Arc::clone(deadline);
        Self {
            client,
            deadline,
            call,
            file,
        }
    }

    fn in_time(&self) -> Result<&C, TooLate> {
        self.in_time_for(self.call)
    }

    fn in_time_for_files(&self) -> Result<&C, TooLate> {
        self.in_time_for(self.file)
    }

    fn in_time_to_say(&self, reply: &Reply) -> Result<&C, TooLate> {
        if reply.files.is_empty() {
            self.in_time()
        } else {
            self.in_time_for_files()
        }
    }

    fn in_time_for(&self, call: Duration) -> Result<&C, TooLate> {
        let enough = self.deadline.left() >= call;
        enough.then_some(&self.client).ok_or(TooLate)
    }

    /// What takes several requests has no more time than one. Only for what can be cut anywhere and begun again.
    async fn within_a_call<T>(
        &self,
        requests: impl Future<Output = Result<T, HelpdeskError>> + Send,
    ) -> Result<T, HelpdeskError> {
        tokio::time::timeout(self.call, requests)
            .await
            .unwrap_or_else(|_| Err(TooLate.into()))
    }
}

const TOO_LATE: &str = "the function's time is over";

impl From<TooLate> for HelpdeskError {
    fn from(_: TooLate) -> Self {
        Self::Transient {
            after: Some(Duration::ZERO),
            reason: TOO_LATE.into(),
        }
    }
}

impl From<TooLate> for MessengerError {
    fn from(_: TooLate) -> Self {
        Self::Transient {
            after: Some(Duration::ZERO),
            throttled: false,
            reason: TOO_LATE.into(),
        }
    }
}

#[async_trait]
impl<C: Helpdesk> Helpdesk for Punctual<C> {
    async fn identity(&self) -> Result<HelpdeskIdentity, HelpdeskError> {
        self.in_time()?.identity().await
    }

    async fn ensure_contact(&self, contact: &NewContact) -> Result<EnsuredContact, HelpdeskError> {
        self.within_a_call(self.in_time()?.ensure_contact(contact)).await
    }

    async fn contact(&self, contact: &ContactId) -> Result<Option<ContactId>, HelpdeskError> {
        self.within_a_call(self.in_time()?.contact(contact)).await
    }

    async fn rename_contact(&self, contact: &ContactId, name: &str) -> Result<(), HelpdeskError> {
        self.in_time()?.rename_contact(contact, name).await
    }

    async fn open_conversation(&self, contact: &ContactId, message: &Reply) -> Result<ConversationId, HelpdeskError> {
        self.in_time()?.open_conversation(contact, message).await
    }

    async fn find_opened(
        &self,
        contact: &ContactId,
        marker: &str,
        since: Timestamp,
    ) -> Result<Option<ConversationId>, HelpdeskError> {
        self.within_a_call(self.in_time()?.find_opened(contact, marker, since))
            .await
    }

    async fn reply_as_contact(
        &self,
        conversation: &ConversationId,
        contact: &ContactId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.in_time_to_say(reply)?
            .reply_as_contact(conversation, contact, reply)
            .await
    }

    async fn reply_as_admin(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.in_time_to_say(reply)?
            .reply_as_admin(conversation, admin, reply)
            .await
    }

    async fn add_note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        note: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        self.in_time_to_say(note)?.add_note(conversation, admin, note).await
    }

    async fn attach(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        contact: &ContactId,
    ) -> Result<(), HelpdeskError> {
        self.in_time()?.attach(conversation, admin, contact).await
    }

    async fn set_title(&self, conversation: &ConversationId, title: &str) -> Result<(), HelpdeskError> {
        self.in_time()?.set_title(conversation, title).await
    }

    async fn set_closed(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        closed: bool,
    ) -> Result<(), HelpdeskError> {
        self.in_time()?.set_closed(conversation, admin, closed).await
    }

    async fn tag(&self, conversation: &ConversationId, admin: &AdminId, tag: &str) -> Result<(), HelpdeskError> {
        self.within_a_call(self.in_time()?.tag(conversation, admin, tag)).await
    }

    async fn assign(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        assignee: &Assignee,
    ) -> Result<(), HelpdeskError> {
        self.in_time()?.assign(conversation, admin, assignee).await
    }

    async fn conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError> {
        self.in_time()?.conversation(conversation).await
    }

    async fn changed_since(&self, since: Timestamp, cursor: Option<&str>) -> Result<ChangedPage, HelpdeskError> {
        self.in_time()?.changed_since(since, cursor).await
    }

    fn keeps(&self, url: &str) -> bool {
        self.client.keeps(url)
    }

    async fn download(&self, url: &str, most: u64, now: Timestamp) -> Result<Download, HelpdeskError> {
        self.in_time_for_files()?.download(url, most, now).await
    }
}

#[async_trait]
impl<C: Messenger> Messenger for Punctual<C> {
    async fn identity(&self) -> Result<MessengerIdentity, MessengerError> {
        self.in_time()?.identity().await
    }

    fn compose(&self, text: &RichText) -> Vec<FlatText> {
        self.client.compose(text)
    }

    async fn send(&self, place: Place, text: &FlatText) -> Result<MessageId, MessengerError> {
        self.in_time()?.send(place, text).await
    }

    async fn send_media(
        &self,
        place: Place,
        media: &[Media],
        caption: Option<&FlatText>,
    ) -> Result<Vec<MessageId>, MessengerError> {
        self.in_time_for_files()?.send_media(place, media, caption).await
    }

    async fn administrators(&self, chat: ChatId) -> Result<Vec<CustomerId>, MessengerError> {
        self.in_time()?.administrators(chat).await
    }

    async fn delete(&self, chat: ChatId, message: MessageId) -> Result<(), MessengerError> {
        self.in_time()?.delete(chat, message).await
    }

    async fn download(&self, file: &FileId, most: u64) -> Result<Download, MessengerError> {
        self.in_time_for_files()?.download(file, most).await
    }

    async fn set_topic_closed(&self, chat: ChatId, topic: TopicId, closed: bool) -> Result<(), MessengerError> {
        self.in_time()?.set_topic_closed(chat, topic, closed).await
    }

    async fn create_topic(&self, chat: ChatId, title: &str) -> Result<TopicId, MessengerError> {
        self.in_time()?.create_topic(chat, title).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bridge::failure::Failure;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(43_200)
        }
    }

    #[test]
    fn a_call_is_begun_while_there_is_time_for_it() {
        let deadline = Deadline::new(Arc::new(Noon));
        let client = Punctual::new("client", &deadline, Duration::from_secs(25), Duration::from_mins(1));
        assert!(client.in_time().is_ok());
        deadline.set(Noon.now() + Duration::from_secs(25));
        assert!(client.in_time().is_ok());
        assert!(client.in_time_for_files().is_err());
        deadline.set(Noon.now() + Duration::from_secs(24));
        assert!(client.in_time().is_err());
        deadline.lift();
        assert!(client.in_time().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_several_requests_takes_no_longer_than_one() {
        let deadline = Deadline::new(Arc::new(Noon));
        let client = Punctual::new("client", &deadline, Duration::from_secs(25), Duration::from_mins(1));
        let begun = tokio::time::Instant::now();
        let endless = client.within_a_call(std::future::pending::<Result<(), HelpdeskError>>());
        assert!(endless.await.is_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(25));
    }

    #[test]
    fn what_was_not_begun_comes_again_at_once() {
        let again = Failure::Transient {
            after: Some(Duration::ZERO),
        };
        assert_eq!(HelpdeskError::from(TooLate).failure(), again);
        assert_eq!(MessengerError::from(TooLate).failure(), again);
    }
}
