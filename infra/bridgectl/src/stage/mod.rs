//! The stage: both simulated vendors, both functions' handlers and the embedded store in one process, over real HTTP on 127.0.0.1.
//! The demo plays on it, and so do the scenario tests.

mod sabotage;
mod time;

pub use sabotage::{POISONED, Poison, Sabotage};

use crate::serve::queues;
use anyhow::Context as _;
use bridge::{
    Context, Known, Queues,
    config::Config,
    ports::{Helpdesk, Messenger},
    secrets::{FixedSecrets, Secret, SecretSource, Secrets},
};
use intercom::{IntercomClient, IntercomNotifications};
use local::{Database, Lanes, Machine, SqliteStore};
use mapping::{Clock, Ledger, Store};
use sabotage::Sabotaged;
use simulators::{
    SimClock,
    intercom::IntercomSim,
    telegram::{Bot, TelegramSim},
};
use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use telegram::{TelegramClient, TelegramUpdates};
use time::{StageClock, StageEntropy};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{Instant, sleep},
};

/// The handlers on the stage.
pub type Staged = Machine<Sabotaged<TelegramUpdates>, Sabotaged<IntercomNotifications>>;

/// What the handlers reach the outside through.
#[derive(Clone)]
pub struct Ports {
    /// The table.
    pub store: Arc<dyn Store>,
    /// Intercom.
    pub helpdesk: Arc<dyn Helpdesk>,
    /// Telegram.
    pub messenger: Arc<dyn Messenger>,
    /// The queues.
    pub queues: Queues,
}

/// Puts something between the handlers and the outside: to count, to fail, to crash.
pub type Wrap = Arc<dyn Fn(Ports) -> Ports + Send + Sync>;

/// How the stage is set.
#[derive(Clone, Default)]
pub struct Setting {
    /// Settings by the names of their variables; the addresses of the vendors only where something stands before them.
    pub variables: Vec<(&'static str, String)>,
    /// What chance begins from.
    pub seed: u64,
    /// Where the database file is; one that ends with the stage, without it.
    pub data: Option<PathBuf>,
    /// Where the vendors know its webhooks to be, from before; without it they are told of an address of their own.
    pub known_at: Option<SocketAddr>,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
    /// At which word workers die.
    pub poison: Option<Poison>,
    /// What stands between the handlers and the outside.
    pub wrap: Option<Wrap>,
    /// How long (real time) a call to a vendor may take; the shipped time, without it.
    pub call_timeout: Option<Duration>,
    /// How long nobody looks for what a lost call did; the shipped time, without it.
    pub look_after: Option<Duration>,
}

/// The two vendors, before a bridge stands between them.
#[derive(Clone)]
pub struct Vendors {
    /// The time that all live in.
    pub clock: SimClock,
    /// The simulated Telegram.
    pub telegram: TelegramSim,
    /// The bridge's bot there.
    pub bot: Bot,
    /// The simulated Intercom.
    pub intercom: IntercomSim,
}

impl Vendors {
    /// Starts both.
    pub async fn start(clock: SimClock) -> Self {
        let telegram = TelegramSim::start(clock.clone()).await;
        let intercom = IntercomSim::start(clock.clone()).await;
        let bot = telegram.bot("Support", "acme_support_bot");
        Self {
            clock,
            telegram,
            bot,
            intercom,
        }
    }
}

/// Both vendors and the bridge between them.
pub struct Stage {
    /// The vendors.
    pub vendors: Vendors,
    /// The bridge.
    pub machine: Arc<Staged>,
    /// What it knows: its table and its lanes.
    pub database: Database,
    /// Where its webhooks are.
    pub base_url: String,
    /// The same as an address.
    pub address: SocketAddr,
    listener: JoinHandle<()>,
}

/// The secret that Telegram's webhook is registered with.
pub const WEBHOOK_SECRET: &str = "stage_secret_token";

impl Drop for Stage {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Stage {
    /// Puts a bridge between the vendors and tells them where it is.
    pub async fn set(vendors: Vendors, setting: &Setting) -> anyhow::Result<Self> {
        let listener = listen(setting.known_at)
            .await
            .context("127.0.0.1 cannot be listened on")?;
        let address = listener.local_addr()?;
        let base_url = format!("http://{address}");
        let database = match &setting.data {
            Some(path) => Database::open(path)?,
            None => Database::temporary()?,
        };
        let (machine, telegram) = bridge(&vendors, setting, database.clone())?;
        let router = local::router(Arc::clone(&machine));
        let listener = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        if setting.known_at.is_none() {
            telegram.set_webhook(&format!("{base_url}/telegram-webhook")).await?;
            let url = format!("{base_url}/intercom-webhook");
            vendors.intercom.subscribe(&url).await.map_err(anyhow::Error::msg)?;
        }
        Ok(Self {
            vendors,
            machine,
            database,
            base_url,
            address,
            listener,
        })
    }

    /// Lets everything happen that is due, and moves the clock to whatever is due next, until nothing is left to do.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.settle_within(Duration::from_hours(48)).await
    }

    /// The same, with so much time to pass at most.
    pub async fn settle_within(&self, most: Duration) -> anyhow::Result<()> {
        let clock = &self.vendors.clock;
        let end = clock.now_ms() + i64::try_from(most.as_millis())?;
        loop {
            self.settle_now().await?;
            let machine = self.machine.next_due().await?.map(mapping::Timestamp::as_millis);
            let due = [
                self.vendors.telegram.next_due_ms(),
                self.vendors.intercom.next_due_ms(),
                machine,
            ];
            match due.into_iter().flatten().min() {
                Some(next) if next <= end => clock.advance_to(next.max(clock.now_ms() + 1)),
                Some(_) | None => return Ok(()),
            }
        }
    }

