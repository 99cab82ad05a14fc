//! The group that the program under test serves: both vendors, and who writes.

use super::program::WEBHOOK_SECRET;
use bridge::secrets::{FixedSecrets, Secret, Secrets};
use simulators::{
    Fault, SimClock,
    intercom::{ConversationView, File, IntercomSim, Reply},
    telegram::{Bot, Compose, Media, Place, Rights, TelegramSim, UserId},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use telegram::TelegramClient;

/// How long anything may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
const TOPICS: usize = 4;
/// How many lines anybody writes in a round.
const LINES: usize = 6;

/// Both vendors, a group with topics, and who writes.
pub(crate) struct Group {
    pub(super) telegram: TelegramSim,
    pub(super) intercom: IntercomSim,
    pub(super) bot: Bot,
    pub(super) forum: i64,
    customers: [UserId; 2],
    topics: Vec<Place>,
    agent: String,
}

/// Asks again and again until it is so.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<(), String>) {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match is_so().await {
            Ok(()) => return,
            Err(problem) => assert!(Instant::now() < give_up, "{what}: {problem}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Group {
    /// A group with a few topics and two customers.
    pub(crate) async fn found() -> Self {
        Self::found_by(SimClock::real()).await
    }

    /// The same, for vendors with another clock than the program.
    pub(crate) async fn found_by(clock: SimClock) -> Self {
        let telegram = TelegramSim::start(clock.clone()).await;
        let intercom = IntercomSim::start(clock).await;
        // What passes in the program's file alone does not pass here: the index of conversations would lag behind by that.
        intercom.configure(|options| options.conversation_search_lag = Duration::ZERO);
        let bot = telegram.bot("Support", "acme_support_bot");
        let forum = telegram.supergroup("Acme Support", true);
        telegram.promote_bot(&bot, forum, Rights::all());
        let customers = [telegram.user("Maria", None, None), telegram.user("Ken", None, None)];
        let agent = intercom.admin("Anna Weber");
        let topics = (0..TOPICS).map(|number| {
            let topic = telegram.create_topic(customers[0], forum, &format!("Topic {number}"));
            Place::topic(forum, topic)
        });
        let topics = topics.collect();
        telegram.run_in_background();
        Self {
            telegram,
            intercom,
            bot,
            forum,
            customers,
            topics,
            agent,
        }
    }

    /// How many topics there are.
    pub(crate) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// Both customers write a few lines in each topic; gives the lines with the number of the topic.
    pub(crate) async fn everybody_writes(&self, round: u32) -> Vec<(usize, String)> {
        let mut said = Vec::new();
        for line in 0..LINES {
            for (at, place) in self.topics.iter().enumerate() {
                for (who, customer) in self.customers.iter().enumerate() {
                    let text = format!("round {round} line {line} customer {who}");
                    self.telegram.say(*customer, *place, &text);
                    said.push((at, text));
                }
            }
            tokio::task::yield_now().await;
        }
        said
    }

    /// Waits until Telegram, which pauses after a delivery that failed, delivers again.
    pub(crate) async fn traffic_flows(&self) {
        let pending = self.telegram.pending();
        until("Telegram delivers", async || match self.telegram.pending() {
            0 => Ok(()),
            left if left + 5 < pending => Ok(()),
            left => Err(format!("{left} updates wait")),
        })
        .await;
    }

    /// An agent answers in each conversation that is there, and Intercom tells of it.
    pub(crate) async fn agents_answer(&self, round: u32) -> Vec<(usize, String)> {
        let mut answered = Vec::new();
        for line in 0..LINES {
            for conversation in self.intercom.conversations() {
                let title = conversation.title.unwrap_or_default();
                let Some(at) = (0..TOPICS).find(|number| title == format!("Topic {number}")) else {
                    continue;
                };
                let text = format!("round {round} answer {line}");
                self.intercom.agent_replies(&conversation.id, &self.agent, &text);
                answered.push((at, text));
            }
        }
        self.intercom_tells().await;
        answered
    }

    /// Waits until Intercom has told what there is to tell.
    pub(crate) async fn intercom_tells(&self) {
        until("Intercom tells", async || {
            self.intercom.pump().await;
            match self.intercom.pending() {
                0 => Ok(()),
                pending => Err(format!("{pending} notifications wait")),
            }
        })
        .await;
    }

    /// A customer opens a conversation in the first topic; its id.
    pub(crate) async fn opens(&self) -> String {
        self.telegram.say(self.customers[0], self.topics[0], "Hello");
        until("there is a conversation", async || {
            match self.intercom.conversations().len() {
                0 => Err("none".into()),
                _ => Ok(()),
            }
        })
        .await;
        self.intercom.conversations()[0].id.clone()
    }

    /// Who a customer is in Telegram.
    pub(crate) fn customer(&self, who: usize) -> i64 {
        self.customers[who].0
    }

    /// Where a topic is: its lane.
    pub(crate) fn lane(&self, topic: usize) -> String {
        let id = self.topics[topic].topic.unwrap_or_default();
        format!("{}:{id}", self.forum)
    }

    /// A customer writes in a topic.
    pub(crate) fn says(&self, who: usize, topic: usize, text: &str) {
        self.telegram.say(self.customers[who], self.topics[topic], text);
    }

    /// A customer writes in General.
    pub(crate) fn says_in_general(&self, who: usize, text: &str) {
        self.telegram.say(self.customers[who], Place::chat(self.forum), text);
    }

    /// Waits until agents read this, once.
    pub(crate) async fn reaches_agents(&self, text: &str) {
        until("agents read it", async || {
            let inbox = self.inbox();
            let found = inbox.iter().flatten().filter(|line| line.contains(text)).count();
            (found == 1)
                .then_some(())
                .ok_or_else(|| format!("{text:?} in {inbox:?}"))
        })
        .await;
    }

    /// An agent replies in the conversation in which somebody wrote this.
    pub(crate) async fn replies_to(&self, said: &str, text: &str) {
        let is_it = |conversation: &ConversationView| conversation.messages().any(|part| part.text.contains(said));
        let conversation = self.intercom.conversations().into_iter().find(is_it).unwrap();
        self.intercom.agent_replies(&conversation.id, &self.agent, text);
        self.intercom_tells().await;
    }

    /// Waits until customers read this in a topic, once.
    pub(crate) async fn reaches_topic(&self, topic: usize, text: &str) {
        until("customers read it", async || {
            let shown = self.shown(self.topics[topic]);
            let found = shown.iter().filter(|line| line.contains(text)).count();
            (found == 1)
                .then_some(())
                .ok_or_else(|| format!("{text:?} in {shown:?}"))
        })
        .await;
    }

    /// The next call of this kind is refused for good.
    pub(crate) fn refuses(&self, call: &str, status: u16) {
        let faults = if call.contains('/') {
            self.intercom.faults()
        } else {
            self.telegram.faults()
        };
        faults.arm(call, Fault::Refuse(status), 1);
    }

    /// A customer sends a file in the first topic; waits until an agent has it.
    pub(crate) async fn sends_file(&self, bytes: Vec<u8>) {
        let file = Media::document("film.mkv", "video/x-matroska", bytes.clone());
        self.telegram
            .say_with(self.customers[0], self.topics[0], Compose::media(file));
        until("the file is there", async || {
            let conversations = self.intercom.conversations();
            let mut parts = conversations.iter().flat_map(|conversation| &conversation.parts);
            let is_there = parts.any(|part| part.attachments.iter().any(|file| file.bytes == bytes));
            is_there.then_some(()).ok_or_else(|| "not yet".to_owned())
        })
        .await;
    }

    /// An agent answers with a file in the first conversation; waits until the customer has it.
    pub(crate) async fn answers_with_file(&self, bytes: Vec<u8>) {
        let conversation = &self.intercom.conversations()[0].id;
        let file = File::new("film.mkv", "video/x-matroska", bytes.clone());
        let reply = Reply::text("The film").with_file(file);
        self.intercom.agent_replies_with(conversation, &self.agent, reply);
        self.intercom_tells().await;
        until("the file is there", async || {
            let messages = self.telegram.messages(self.topics[0]);
            let mut files = messages.iter().filter_map(|message| message.media.as_ref());
            let is_there = files.any(|file| file.bytes == bytes);
            is_there.then_some(()).ok_or_else(|| "not yet".to_owned())
        })
        .await;
    }

    /// The simulated Intercom.
    pub(crate) fn intercom(&self) -> &IntercomSim {
        &self.intercom
    }

    /// What was said in every conversation, notes left out: `name: text`.
    pub(crate) fn inbox(&self) -> Vec<Vec<String>> {
        let said = |conversation: ConversationView| {
            let messages = conversation.messages().filter(|part| !part.kind.starts_with("note"));
            messages
                .map(|part| format!("{}: {}", part.author_name, part.text))
                .collect()
        };
        self.intercom.conversations().into_iter().map(said).collect()
    }

    /// What the bridge wrote in the first topic.
    pub(crate) fn told(&self) -> Vec<String> {
        let messages = self.telegram.messages(self.topics[0]).into_iter();
        messages
            .filter(|message| message.from_bot)
            .map(|message| message.text)
            .collect()
    }

    /// Waits until agents see each line once, in the order in which it was written.
    pub(crate) async fn sees(&self, said: &[(usize, String)]) {
        until("agents see what was written", async || self.check_inbox(said)).await;
    }

    fn check_inbox(&self, said: &[(usize, String)]) -> Result<(), String> {
        let conversations = self.intercom.conversations();
        if conversations.len() != TOPICS {
            return Err(format!("{} conversations", conversations.len()));
        }
        for conversation in conversations {
            let title = conversation.title.clone().unwrap_or_default();
            let seen: Vec<String> = conversation
                .messages()
                .filter(|part| part.author_kind == "user")
                .map(|part| {
                    part.text
                        .lines()
                        .find(|line| line.starts_with("round"))
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect();
            let written = said.iter().filter(|(at, _)| title == format!("Topic {at}"));
            let written: Vec<String> = written.map(|(_, text)| text.clone()).collect();
            if seen != written {
                return Err(format!("{title}: {seen:?} instead of {written:?}"));
            }
        }
        Ok(())
    }

    /// Waits until customers read each answer, in the order in which it was given.
    pub(crate) async fn reads(&self, answered: &[(usize, String)]) {
        until("customers read what was answered", async || {
            for (at, place) in self.topics.iter().enumerate() {
                let mut shown = self.shown(*place);
                shown.dedup();
                let given: Vec<&String> = answered
                    .iter()
                    .filter(|(topic, _)| *topic == at)
                    .map(|(_, text)| text)
                    .collect();
                if shown.iter().collect::<Vec<_>>() != given {
                    return Err(format!("topic {at}: {shown:?} instead of {given:?}"));
                }
            }
            Ok(())
        })
        .await;
    }

    /// How many answers were shown once too often.
    pub(crate) fn shown_twice(&self, answered: &[(usize, String)]) -> usize {
        let shown: usize = self.topics.iter().map(|place| self.shown(*place).len()).sum();
        shown - answered.len()
    }

    fn shown(&self, place: Place) -> Vec<String> {
        let by_bot = self
            .telegram
            .messages(place)
            .into_iter()
            .filter(|message| message.from_bot);
        by_bot
            .map(|message| message.text.lines().last().unwrap_or_default().to_owned())
            .collect()
    }

    /// What the real services would have refused.
    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations = self.telegram.violations();
        violations.extend(self.intercom.violations());
        violations
    }

    pub(super) async fn register(&self, url: &str) {
        self.register_telegram(url).await;
        self.intercom
            .subscribe(&format!("{url}/intercom-webhook"))
            .await
            .unwrap();
    }

    pub(super) async fn register_telegram(&self, url: &str) {
        let webhook = format!("{url}/telegram-webhook");
        self.client().set_webhook(&webhook).await.unwrap();
    }

    /// Where Telegram delivers to.
    pub(crate) async fn webhook_url(&self) -> String {
        self.client().webhook_info().await.unwrap().url
    }

    fn client(&self) -> TelegramClient {
        let secrets = FixedSecrets::new(Secrets {
            telegram_bot_token: Secret::new(&self.bot.token),
            telegram_webhook_secrets: vec![Secret::new(WEBHOOK_SECRET)],
            intercom_access_token: Secret::new(self.intercom.access_token()),
            intercom_client_secrets: vec![Secret::new(self.intercom.client_secret())],
        });
        let timeouts = telegram::Timeouts::default();
        let http = telegram::http_client(timeouts).unwrap();
        TelegramClient::new(http, self.telegram.base_url(), Arc::new(secrets.unwrap()), timeouts)
    }
}
