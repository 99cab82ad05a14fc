//! What Telegram's webhook does: verify, peek, enqueue, answer.

use super::scope;
use crate::{
    config::Config,
    envelope::{InboundEnvelope, InboundErrand, to_ascii_json},
    ports::{Queue, QueueError, QueueMessage, UpdateReader},
    secrets::SecretSource,
    stop::dedupe,
    telegram_message::{ChatKind, ChatRef, Peek, UpdateKind},
    webhook::{Answer, WebhookMethod, WebhookRequest},
};
use mapping::{BotId, ChatId, Ledger, Timestamp, WriteError};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How soon Telegram shall try again when the queue cannot be reached.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// A proof that does not match may be newer than the secrets that are kept.
const SECRETS_MAY_BE_OLD_AFTER: Duration = Duration::from_secs(10);

/// How long it is remembered that a chat is not bridged.
const STRANGER_FOR: Duration = Duration::from_secs(30);

/// How many of them are remembered.
const STRANGERS: usize = 1_000;

/// The webhook that Telegram calls.
///
/// From an authentic request on, the answer is 200 unless the queue cannot be reached: a whole supergroup is one serial queue at
/// Telegram's side, and an error for one update would stop every topic in it for a day.
pub struct InboundWebhook<R> {
    reader: R,
    config: Config,
    secrets: Arc<dyn SecretSource>,
    ledger: Ledger,
    queue: Arc<dyn Queue>,
    strangers: Mutex<HashMap<ChatId, Timestamp>>,
}

impl<R: UpdateReader> InboundWebhook<R> {
    /// A webhook that puts what it takes into `queue`.
    pub fn new(
        reader: R,
        config: Config,
        secrets: Arc<dyn SecretSource>,
        ledger: Ledger,
        queue: Arc<dyn Queue>,
    ) -> Self {
        Self {
            reader,
            config,
            secrets,
            ledger,
            queue,
            strangers: Mutex::default(),
        }
    }

    /// Answers one request.
    pub async fn handle(&self, request: &WebhookRequest) -> Answer {
        match request.method {
            WebhookMethod::Head => return Answer::Taken,
            WebhookMethod::Other => return Answer::NoSuchMethod,
            WebhookMethod::Post => {}
        }
        let (verified, bot) = match self.verify(request).await {
            Ok(verified) => verified,
            Err(answer) => return answer,
        };
        match self.reader.peek(&verified) {
            Ok((peek, update)) => self.take(bot, &peek, update).await,
            Err(problem) => {
                tracing::warn!(
                    body.length = request.length(),
                    problem = %problem,
                    metric.unreadable = 1,
                    "an authentic update cannot be read"
                );
                Answer::Taken
            }
        }
    }

    async fn verify(&self, request: &WebhookRequest) -> Result<(R::Verified, BotId), Answer> {
        let not_ready = |error| {
            tracing::error!(%error, "the secrets are not ready");
            Answer::TryLater(TRY_AGAIN)
        };
        let secrets = self.secrets.current().await.map_err(not_ready)?;
        if let Some(verified) = self.reader.verify(request, &secrets) {
            return Ok((verified, secrets.bot()));
        }
        let secrets = self
            .secrets
            .newer_than(SECRETS_MAY_BE_OLD_AFTER)
            .await
            .map_err(not_ready)?;
        match self.reader.verify(request, &secrets) {
            Some(verified) => Ok((verified, secrets.bot())),
            None => {
                tracing::warn!(
                    metric.unauthorized = 1,
                    "a request to the Telegram webhook has no right secret token"
                );
                Err(Answer::Unauthorized)
            }
        }
    }

