//! The deployed bridge in small: both vendors, the four functions as processes, and between them an account on the emulator.

use crate::{
    account::{Account, INBOUND, OUTBOUND},
    events,
    function::{Deployed, Environment, Function},
    share::Share,
    template::Template,
};
use anyhow::{Context as _, bail, ensure};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    routing::any,
};
use serde_json::{Map, Value, json};
use simulators::{
    SimClock,
    intercom::IntercomSim,
    telegram::{Place, Rights, TelegramSim, UserId},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex as StdMutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Mutex};

/// How often a queue is polled in vain before something is wrong: a message may be hidden for a minute.
const POLLS: usize = 8;

/// One of the four functions: what it is called in the template, its binary, and whether it stands behind the API.
pub(crate) const FUNCTIONS: [(&str, &str); 4] = [
    ("TelegramWebhook", "telegram-ingress"),
    ("InboundWorker", "telegram-ingress"),
    ("IntercomWebhook", "intercom-replies"),
    ("OutboundWorker", "intercom-replies"),
];

/// A function, and what its invocations took.
pub(crate) struct Deployment {
    pub(crate) deployed: Deployed,
    process: Mutex<Function>,
    /// How long each invocation took.
    pub(crate) took: StdMutex<Vec<Duration>>,
    pub(crate) log: PathBuf,
}

/// Everybody who plays.
pub(crate) struct Stage {
    pub(crate) telegram: TelegramSim,
    pub(crate) intercom: IntercomSim,
    pub(crate) account: Account,
    pub(crate) functions: Vec<Arc<Deployment>>,
    customer: UserId,
    topics: Vec<Place>,
    agent: String,
    removed: [u64; 2],
    _folder: TempDir,
}

impl Deployment {
    /// Asks the function, and notes how long it took.
    async fn ask(&self, event: &Value) -> anyhow::Result<Value> {
        let answered = self.process.lock().await.ask(event).await?;
        self.took
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(answered.ended - answered.began);
        answered.answer.map_err(anyhow::Error::msg)
    }
}

impl Stage {
    /// Sets the stage: so many topics.
    pub(crate) async fn set(folder: &Path, emulator: &str, template: &Template, topics: usize) -> anyhow::Result<Self> {
        let telegram = TelegramSim::start(SimClock::real()).await;
        let intercom = IntercomSim::start(SimClock::real()).await;
        let bot = telegram.bot("Support", "support_bot");
        let customer = telegram.user("Ada", Some("Example"), Some("ada_example"));
        // Each in a group of its own: what waits for its turn costs an invocation more, and here nobody waits.
        let topics = (0..topics).map(|number| {
            let title = format!("Order {number}");
            let chat = telegram.supergroup(&title, true);
            telegram.promote_bot(&bot, chat, Rights::all());
            Place::topic(chat, telegram.create_topic(telegram.owner(chat), chat, &title))
        });
        let topics: Vec<Place> = topics.collect();
        let chats: Vec<String> = topics.iter().map(|topic| topic.chat.to_string()).collect();
        let agent = intercom.admin("Grace");
        let hook = "a-secret-of-the-webhook";
        let secret = json!({
            "telegram_bot_token": bot.token,
            "telegram_webhook_secrets": [hook],
            "intercom_access_token": intercom.access_token(),
            "intercom_client_secrets": [intercom.client_secret()],
        });
        let account = Account::open(emulator, &secret).await?;
        let mut environment = account.environment();
        environment.extend([
            ("TELEGRAM_CHATS", chats.join(",")),
            ("TELEGRAM_API_URL", telegram.base_url().to_owned()),
            ("INTERCOM_API_URL", intercom.base_url().to_owned()),
            ("GROUP_MESSAGES_PER_MINUTE", "1200".to_owned()),
        ]);
        let logs = tempfile::tempdir()?;
        let functions = deploy(folder, &environment, template, logs.path()).await?;
        let here = open_doors(&functions).await?;
        let webhook = json!({
            "url": format!("{here}/telegram-webhook"),
            "secret_token": hook,
            "allowed_updates": ["message", "edited_message", "my_chat_member", "message_reaction"],
        });
        let set = format!("{}/bot{}/setWebhook", telegram.base_url(), bot.token);
        let answer = reqwest::Client::new().post(set).json(&webhook).send().await?;
        ensure!(answer.status().is_success(), "setWebhook: {}", answer.text().await?);
        intercom
            .subscribe(&format!("{here}/intercom-webhook"))
            .await
            .map_err(anyhow::Error::msg)?;
        Ok(Self {
            telegram,
            intercom,
            account,
            functions,
            customer,
            topics,
            agent,
            removed: [0; 2],
            _folder: logs,
        })
    }