    /// Lets everything happen that is due now.
    pub async fn settle_now(&self) -> anyhow::Result<()> {
        loop {
            let delivered = self.vendors.telegram.pump().await + self.vendors.intercom.pump().await;
            let mut carried = 0;
            while self.machine.step().await? {
                carried += 1;
            }
            if delivered + carried == 0 {
                return self.what_is_late_is_done().await;
            }
        }
    }

    /// Waits for the work of calls that were given up on: by the stage's clock it is done at once.
    async fn what_is_late_is_done(&self) -> anyhow::Result<()> {
        let give_up = Instant::now() + LATE;
        while self.vendors.telegram.faults().late() + self.vendors.intercom.faults().late() > 0 {
            anyhow::ensure!(Instant::now() < give_up, "a call that was given up on is never done");
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }
}

/// How long (real time) a vendor may take to notice that its caller is gone.
const LATE: Duration = Duration::from_mins(1);

/// How long (real time) whoever listened at an address before may take to leave it.
const LEAVING: Duration = Duration::from_secs(2);

async fn listen(known_at: Option<SocketAddr>) -> io::Result<TcpListener> {
    let address = known_at.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into());
    let give_up = Instant::now() + LEAVING;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < give_up => {
                sleep(Duration::from_millis(10)).await;
            }
            bound => return bound,
        }
    }
}

/// The handlers, wired as `serve` wires them, but for the clock, chance and what is sabotaged.
fn bridge(
    vendors: &Vendors,
    setting: &Setting,
    database: Database,
) -> anyhow::Result<(Arc<Staged>, Arc<TelegramClient>)> {
    let config = config(vendors, setting)?;
    let secrets = FixedSecrets::new(Secrets {
        telegram_bot_token: Secret::new(&vendors.bot.token),
        telegram_webhook_secrets: vec![Secret::new(WEBHOOK_SECRET)],
        intercom_access_token: Secret::new(vendors.intercom.access_token()),
        intercom_client_secrets: vec![Secret::new(vendors.intercom.client_secret())],
    })?;
    let source: Arc<dyn SecretSource> = Arc::new(secrets);
    let clock: Arc<dyn Clock> = Arc::new(StageClock(vendors.clock.clone()));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::new(database.clone()));
    let store = Sabotage::store(setting.sabotage, store);
    let lanes = Lanes::new(database, Arc::clone(&clock));
    let (telegram, intercom) = clients(&config, &source, setting.call_timeout, &clock)?;
    let ports = Ports {
        store,
        helpdesk: intercom,
        messenger: Arc::clone(&telegram) as _,
        queues: queues(&lanes),
    };
    let ports = setting.wrap.as_ref().map_or(ports.clone(), |wrap| wrap(ports));
    let entropy = Arc::new(StageEntropy::new(setting.seed));
    let context = Context {
        config,
        secrets: source,
        ledger: Ledger::new(ports.store, Arc::clone(&clock), entropy),
        helpdesk: ports.helpdesk,
        messenger: ports.messenger,
        queues: ports.queues,
        known: Known::default(),
    };
    let updates = Sabotaged::new(TelegramUpdates, setting, &vendors.intercom);
    let notifications = Sabotaged::new(IntercomNotifications, setting, &vendors.intercom);
    let machine = Machine::new(updates, notifications, Arc::new(context), lanes, clock);
    Ok((Arc::new(machine), telegram))
}

fn clients(
    config: &Config,
    secrets: &Arc<dyn SecretSource>,
    call_timeout: Option<Duration>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(Arc<TelegramClient>, Arc<IntercomClient>)> {
    let mut timeouts = telegram::Timeouts::default();
    timeouts.total = call_timeout.unwrap_or(timeouts.total);
    timeouts.file = call_timeout.unwrap_or(timeouts.file);
    let http = telegram::http_client(timeouts)?;
    let telegram = TelegramClient::new(http, &config.telegram_api_url, Arc::clone(secrets), timeouts);
    let mut timeouts = intercom::Timeouts::default();
    timeouts.total = call_timeout.unwrap_or(timeouts.total);
    timeouts.files = call_timeout.unwrap_or(timeouts.files);
    // The stage's clock does not move while somebody waits in place.
    timeouts.window = Duration::ZERO;
    let http = intercom::http_client(timeouts)?;
    let (url, clock) = (&config.intercom_api_url, Arc::clone(clock));
    let intercom = IntercomClient::new(http, url, Arc::clone(secrets), timeouts, clock);
    Ok((Arc::new(telegram), Arc::new(intercom)))
}

fn config(vendors: &Vendors, setting: &Setting) -> anyhow::Result<Config> {
    let set = |name: &str| {
        let mut variables = setting.variables.iter();
        variables
            .find(|(variable, _)| *variable == name)
            .map(|(_, value)| value.clone())
    };
    let mut config = Config::parse(|name| {
        set(name).or_else(|| match name {
            "TELEGRAM_API_URL" => Some(vendors.telegram.base_url().to_owned()),
            "INTERCOM_API_URL" => Some(vendors.intercom.base_url().to_owned()),
            _ => None,
        })
    })?;
    config.look_after = setting.look_after.unwrap_or(config.look_after);
    Ok(config)
}
