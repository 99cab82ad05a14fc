//! The program under test, and the group that it serves.

use bridge::secrets::{FixedSecrets, Secret, Secrets};
use local::Database;
use mapping::{Clock as _, Timestamp};
use reqwest::StatusCode;
use simulators::{
    SimClock,
    intercom::{ConversationView, IntercomSim},
    telegram::{Bot, Place, Rights, TelegramSim, UserId},
};
use std::{
    fs::File,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};
use telegram::TelegramClient;
use tempfile::TempDir;

const WEBHOOK_SECRET: &str = "a-secret-of-the-webhook";
/// How long anything may take on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
const TOPICS: usize = 4;
/// How many lines anybody writes in a round.
const LINES: usize = 6;

/// Both vendors, a group with topics, and who writes.
pub(crate) struct Group {
    telegram: TelegramSim,
    intercom: IntercomSim,
    bot: Bot,
    forum: i64,
    customers: [UserId; 2],
    topics: Vec<Place>,
    agent: String,
}

/// Asks again and again until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<(), String>) {
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
        let telegram = TelegramSim::start(SimClock::real()).await;
        let intercom = IntercomSim::start(SimClock::real()).await;
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
        until("Intercom tells", async || {
            self.intercom.pump().await;
            match self.intercom.pending() {
                0 => Ok(()),
                pending => Err(format!("{pending} notifications wait")),
            }
        })
        .await;
        answered
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

    async fn register(&self, url: &str) {
        let secrets = FixedSecrets::new(Secrets {
            telegram_bot_token: Secret::new(&self.bot.token),
            telegram_webhook_secrets: vec![Secret::new(WEBHOOK_SECRET)],
            intercom_access_token: Secret::new(self.intercom.access_token()),
            intercom_client_secrets: vec![Secret::new(self.intercom.client_secret())],
        });
        let timeouts = telegram::Timeouts::default();
        let http = telegram::http_client(timeouts).unwrap();
        let client = TelegramClient::new(http, self.telegram.base_url(), Arc::new(secrets.unwrap()), timeouts);
        client.set_webhook(&format!("{url}/telegram-webhook")).await.unwrap();
        self.intercom
            .subscribe(&format!("{url}/intercom-webhook"))
            .await
            .unwrap();
    }
}

/// The program, which may be started again and again on the same file.
pub(crate) struct Program<'g> {
    group: &'g Group,
    folder: TempDir,
    port: u16,
    chats: Vec<i64>,
    is_registered: bool,
    child: Option<Child>,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            println!("{}", self.log());
        }
    }
}

impl<'g> Program<'g> {
    pub(crate) fn new(group: &'g Group) -> Self {
        // It is free again when this returns, and the same each time that the program starts.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            group,
            folder: tempfile::tempdir().unwrap(),
            port,
            chats: vec![group.forum],
            is_registered: false,
            child: None,
        }
    }

    /// With this chat on the list too.
    pub(crate) fn serving(mut self, chat: Option<i64>) -> Self {
        self.chats.extend(chat);
        self
    }

    /// Posts an update as Telegram does; the status of the answer.
    pub(crate) async fn takes_update(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let proof = ("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET);
        self.takes("telegram-webhook", proof, body.into()).await
    }

    /// Posts a notification as Intercom does; the status of the answer.
    pub(crate) async fn takes_notification(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let body = body.into();
        let signature = self.group.intercom.sign(&body);
        self.takes("intercom-webhook", ("X-Hub-Signature", &signature), body)
            .await
    }

    async fn takes(&self, door: &str, (name, proof): (&str, &str), body: Vec<u8>) -> StatusCode {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{}/{door}", self.port);
        let answer = client.post(url).header(name, proof).body(body).send().await.unwrap();
        answer.status()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("bridge.db")
    }

    /// The last that it logged.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let group = self.group;
        let chats: Vec<String> = self.chats.iter().map(ToString::to_string).collect();
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_bridgectl"))
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port), "--data"])
            .arg(self.data())
            .current_dir(&self.folder)
            .env_clear()
            .env("TELEGRAM_CHATS", chats.join(","))
            .env("GROUP_MESSAGES_PER_MINUTE", "1200")
            .env("TELEGRAM_API_URL", group.telegram.base_url())
            .env("INTERCOM_API_URL", group.intercom.base_url())
            .env("TELEGRAM_BOT_TOKEN", &group.bot.token)
            .env("TELEGRAM_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("INTERCOM_ACCESS_TOKEN", group.intercom.access_token())
            .env("INTERCOM_CLIENT_SECRET", group.intercom.client_secret())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let address = format!("127.0.0.1:{}", self.port);
        until("it listens", async || {
            let connected = tokio::net::TcpStream::connect(&address).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
        if !self.is_registered {
            self.is_registered = true;
            group.register(&format!("http://{address}")).await;
        }
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        tokio::task::block_in_place(|| child.wait()).unwrap();
    }

    /// Tells it to end, and waits until it has; gives its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        tokio::task::block_in_place(|| child.wait()).unwrap().code()
    }

    /// The deliveries that a worker has claimed.
    pub(crate) async fn claims(&self) -> Vec<String> {
        let database = self.database();
        let claims = database.read(|connection| {
            let sql = "SELECT pk FROM items WHERE record ->> 'kind' = 'delivery' AND record ->> 'state' = 'claimed'";
            connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        });
        claims.await.unwrap()
    }

    /// Waits until nothing is in its queues.
    pub(crate) async fn rests(&self) {
        let database = self.database();
        until("its queues are empty", async || {
            let count = database.read(|connection| {
                connection.query_row("SELECT count(*) FROM message", [], |row| row.get::<_, i64>(0))
            });
            match count.await.unwrap() {
                0 => Ok(()),
                waiting => Err(format!("{waiting} messages wait")),
            }
        })
        .await;
    }

    /// Moves everything in its file so far into the past, while it does not run.
    pub(crate) async fn let_pass(&self, time: Duration) {
        assert!(self.child.is_none(), "it runs");
        let millis = i64::try_from(time.as_millis()).unwrap();
        let now = local::SystemClock.now();
        let database = self.database();
        let moved = database.write(move |connection| {
            connection.execute("UPDATE lane SET due_at = due_at - ?1", [millis])?;
            connection.execute("UPDATE dedupe SET until = until - ?1", [millis])?;
            let items: Vec<(String, String, String)> = connection
                .prepare("SELECT pk, sk, record FROM items")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (pk, sk, record) in items {
                let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
                move_back(&mut record, now, millis);
                let sql = "UPDATE items SET record = ?3 WHERE pk = ?1 AND sk = ?2";
                connection.execute(sql, [pk, sk, record.to_string()])?;
            }
            Ok(())
        });
        moved.await.unwrap();
    }

    fn database(&self) -> Database {
        Database::open(self.data()).unwrap()
    }
}

/// Times are the only numbers in a record that lie within a day of now in milliseconds.
fn move_back(value: &mut serde_json::Value, now: Timestamp, millis: i64) {
    const DAY: i64 = 24 * 3600 * 1000;
    match value {
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|value| move_back(value, now, millis));
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| move_back(value, now, millis)),
        serde_json::Value::Number(number) => {
            if let Some(time) = number.as_i64().filter(|time| (time - now.as_millis()).abs() < DAY) {
                *value = (time - millis).into();
            }
        }
        _ => {}
    }
}