    /// The customer writes in a topic; carried to its end.
    pub(crate) async fn customer_writes(&mut self, topic: usize, text: &str) -> anyhow::Result<()> {
        let place = *self.topics.get(topic).context("no such topic")?;
        self.telegram.say(self.customer, place, text);
        self.settle().await
    }

    /// The agent answers in a topic's conversation; carried to its end.
    pub(crate) async fn agent_replies(&mut self, topic: usize, html: &str) -> anyhow::Result<()> {
        let title = format!("Order {topic}");
        let mut conversations = self.intercom.conversations().into_iter();
        let conversation = conversations.find(|conversation| conversation.title.as_deref() == Some(&title));
        let conversation = conversation.with_context(|| format!("{title} has no conversation"))?;
        self.intercom.agent_replies(&conversation.id, &self.agent, html);
        self.settle().await
    }

    /// From now on everything is counted anew.
    pub(crate) fn count_anew(&mut self) {
        self.account.meter.take();
        self.removed = [0; 2];
        for function in &self.functions {
            function
                .took
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .clear();
        }
    }

    async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            self.telegram.pump().await;
            self.intercom.pump().await;
            let mut quiet = self.telegram.pending() == 0 && self.intercom.pending() == 0;
            for queue in [INBOUND, OUTBOUND] {
                quiet &= !self.empty(queue).await?;
            }
            if quiet {
                return Ok(());
            }
        }
    }

    /// Takes out of a queue what is in it, as Lambda does; tells whether anything was.
    async fn empty(&mut self, queue: usize) -> anyhow::Result<bool> {
        let worker = Arc::clone(&self.functions[2 * queue + 1]);
        let (mut any, mut in_vain) = (false, 0);
        while self.account.sent(queue) > self.removed[queue] {
            any = true;
            let Some(received) = self.account.receive(queue).await? else {
                in_vain += 1;
                ensure!(in_vain < POLLS, "a message does not come out of its queue");
                continue;
            };
            let answer = worker.ask(&received.event).await?;
            match answer["batchItemFailures"].as_array().map(Vec::len) {
                Some(0) => {
                    self.account.delete(queue, &received).await?;
                    self.removed[queue] += 1;
                }
                Some(_) => {}
                None => bail!("a worker answers {answer}"),
            }
        }
        Ok(any)
    }
}

async fn deploy(
    folder: &Path,
    environment: &Environment,
    template: &Template,
    logs: &Path,
) -> anyhow::Result<Vec<Arc<Deployment>>> {
    let mut functions = Vec::new();
    for (resource, binary) in FUNCTIONS {
        let deployed = template.function(resource)?;
        let log = logs.join(resource);
        let output = File::create(&log)?;
        let share = Share::of(deployed.memory);
        let process = Function::start(&folder.join(binary), environment, deployed, share, Some(output)).await?;
        functions.push(Arc::new(Deployment {
            deployed,
            process: Mutex::new(process),
            took: StdMutex::default(),
            log,
        }));
    }
    Ok(functions)
}

/// The API: both paths, each with its function behind it.
async fn open_doors(functions: &[Arc<Deployment>]) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let here = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/telegram-webhook", any(enter).with_state(Arc::clone(&functions[0])))
        .route("/intercom-webhook", any(enter).with_state(Arc::clone(&functions[2])));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(here)
}

async fn enter(
    State(function): State<Arc<Deployment>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> StatusCode {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), json!(value.to_str().ok()?))));
    let headers = Value::Object(headers.collect::<Map<_, _>>());
    let event = events::request(method.as_str(), uri.path(), &headers, &body);
    match function.ask(&event).await {
        Ok(answer) => {
            let status = answer["statusCode"]
                .as_u64()
                .and_then(|status| u16::try_from(status).ok());
            status
                .and_then(|status| StatusCode::from_u16(status).ok())
                .unwrap_or(StatusCode::BAD_GATEWAY)
        }
        Err(_) => StatusCode::BAD_GATEWAY,
    }
}
