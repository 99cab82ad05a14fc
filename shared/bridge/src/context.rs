//! What both workers stand on: settings, ledger, the two vendors, the queues; and what is asked of the vendors now and then.

use crate::{
    config::Config,
    envelope::{Errand, OutboundEnvelope, to_ascii_json},
    failure::{HelpdeskError, MessengerError},
    ports::{Helpdesk, HelpdeskIdentity, Messenger, Queue, QueueError, QueueMessage},
    secrets::{Secret, SecretSource, SecretsError},
    stop::dedupe,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mapping::{AdminId, BotId, ChatId, ConversationId, CustomerId, Ledger, Timestamp, WorkspaceId};
use sha2::Sha256;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What both workers stand on.
pub struct Context {
    /// The settings.
    pub config: Config,
    /// Tokens and webhook secrets.
    pub secrets: Arc<dyn SecretSource>,
    /// What the bridge knows.
    pub ledger: Ledger,
    /// Intercom.
    pub helpdesk: Arc<dyn Helpdesk>,
    /// Telegram.
    pub messenger: Arc<dyn Messenger>,
    /// The queues.
    pub queues: Queues,
    /// What was asked of the vendors, for as long as it may be believed.
    pub known: Known,
}

/// The queues.
#[derive(Clone)]
pub struct Queues {
    /// To Intercom.
    pub inbound: Arc<dyn Queue>,
    /// To Telegram.
    pub outbound: Arc<dyn Queue>,
    /// What was given up on its way to Intercom.
    pub inbound_dead: Arc<dyn Queue>,
    /// What was given up on its way to Telegram.
    pub outbound_dead: Arc<dyn Queue>,
}

/// What was asked of the vendors, for as long as it may be believed.
#[derive(Default)]
pub struct Known {
    identity: Mutex<Option<KnownIdentity>>,
    username: Mutex<Option<(Timestamp, Option<String>)>>,
    administrators: Mutex<HashMap<ChatId, (Timestamp, BTreeSet<CustomerId>)>>,
}

#[derive(Clone)]
struct KnownIdentity {
    at: Timestamp,
    token: Secret,
    identity: HelpdeskIdentity,
}

const BELIEVED_FOR: Duration = Duration::from_mins(10);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    /// The bot that we are.
    pub async fn bot(&self) -> Result<BotId, SecretsError> {
        Ok(self.secrets.current().await?.bot())
    }

    /// The workspace and the admin of our access token. What was known of the same token serves while Intercom does not answer.
    pub async fn identity(&self) -> Result<HelpdeskIdentity, HelpdeskError> {
        let now = self.ledger.now();
        let token = self
            .secrets
            .current()
            .await
            .ok()
            .map(|secrets| secrets.intercom_access_token.clone());
        let known = lock(&self.known.identity)
            .clone()
            .filter(|known| Some(&known.token) == token.as_ref());
        if let Some(known) = &known
            && now.since(known.at) < BELIEVED_FOR
        {
            return Ok(known.identity.clone());
        }
        match (self.helpdesk.identity().await, known, token) {
            (Ok(identity), _, token) => {
                let remembered = token.map(|token| KnownIdentity {
                    at: now,
                    token,
                    identity: identity.clone(),
                });
                *lock(&self.known.identity) = remembered;
                Ok(identity)
            }
            (Err(HelpdeskError::Transient { .. }), Some(known), _) => Ok(known.identity),
            (Err(error), _, _) => Err(error),
        }
    }

    /// The admin in whose name the bridge itself acts.
    pub async fn own_admin(&self) -> Result<AdminId, HelpdeskError> {
        match &self.config.intercom_admin {
            Some(admin) => Ok(admin.clone()),
            None => Ok(self.identity().await?.admin),
        }
    }

    /// Puts an errand for a conversation into its lane; within five minutes only once for each cause.
    pub(crate) async fn enqueue(
        &self,
        workspace: &WorkspaceId,
        conversation: &ConversationId,
        errand: Errand,
        cause: &str,
    ) -> Result<(), QueueError> {
        let received_at = self.ledger.now();
        let envelope = OutboundEnvelope { received_at, errand };
        let body = to_ascii_json(&envelope).map_err(|_| QueueError::Refused("not JSON".into()))?;
        let message = QueueMessage {
            lane: format!("{workspace}:{conversation}"),
            dedupe: dedupe(&format!("{cause}:{workspace}:{conversation}")),
            body,
            gave_up: None,
        };
        self.queues.outbound.send(message).await
    }

    /// The bot's @name. Not knowing it must not hold a message back.
    pub async fn bot_username(&self) -> Option<String> {
        let now = self.ledger.now();
        let known = lock(&self.known.username).clone();
        if let Some((at, username)) = known
            && now.since(at) < BELIEVED_FOR
        {
            return username;
        }
        let username = self.messenger.identity().await.ok()?.username;
        *lock(&self.known.username) = Some((now, username.clone()));
        username
    }

    /// Who administers a chat. What was known before serves while Telegram does not tell: staff must not become customers.
    pub async fn administrators(&self, chat: ChatId) -> Result<BTreeSet<CustomerId>, MessengerError> {
        let now = self.ledger.now();
        let known = lock(&self.known.administrators).get(&chat).cloned();
        if let Some((at, administrators)) = &known
            && now.since(*at) < BELIEVED_FOR
        {
            return Ok(administrators.clone());
        }
        match (self.messenger.administrators(chat).await, known) {
            (Ok(administrators), _) => {
                let administrators: BTreeSet<CustomerId> = administrators.into_iter().collect();
                lock(&self.known.administrators).insert(chat, (now, administrators.clone()));
                Ok(administrators)
            }
            (Err(_), Some((_, administrators))) => Ok(administrators),
            (Err(error), None) => Err(error),
        }
    }

    /// A keyed hash of a text: equal texts give equal ones, and nobody without our token can tell what they say.
    pub async fn fingerprint(&self, text: &str) -> Result<String, SecretsError> {
        let secrets = self.secrets.current().await?;
        let key = secrets.telegram_bot_token.expose().as_bytes();
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return Err(SecretsError::Unavailable("a key of this length cannot be used".into()));
        };
        mac.update(b"fingerprint\0");
        mac.update(text.as_bytes());
        Ok(hex::encode(&mac.finalize().into_bytes()[..16]))
    }
}
