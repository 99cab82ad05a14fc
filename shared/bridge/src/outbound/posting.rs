//! Posting a part in its topic: call by call, each with its receipts, its files fetched from Intercom just before.

use super::{
    part::Passage,
    plan::{Call, Plan, Planned, Reader, line_for},
};
use crate::{
    failure::{Failure, HelpdeskError, MessengerError},
    media::{MOST_BYTES, Media, MediaKind},
    ports::{Download, FlatText},
    sending::Road,
    stop::Stop,
    words::Unsent,
};
use bytes::Bytes;
use mapping::{Claim, Step};
use std::time::Duration;

/// So often Intercom is asked for a file that it does not give out.
const ATTEMPTS_FOR_A_FILE: u32 = 3;

/// So often it is asked where it does not answer: that is some ten minutes.
const ATTEMPTS_TO_REACH_IT: u32 = 9;

/// For so long the files of one call are fetched: there has to be time to send them.
const FETCHED_WITHIN: Duration = Duration::from_secs(30);

/// A part that is posted in its topic.
pub(super) struct Posting<'a> {
    passage: &'a Passage<'a>,
    road: Road<'a>,
    reader: &'a Reader<'a>,
    plan: &'a Plan,
    /// The part as it was read anew, once, for addresses that have not ended.
    fresh: Option<Plan>,
}

/// What of a call's files can be sent together.
enum Gathered {
    /// These, from the first on.
    Media(Vec<Media>),
    /// Not even the first.
    Missing(Unsent),
}

type Files<'p> = [(Step, &'p Planned)];

impl<'a> Posting<'a> {
    /// The posting of a part by this plan.
    pub(super) fn new(passage: &'a Passage<'a>, road: Road<'a>, reader: &'a Reader<'a>, plan: &'a Plan) -> Self {
        Self {
            passage,
            road,
            reader,
            plan,
            fresh: None,
        }
    }

    /// Makes the calls that have no receipt yet.
    pub(super) async fn post(&mut self, claim: &mut Claim) -> Result<(), Stop> {
        while let Some(call) = self.plan.next(&claim.delivery) {
            match call {
                Call::Text { step, text } => self.say(claim, step, text).await?,
                Call::Files { files, caption } => self.send(claim, &files, caption).await?,
            }
        }
        Ok(())
    }

    async fn say(&self, claim: &mut Claim, step: Step, text: &FlatText) -> Result<(), Stop> {
        let left = self.plan.slots(&claim.delivery);
        self.road.say(claim, step, text, left).await
    }

    async fn send(&mut self, claim: &mut Claim, files: &Files<'_>, caption: Option<&FlatText>) -> Result<(), Stop> {
        let left = self.plan.slots(&claim.delivery);
        self.road.wait_for_slots(claim, files.len(), left).await?;
        match self.gather(claim, files).await {
            Ok(Gathered::Media(media)) => self.show(claim, files, media, caption).await,
            Ok(Gathered::Missing(why)) => self.tell(claim, files, caption, why).await,
            Err(stop @ Stop::Helpdesk(_)) if claim.delivery.attempt > 0 => {
                self.say_ahead(claim, caption).await?;
                Err(stop)
            }
            Err(stop) => Err(stop),
        }
    }

    /// No file holds up the text that was to stand below it for longer than a moment.
    async fn say_ahead(&self, claim: &mut Claim, caption: Option<&FlatText>) -> Result<(), Stop> {
        match caption {
            Some(text) => {
                let left = self.plan.slots(&claim.delivery).saturating_add(1);
                self.road.say(claim, Step::Chunk(0), text, left).await
            }
            None => Ok(()),
        }
    }

    /// Shows files. What Telegram refuses is tried in a simpler way: alone, then as a document, and then it is only told.
    async fn show(
        &self,
        claim: &mut Claim,
        files: &Files<'_>,
        mut media: Vec<Media>,
        caption: Option<&FlatText>,
    ) -> Result<(), Stop> {
        let messenger = &self.road.context.messenger;
        loop {
            let steps: Vec<Step> = files.iter().take(media.len()).map(|(step, _)| *step).collect();
            let left = self.plan.slots(&claim.delivery);
            let sent = messenger.send_media(self.road.place, &media, caption);
            match self.road.call(claim, &steps, left, sent).await {
                Err(Stop::Messenger(MessengerError::Refused { reason })) => {
                    tracing::warn!(delivery.key = %claim.key(), reason, files = media.len(), "files are refused by Telegram");
                }
                went => return went,
            }
            if !simplify(&mut media) {
                drop(media);
                return self.tell(claim, files, caption, Unsent::Refused).await;
            }
        }
    }

