//! Many groups with many topics, and both vendors, who answer at once: no pace is kept, no rate limited. Who writes does so by webhook,
//! as many at a time as Telegram has connections.

use anyhow::{Context as _, ensure};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use simulators::{
    SimClock,
    intercom::IntercomSim,
    telegram::{Bot, Rights, TelegramSim, UserId},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Telegram takes a number of messages a minute by group; so many groups are never slowed down by it.
const GROUPS: usize = 250;
const TOPICS: usize = 4;
const WEBHOOK_SECRET: &str = "a-secret-of-the-webhook";

/// How many webhooks are under way at once.
const AT_ONCE: usize = 40;
const TEXT: &str =
    "I ordered the blue one on Monday, and the parcel says that it went to Bremen. Can you see where it is?";

/// Both vendors and everybody in them.
pub(crate) struct Town {
    telegram: TelegramSim,
    intercom: IntercomSim,
    bot: Bot,
    customer: UserId,
    agent: String,
    /// Chat and topic.
    topics: Vec<(i64, i64)>,
    http: reqwest::Client,
    next: AtomicUsize,
    conversations: std::sync::OnceLock<Vec<String>>,
}

impl Town {
    /// Everything but the conversations.
    pub(crate) async fn found() -> Self {
        let telegram = TelegramSim::start(SimClock::real()).await;
        let intercom = IntercomSim::start(SimClock::real()).await;
        telegram.enforce_pace(false);
        intercom.configure(|options| options.calls_per_window = u32::MAX);
        let bot = telegram.bot("Support", "support_bot");
        let customer = telegram.user("Ada", Some("Example"), Some("ada_example"));
        let agent = intercom.admin("Grace");
        let mut topics = Vec::new();
        for group in 0..GROUPS {
            let chat = telegram.supergroup(&format!("Group {group}"), true);
            telegram.promote_bot(&bot, chat, Rights::all());
            let owner = telegram.owner(chat);
            topics
                .extend((0..TOPICS).map(|topic| (chat, telegram.create_topic(owner, chat, &format!("Topic {topic}")))));
        }
        Self {
            telegram,
            intercom,
            bot,
            customer,
            agent,
            topics,
            http: reqwest::Client::builder()
                .no_proxy()
                .pool_max_idle_per_host(AT_ONCE)
                .build()
                .unwrap_or_default(),
            next: AtomicUsize::new(1),
            conversations: std::sync::OnceLock::new(),
        }
    }

    /// What `serve` finds in its environment.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut chats: Vec<i64> = self.topics.iter().map(|(chat, _)| *chat).collect();
        chats.dedup();
        let chats: Vec<String> = chats.iter().map(ToString::to_string).collect();
        vec![
            ("TELEGRAM_CHATS", chats.join(",")),
            ("TELEGRAM_API_URL", self.telegram.base_url().to_owned()),
            ("INTERCOM_API_URL", self.intercom.base_url().to_owned()),
            ("GROUP_MESSAGES_PER_MINUTE", "1200".to_owned()),
            ("TELEGRAM_BOT_TOKEN", self.bot.token.clone()),
            ("TELEGRAM_WEBHOOK_SECRET", WEBHOOK_SECRET.to_owned()),
            ("INTERCOM_ACCESS_TOKEN", self.intercom.access_token()),
            ("INTERCOM_CLIENT_SECRET", self.intercom.client_secret()),
        ]
    }

    /// The customer writes once in each topic; ends when each has its conversation.
    pub(crate) async fn everybody_opens(&self, url: &str) -> anyhow::Result<()> {
        self.customers_write(url, self.topics.len()).await?;
        let mut known = 0;
        for _ in 0..600 {
            known = self.intercom.conversations().len();
            if known == self.topics.len() {
                // Their links are bound a moment later.
                tokio::time::sleep(Duration::from_secs(3)).await;
                let ids = self
                    .intercom
                    .conversations()
                    .into_iter()
                    .map(|conversation| conversation.id);
                let _ = self.conversations.set(ids.collect());
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        anyhow::bail!("there are {known} of {}", self.topics.len())
    }

    /// How many messages are in Intercom; those that opened conversations are not counted.
    pub(crate) fn in_intercom(&self) -> usize {
        self.intercom.calls_of("POST /conversations/{id}/reply")
    }

    /// How many replies are in Telegram.
    pub(crate) fn in_telegram(&self) -> usize {
        self.telegram.calls_of("sendMessage")
    }

    /// What the real services would have refused.
    pub(crate) fn violations(&self) -> Vec<String> {
        [self.telegram.violations(), self.intercom.violations()].concat()
    }

    /// So many messages, topic by topic.
    pub(crate) async fn customers_write(&self, url: &str, count: usize) -> anyhow::Result<()> {
        let door = format!("{url}/telegram-webhook");
        self.each(count, |number| {
            let body = self.update(number).to_string();
            self.http
                .post(&door)
                .header("x-telegram-bot-api-secret-token", WEBHOOK_SECRET)
                .body(body)
        })
        .await
    }

    /// So many replies, conversation by conversation.
    pub(crate) async fn agents_reply(&self, url: &str, count: usize) -> anyhow::Result<()> {
        let door = format!("{url}/intercom-webhook");
        let secret = self.intercom.client_secret();
        self.each(count, |number| {
            let body = self.notification(number).to_string();
            let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes());
            let signed = mac.map(|mac| hex::encode(mac.chain_update(&body).finalize().into_bytes()));
            let signature = format!("sha1={}", signed.unwrap_or_default());
            self.http.post(&door).header("x-hub-signature", signature).body(body)
        })
        .await
    }

    async fn each(&self, count: usize, request: impl Fn(usize) -> reqwest::RequestBuilder) -> anyhow::Result<()> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let left = AtomicUsize::new(first);
        let one = async || -> anyhow::Result<()> {
            loop {
                let number = left.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return Ok(());
                }
                let status = request(number)
                    .send()
                    .await
                    .context("a webhook is not answered")?
                    .status();
                ensure!(status.is_success(), "a webhook is answered {status}");
            }
        };
        let all = (0..AT_ONCE).map(|_| one());
        futures::future::try_join_all(all).await.map(drop)
    }

    fn update(&self, number: usize) -> Value {
        let (chat, topic) =
            self.topics[number * TOPICS % self.topics.len() + number * TOPICS / self.topics.len() % TOPICS];
        let message = json!({
            "message_id": 1_000_000 + number,
            "date": now(),
            "message_thread_id": topic,
            "is_topic_message": true,
            "chat": {"id": chat, "type": "supergroup", "title": "Group", "is_forum": true},
            "from": {"id": self.customer.0, "is_bot": false, "first_name": "Ada", "last_name": "Example", "username": "ada_example"},
            "text": TEXT,
        });
        json!({"update_id": 700_000_000 + number, "message": message})
    }

    fn notification(&self, number: usize) -> Value {
        let conversations = self.conversations.get().map_or(&[][..], Vec::as_slice);
        let conversation = conversations
            .get(number % conversations.len().max(1))
            .cloned()
            .unwrap_or_default();
        let part = json!({
            "type": "conversation_part",
            "id": (9_000_000_000_usize + number).to_string(),
            "part_type": "comment",
            "body": format!("<p>{TEXT}</p>"),
            "created_at": now(),
            "author": {"type": "admin", "id": self.agent, "name": "Grace"},
            "attachments": [],
        });
        let parts = json!({"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1});
        json!({
            "type": "notification_event",
            "app_id": self.intercom.workspace_id(),
            "id": format!("notif_{number}"),
            "topic": "conversation.admin.replied",
            "created_at": now(),
            "data": {
                "type": "notification_event_data",
                "item": {"type": "conversation", "id": conversation, "conversation_parts": parts},
            },
        })
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
