//! Saying a message in a conversation: call by call, each with its receipt, its files fetched from Telegram just before.

use super::{
    conversation::Written,
    plan::{Call, Plan},
    staff,
    worker::Passage,
};
use crate::{
    failure::{Failure, HelpdeskError, MessengerError},
    files::{self, MOST_BYTES},
    looking::{self, Accounted, Lost},
    ports::{Download, Reply, Upload},
    rich_text::RichText,
    stop::Stop,
    telegram_message::FileKind,
    words::Missing,
};
use mapping::{AdminId, Claim, ContactId, ConversationId, PartId, Proof, Timestamp, WorkspaceId};

/// So often Telegram is asked for a file that it does not give out; it does not say whether it ever will.
const ATTEMPTS_FOR_A_FILE: u32 = 3;

/// In whose name something is said, and to whom.
#[derive(Clone, Copy)]
pub(super) enum Voice<'a> {
    /// A customer's reply.
    Contact(&'a ContactId),
    /// A teammate's reply.
    Admin(&'a AdminId),
    /// An internal note.
    Note(&'a AdminId),
}

/// A message that is said in a conversation.
pub(super) struct Saying<'a> {
    pub(super) passage: &'a Passage<'a>,
    pub(super) plan: &'a Plan<'a>,
    pub(super) date: Timestamp,
    pub(super) voice: Voice<'a>,
    pub(super) workspace: &'a WorkspaceId,
    pub(super) conversation: &'a ConversationId,
}

/// The files of a call, as far as Telegram gave them out; and by their places which it did not.
struct Fetched {
    uploads: Vec<Upload>,
    missing: Vec<(usize, Missing)>,
}

impl Saying<'_> {
    /// Makes the calls that have no receipt yet.
    pub(super) async fn say(&self, claim: &mut Claim) -> Result<(), Stop> {
        let context = self.passage.context;
        self.resolve_former(claim).await?;
        while let Some(call) = self.plan.next(&claim.delivery) {
            let (part, text) = match self.find_lost(claim, &call).await? {
                Some(part) => (part, self.plan.text_of(&call, &[])),
                None => self.make(claim, &call).await?,
            };
            let is_last = self.prove(claim, &call, &part);
            if !is_last || matches!(self.voice, Voice::Admin(_)) {
                // From here on the record knows the part, so that nothing of what follows can repeat it.
                context.ledger.progress(claim).await?;
            }
            self.resolve(claim, &text, &part).await?;
        }
        Ok(())
    }

    /// Looks for the next call of a delivery where a former worker may have made it; tells whether all is there.
    pub(super) async fn look(&self, claim: &mut Claim) -> Result<bool, Stop> {
        let Some(call) = self.plan.next(&claim.delivery) else {
            return Ok(true);
        };
        let found = match self.find_lost(claim, &call).await {
            // What is not there holds nothing; it is found out elsewhere which of the two is gone.
            Err(Stop::Helpdesk(HelpdeskError::NotFound { .. })) => None,
            found => found?,
        };
        claim.may_have_gone_out = false;
        let Some(part) = found else { return Ok(false) };
        claim.delivery.conversation = Some(self.conversation.clone());
        let is_last = self.prove(claim, &call, &part);
        if !is_last {
            self.passage.context.ledger.progress(claim).await?;
        }
        Ok(is_last)
    }

    /// Keeps the receipt of a call; tells whether it was the last one.
    fn prove(&self, claim: &mut Claim, call: &Call<'_, '_>, part: &PartId) -> bool {
        claim.prove(call.step, Proof::Part(part.clone()), self.passage.context.ledger.now());
        claim.delivery.files_left = self.plan.files_left(&claim.delivery);
        claim.delivery.files_left == 0
    }

    async fn make(&self, claim: &mut Claim, call: &Call<'_, '_>) -> Result<(PartId, RichText), Stop> {
        claim.may_have_gone_out = false;
        let fetched = self.fetch(claim, call).await?;
        let text = self.plan.text_of(call, &fetched.missing);
        let reply = Reply {
            files: fetched.uploads,
            ..self.reply(call, text.clone())
        };
        let helpdesk = &self.passage.context.helpdesk;
        let part = match self.voice {
            Voice::Contact(contact) => helpdesk.reply_as_contact(self.conversation, contact, &reply).await,
            Voice::Note(admin) => helpdesk.add_note(self.conversation, admin, &reply).await,
            Voice::Admin(admin) => {
                self.reserve(claim, &text).await?;
                let made = helpdesk.reply_as_admin(self.conversation, admin, &reply).await;
                if made.as_ref().is_err_and(|error| error.failure() == Failure::Permanent) {
                    self.release(claim, &text).await?;
                }
                made
            }
        };
        Ok((part?, text))
    }

    /// What a customer said carries its time; what staff says stands where it arrives.
    fn reply(&self, call: &Call<'_, '_>, text: RichText) -> Reply {
        let written = Written::new(text, self.date);
        let plain = |created_at| Reply {
            body: written.text.clone(),
            created_at,
            files: Vec::new(),
        };
        match self.voice {
            Voice::Contact(_) if call.is_first() => written.reply(self.passage.context),
            Voice::Contact(_) => plain(written.time_to_show(self.passage.context)),
            Voice::Admin(_) | Voice::Note(_) => plain(None),
        }
    }

    async fn fetch(&self, claim: &Claim, call: &Call<'_, '_>) -> Result<Fetched, Stop> {
        let mut fetched = Fetched {
            uploads: Vec::new(),
            missing: Vec::new(),
        };
        let mut most = MOST_BYTES;
        for (at, planned) in call.files.iter().enumerate() {
            let downloaded = self.passage.context.messenger.download(&planned.file.id, most).await;
            match given_out(downloaded, claim.delivery.attempt)? {
                Ok(bytes) => {
                    most = most.saturating_sub(bytes.len() as u64);
                    let content_type = files::content_type(planned.file, &bytes);
                    let name = match planned.file.kind {
                        FileKind::Sticker => planned.name.with_type(&content_type),
                        _ => planned.name.whole(),
                    };
                    fetched.uploads.push(Upload {
                        name,
                        content_type,
                        bytes,
                    });
                }
                Err(why) => fetched.missing.push((at, why)),
            }
        }
        Ok(fetched)
    }

    async fn find_lost(&self, claim: &Claim, call: &Call<'_, '_>) -> Result<Option<PartId>, Stop> {
        if !claim.may_have_gone_out {
            return Ok(None);
        }
        looking::is_settled(self.passage.context, claim)?;
        let (context, since) = (self.passage.context, claim.delivery.since);
        let text = self.plan.text_of(call, &[]);
        let lost = match self.voice {
            Voice::Contact(contact) => {
                let dated = Written::new(text.clone(), self.date).dated();
                Lost::reply_of_contact(self.conversation, contact, &[text, dated], self.date)
            }
            Voice::Admin(admin) => Lost::reply_of_admin(self.conversation, admin, &text, since),
            Voice::Note(admin) => Lost::note(self.conversation, admin, &text, since),
        };
        let lost = lost.with_files(call.files.iter().map(|planned| &planned.name), self.plan.link());
        looking::find(context, &lost, &self.accounted(claim).await?).await
    }

    /// What other messages became.
    async fn accounted(&self, claim: &Claim) -> Result<Accounted, Stop> {
        let passage = self.passage;
        // They lie under the id that the chat had when they were written.
        let chat = passage.peek.chat.map_or(passage.chat.id, |chat| chat.id);
        looking::accounted(passage.context, passage.bot, chat, self.conversation, claim).await
    }

    /// A teammate's reply will come back as a notification, perhaps before the call returns: it is reserved before.
    async fn reserve(&self, claim: &Claim, text: &RichText) -> Result<(), Stop> {
        let (context, own) = (self.passage.context, claim.key());
        let echo = staff::echo_key(context, self.workspace, self.conversation, text).await?;
        Ok(context
            .ledger
            .change_echo(&echo, |replies| replies.reserve(own))
            .await?)
    }

    /// And released where it is refused: what is said elsewhere in its place has a reservation there.
    async fn release(&self, claim: &Claim, text: &RichText) -> Result<(), Stop> {
        let (context, own) = (self.passage.context, claim.key());
        let echo = staff::echo_key(context, self.workspace, self.conversation, text).await?;
        Ok(context
            .ledger
            .change_echo(&echo, |replies| replies.release(own))
            .await?)
    }

    /// And resolved after it.
    async fn resolve(&self, claim: &Claim, text: &RichText, part: &PartId) -> Result<(), Stop> {
        let Voice::Admin(_) = self.voice else { return Ok(()) };
        let (context, own) = (self.passage.context, claim.key());
        staff::remember_echo(context, self.workspace, part).await;
        let echo = staff::echo_key(context, self.workspace, self.conversation, text).await?;
        Ok(context
            .ledger
            .change_echo(&echo, |replies| replies.reserve(own).resolve(own, part))
            .await?)
    }

    /// A former worker may have ended between a receipt and its echo.
    async fn resolve_former(&self, claim: &Claim) -> Result<(), Stop> {
        for call in self.plan.calls(&claim.delivery) {
            if let Some(Proof::Part(part)) = claim.delivery.proof(call.step) {
                self.resolve(claim, &self.plan.text_of(&call, &[]), part).await?;
            }
        }
        Ok(())
    }
}

/// The file, or why it stays in Telegram. What may work later stops the message, but not for ever for the sake of one file.
fn given_out(
    downloaded: Result<Download, MessengerError>,
    attempt: u32,
) -> Result<Result<bytes::Bytes, Missing>, MessengerError> {
    match downloaded {
        Ok(Download::Whole(bytes)) => Ok(Ok(bytes)),
        Ok(Download::TooBig) => Ok(Err(Missing::TooBig)),
        Ok(Download::Unavailable) if attempt + 1 < ATTEMPTS_FOR_A_FILE => Err(MessengerError::Transient {
            after: None,
            throttled: false,
            reason: "the file is not available".into(),
        }),
        Ok(Download::Unavailable) => Ok(Err(Missing::Unavailable)),
        Err(error) if error.failure() == Failure::Permanent => Ok(Err(Missing::Unavailable)),
        Err(error) => Err(error),
    }
}