    async fn take(&self, bot: BotId, peek: &Peek, update: serde_json::Value) -> Answer {
        let Some(chat) = peek.chat else {
            tracing::info!(update.id = peek.update.0, kind = ?peek.kind, metric.not_carried = 1, "an update of no chat is not carried");
            return Answer::Taken;
        };
        // The successor speaks first as a stranger; what it succeeds is known.
        let known = match peek.kind {
            UpdateKind::Migration { from, .. } => ChatRef {
                id: from,
                kind: ChatKind::Group,
            },
            _ => chat,
        };
        let lasting = peek.kind != UpdateKind::Membership;
        match self.is_allowed(bot, known, lasting).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(
                    update.id = peek.update.0,
                    chat.id = chat.id.0,
                    metric.stranger = 1,
                    "an update comes from a chat that is not in TELEGRAM_CHATS"
                );
                return Answer::Taken;
            }
            Err(answer) => return answer,
        }
        if let UpdateKind::Migration { from, to } = peek.kind
            && let Err(error) = self.forward(bot, from, to).await
        {
            tracing::error!(%error, "a migration could not be recorded");
            return Answer::TryLater(TRY_AGAIN);
        }
        let lane = match scope::of(&self.config, bot, peek, chat.id, chat.kind) {
            scope::Scope::Nothing(reason) => {
                tracing::info!(
                    update.id = peek.update.0,
                    chat.id = chat.id.0,
                    kind = ?peek.kind,
                    reason,
                    metric.not_carried = 1,
                    "an update is not carried"
                );
                return Answer::Taken;
            }
            scope => scope.lane().unwrap_or_default(),
        };
        self.enqueue(bot, peek, lane, update).await
    }

    async fn enqueue(&self, bot: BotId, peek: &Peek, lane: String, update: serde_json::Value) -> Answer {
        let received_at = self.ledger.now();
        let id = peek.update.0;
        let errand = InboundErrand::Update(update);
        let Ok(body) = to_ascii_json(&InboundEnvelope { received_at, errand }) else {
            tracing::error!(update.id = id, metric.lost = 1, "an update cannot be written as JSON");
            return Answer::Taken;
        };
        let message = QueueMessage {
            dedupe: dedupe(&format!("{bot}:{id}")),
            body,
            gave_up: None,
            lane,
        };
        let (lane, length) = (message.lane.clone(), message.body.len());
        match self.queue.send(message).await {
            Ok(()) => {
                let message = peek.message.map(|message| message.0);
                tracing::info!(
                    update.id = id,
                    message.id = message,
                    lane,
                    metric.received = 1,
                    "an update was taken"
                );
                Answer::Taken
            }
            Err(QueueError::Unavailable(problem)) => {
                tracing::error!(update.id = id, lane, problem, "the inbound queue cannot be reached");
                Answer::TryLater(TRY_AGAIN)
            }
            Err(QueueError::Refused(problem)) => {
                tracing::error!(
                    update.id = id,
                    lane,
                    body.length = length,
                    problem,
                    metric.lost = 1,
                    "the inbound queue refuses an update"
                );
                Answer::Taken
            }
        }
    }

    /// A chat is bridged if the settings say so, or if it is the successor of one that is.
    async fn is_allowed(&self, bot: BotId, chat: ChatRef, lasting: bool) -> Result<bool, Answer> {
        if scope::is_allowed(&self.config, chat.id, chat.kind) {
            return Ok(true);
        }
        let now = self.ledger.now();
        if self
            .strangers()
            .get(&chat.id)
            .is_some_and(|at| now.since(*at) < STRANGER_FOR)
        {
            return Ok(false);
        }
        let former = self.ledger.former_ids(bot, chat.id).await.map_err(|error| {
            tracing::error!(%error, "it cannot be told whether a chat is bridged");
            Answer::TryLater(TRY_AGAIN)
        })?;
        if former.iter().any(|id| self.config.chats.contains(id)) {
            return Ok(true);
        }
        // What changes the bot's rights may overtake the word that a chat has another id.
        if !lasting {
            return Ok(false);
        }
        let mut strangers = self.strangers();
        if strangers.len() >= STRANGERS {
            strangers.clear();
        }
        strangers.insert(chat.id, now);
        Ok(false)
    }

    fn strangers(&self) -> std::sync::MutexGuard<'_, HashMap<ChatId, Timestamp>> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that a chat has another id now. It is the one thing that has to be known before the next update comes.
    async fn forward(&self, bot: BotId, from: ChatId, to: ChatId) -> Result<(), WriteError> {
        self.ledger.record_migration(bot, from, to).await?;
        self.strangers().remove(&to);
        Ok(())
    }
}