    /// Tells that the first of these files is not sent, and where it is.
    async fn tell(
        &self,
        claim: &mut Claim,
        files: &Files<'_>,
        caption: Option<&FlatText>,
        why: Unsent,
    ) -> Result<(), Stop> {
        self.say_ahead(claim, caption).await?;
        let Some((step, file)) = files.first() else {
            return Ok(());
        };
        let line = (self.reader.compose)(&line_for(file, why, self.reader.link));
        match line.first() {
            Some(line) => self.say(claim, *step, line).await,
            None => Ok(()),
        }
    }

    /// Fetches the files of a call, as far as they can go together now that they are there.
    async fn gather(&mut self, claim: &Claim, files: &Files<'_>) -> Result<Gathered, Stop> {
        let ledger = &self.road.context.ledger;
        let began = ledger.now();
        let mut media: Vec<Media> = Vec::new();
        let mut room = MOST_BYTES;
        for (step, file) in files {
            let bytes = match self.fetch(claim, *step, file, room).await {
                Ok(Ok(bytes)) => bytes,
                Ok(Err(why)) if media.is_empty() => return Ok(Gathered::Missing(why)),
                // An album stays together for a second attempt; then what is there goes ahead, and what is not has a call of its own.
                Err(stop) if media.is_empty() || claim.delivery.attempt == 0 => return Err(stop),
                Ok(Err(_)) | Err(_) => break,
            };
            room = room.saturating_sub(bytes.len() as u64);
            let one = Media::new(&file.name, file.kind, file.content_type.as_deref(), bytes);
            if media.first().is_some_and(|first| !first.kind.goes_with(one.kind)) {
                break;
            }
            media.push(one);
            if ledger.now().since(began) > FETCHED_WITHIN {
                break;
            }
        }
        Ok(Gathered::Media(media))
    }

    async fn fetch(
        &mut self,
        claim: &Claim,
        step: Step,
        file: &Planned,
        most: u64,
    ) -> Result<Result<Bytes, Unsent>, Stop> {
        let context = self.road.context;
        let now = context.ledger.now();
        let mut fetched = context.helpdesk.download(&file.url, most, now).await;
        if matches!(fetched, Ok(Download::Unavailable))
            && let Some(url) = self.fresh_url(step, file).await?
        {
            fetched = context.helpdesk.download(&url, most, now).await;
        }
        Ok(given_out(fetched, claim.delivery.attempt)?)
    }

    /// Where the file is now: its address ends after half an hour.
    async fn fresh_url(&mut self, step: Step, file: &Planned) -> Result<Option<String>, Stop> {
        if self.fresh.is_none() {
            self.fresh = self.read_anew().await?;
        }
        let fresh = self.fresh.as_ref().and_then(|plan| plan.file(step));
        let is_same = |fresh: &&Planned| fresh.name == file.name && fresh.url != file.url;
        Ok(fresh.filter(is_same).map(|fresh| fresh.url.clone()))
    }

    async fn read_anew(&self) -> Result<Option<Plan>, Stop> {
        let conversation = &self.passage.conversation.id;
        let read = match self.road.context.helpdesk.conversation(conversation).await {
            Err(HelpdeskError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        let part = read.parts.iter().find(|part| part.id == self.passage.part.id);
        match part {
            Some(part) if part.redacted => Err(Stop::Skip("redacted")),
            part => Ok(part.map(|part| Plan::new(part, Vec::new(), self.reader))),
        }
    }
}

/// Makes the way in which files are sent simpler; tells whether there was one.
fn simplify(media: &mut Vec<Media>) -> bool {
    if media.len() > 1 {
        media.truncate(1);
        return true;
    }
    match media.first_mut() {
        Some(only) if only.kind != MediaKind::Document => {
            only.kind = MediaKind::Document;
            true
        }
        Some(_) | None => false,
    }
}

/// The file, or why it stays in Intercom. What may work later stops the part, but not for ever for the sake of one file.
fn given_out(fetched: Result<Download, HelpdeskError>, attempt: u32) -> Result<Result<Bytes, Unsent>, HelpdeskError> {
    let attempts = attempt.saturating_add(1);
    match fetched {
        Ok(Download::Whole(bytes)) => Ok(Ok(bytes)),
        Ok(Download::TooBig) => Ok(Err(Unsent::TooBig)),
        Ok(Download::Unavailable) if attempts < ATTEMPTS_FOR_A_FILE => Err(HelpdeskError::Transient {
            after: None,
            reason: "the file is not available".into(),
        }),
        Err(error) if error.failure() != Failure::Permanent && attempts < ATTEMPTS_TO_REACH_IT => Err(error),
        Ok(Download::Unavailable) | Err(_) => Ok(Err(Unsent::Unavailable)),
    }
}
