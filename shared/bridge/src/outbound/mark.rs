//! How far sweeps have come, kept so that one that stops in the middle is followed by one that goes on there.

use crate::{context::Context, stop::Stop};
use mapping::{Stored, Timestamp, Unfinished, Watermark, WorkspaceId, WriteError, keys};
use std::time::Duration;

/// The watermark is looked behind by this much: search lags, and conversations change while it is read.
const LOOK_BACK: Duration = Duration::from_mins(15);

/// The watermark is not written for every conversation.
const MARK_EVERY: Duration = Duration::from_mins(1);

/// The watermark in the hands of one sweep.
pub(super) struct Mark<'c> {
    context: &'c Context,
    workspace: &'c WorkspaceId,
    stored: Option<Stored<Watermark>>,
    moves: bool,
    passed: Option<Timestamp>,
    /// From when on changes are searched.
    pub(super) from: Timestamp,
    /// From when on replies are looked for in what has changed. This is earlier where an unfinished sweep is continued: a
    /// conversation that it did not come to may hold an old reply below a new one.
    pub(super) since: Timestamp,
}

impl<'c> Mark<'c> {
    /// Where the last sweep came to. `since` or a `dry_run` leaves the watermark where it is.
    pub(super) async fn find(
        context: &'c Context,
        workspace: &'c WorkspaceId,
        since: Option<Timestamp>,
        dry_run: bool,
    ) -> Result<Self, Stop> {
        let stored = context.ledger.find::<Watermark>(&keys::watermark(workspace)).await?;
        let kept = stored.as_ref().map(|stored| &stored.value);
        let begin = since.unwrap_or_else(|| kept.map_or(context.ledger.now(), |mark| mark.at)) - LOOK_BACK;
        let unfinished = kept.and_then(|mark| mark.unfinished).filter(|_| since.is_none());
        let mut mark = Self {
            from: unfinished.map_or(begin, |unfinished| unfinished.reached),
            since: unfinished.map_or(begin, |unfinished| unfinished.since),
            context,
            workspace,
            stored,
            moves: !dry_run && since.is_none(),
            passed: None,
        };
        if mark.moves && mark.stored.is_none() {
            let at = context.ledger.now();
            mark.write(Watermark { at, unfinished: None }).await?;
        }
        Ok(mark)
    }

    /// Where it is.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.stored.as_ref().map(|stored| stored.value.at)
    }

    /// A conversation that was changed then has been looked at.
    pub(super) async fn pass(&mut self, changed: Timestamp) -> Result<(), Stop> {
        self.passed = Some(changed);
        if self.at().is_some_and(|at| changed.since(at) >= MARK_EVERY) {
            self.keep().await?;
        }
        Ok(())
    }

    /// The sweep stops here, and the next goes on.
    pub(super) async fn keep(&mut self) -> Result<(), Stop> {
        let Some(passed) = self.passed else { return Ok(()) };
        let unfinished = Unfinished {
            since: self.since,
            // Search lags: what changed lately is looked at again.
            reached: passed.min(self.context.ledger.now() - LOOK_BACK).max(self.from),
        };
        self.move_to(passed, Some(unfinished)).await
    }

    /// The sweep came to the end.
    pub(super) async fn end(&mut self) -> Result<(), Stop> {
        let is_finished = |stored: &Stored<Watermark>| stored.value.unfinished.is_none();
        if self.stored.as_ref().is_none_or(is_finished) {
            return Ok(());
        }
        self.move_to(self.passed.unwrap_or(Timestamp::EPOCH), None).await
    }

    async fn move_to(&mut self, passed: Timestamp, unfinished: Option<Unfinished>) -> Result<(), Stop> {
        let at = self.at().map_or(passed, |at| at.max(passed));
        self.write(Watermark { at, unfinished }).await
    }

    async fn write(&mut self, record: Watermark) -> Result<(), Stop> {
        if !self.moves || self.stored.as_ref().is_some_and(|stored| stored.value == record) {
            return Ok(());
        }
        let ledger = &self.context.ledger;
        let key = keys::watermark(self.workspace);
        let version = self.stored.as_ref().map(|stored| &stored.version);
        let written = ledger.transaction().put_after(key.clone(), version, &record, None);
        self.stored = match ledger.commit(written).await {
            Ok(version) => Some(Stored { version, value: record }),
            // Another sweep is at work, and as far.
            Err(WriteError::Conflict) => ledger.find(&key).await?,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }
}
