//! `bridgectl serve`: the bridge on one machine, against the real services.

use crate::{
    settings::{self, Settings},
    times::read_span,
};
use anyhow::Context as _;
use bridge::{Context, Known, Queues, config::Config, outbound::Watch, secrets::SecretSource};
use intercom::{IntercomClient, IntercomNotifications};
use local::{Database, Lanes, Machine, QueueName, SqliteStore, SystemClock, SystemEntropy};
use mapping::{Clock, Ledger};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use telegram::{TelegramClient, TelegramUpdates};
use tokio::{net::TcpListener, signal, sync::watch};

/// Where and on what to serve.
#[derive(Clone, Debug, clap::Args)]
pub struct Serve {
    /// Where to listen for the webhooks.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The database file.
    #[arg(long, default_value = "bridge.db")]
    data: PathBuf,
    /// The URL under which the vendors reach this program, https://…; registers Telegram's webhook there and prints Intercom's.
    #[arg(long)]
    public_url: Option<String>,
    /// How often both vendors are asked whether they know the tokens and deliver here; what is wrong stands in the log.
    #[arg(long, value_parser = read_span, default_value = "5m")]
    watch_every: Duration,
}

/// The handlers over one database file.
pub type Served = Machine<TelegramUpdates, IntercomNotifications>;

/// The two vendors' clients, as the settings say.
pub struct Clients {
    /// Telegram's.
    pub telegram: Arc<TelegramClient>,
    /// Intercom's.
    pub intercom: Arc<IntercomClient>,
}

impl Clients {
    /// Clients for the services that the settings name.
    pub fn new(config: &Config, secrets: &Arc<dyn SecretSource>) -> anyhow::Result<Self> {
        let source = Arc::clone(secrets);
        let timeouts = telegram::Timeouts::default();
        let http = telegram::http_client(timeouts).context("the HTTP client cannot be made")?;
        let telegram = TelegramClient::new(http, &config.telegram_api_url, Arc::clone(&source), timeouts);
        let timeouts = intercom::Timeouts::default();
        let http = intercom::http_client(timeouts).context("the HTTP client cannot be made")?;
        let clock = Arc::new(SystemClock);
        let intercom = IntercomClient::new(http, &config.intercom_api_url, source, timeouts, clock);
        Ok(Self {
            telegram: Arc::new(telegram),
            intercom: Arc::new(intercom),
        })
    }
}

/// Puts the bridge on a database file.
pub fn ground(data: &Path, settings: Settings, clients: &Clients) -> anyhow::Result<(Arc<Context>, Lanes)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let database = Database::open(data).with_context(|| format!("{} cannot be opened", data.display()))?;
    let store = Arc::new(SqliteStore::new(database.clone()));
    let lanes = Lanes::new(database, Arc::clone(&clock));
    let context = Context {
        config: settings.config,
        secrets: settings.secrets,
        ledger: Ledger::new(store, clock, Arc::new(SystemEntropy)),
        helpdesk: Arc::clone(&clients.intercom) as _,
        messenger: Arc::clone(&clients.telegram) as _,
        queues: queues(&lanes),
        known: Known::default(),
    };
    Ok((Arc::new(context), lanes))
}

/// The four queues.
pub(crate) fn queues(lanes: &Lanes) -> Queues {
    Queues {
        inbound: lanes.queue(QueueName::Inbound),
        outbound: lanes.queue(QueueName::Outbound),
        inbound_dead: lanes.queue(QueueName::InboundDead),
        outbound_dead: lanes.queue(QueueName::OutboundDead),
    }
}

/// Serves until it is told to stop, then carries to its end what is under way.
pub async fn run(serve: Serve) -> anyhow::Result<()> {
    let public_url = serve.public_url.as_deref().map(public_url).transpose()?;
    let settings = settings::here()?;
    let clients = Clients::new(&settings.config, &settings.secrets)?;
    let (context, lanes) = ground(&serve.data, settings, &clients)?;
    let machine: Arc<Served> = Arc::new(Machine::new(
        TelegramUpdates,
        IntercomNotifications,
        Arc::clone(&context),
        lanes,
        Arc::new(SystemClock),
    ));
    let listener = TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", serve.listen))?;
    // Before anything is carried: who is told that it does not work finds nothing half done. What comes meanwhile waits at the door.
    if let Some(url) = &public_url {
        register(&clients, url).await?;
    }
    tracing::info!(listen = %listener.local_addr()?, data = %serve.data.display(), "the bridge is serving");

    let (stop, stopped) = watch::channel(false);
    let workers = tokio::spawn(Arc::clone(&machine).run(stopped.clone()));
    let watches = tokio::spawn(watch_regularly(
        Watch::new(context, Arc::clone(&clients.telegram) as _),
        serve.watch_every,
        stopped.clone(),
    ));
    let router = local::router(machine);
    let mut told = stopped;
    let server = tokio::spawn(async move {
        let until = async move {
            let _ = told.wait_for(|stop| *stop).await;
        };
        axum::serve(listener, router).with_graceful_shutdown(until).await
    });
    asked_to_stop().await?;
    tracing::info!("the bridge is stopping: what is under way is carried to its end");
    stop.send_replace(true);
    server.await.context("the listener died")??;
    workers.await.context("the workers died")?;
    watches.await.context("the watch died")?;
    Ok(())
}

/// Looks for what nobody would notice until a message is missed. Whoever has just started the program may still have to register it.
async fn watch_regularly(watch: Watch, every: Duration, mut stop: watch::Receiver<bool>) {
    while tokio::time::timeout(every, stop.wait_for(|stop| *stop)).await.is_err() {
        watch.look().await;
    }
}

/// The address, if the vendors can call one below it.
fn public_url(given: &str) -> anyhow::Result<String> {
    let rest = given
        .strip_prefix("https://")
        .with_context(|| format!("--public-url: {given:?} does not begin with https://"))?;
    anyhow::ensure!(
        !rest.contains(['?', '#']),
        "--public-url: {given:?} has a query, and the webhooks are paths below it"
    );
    let url = given.trim_end_matches('/');
    anyhow::ensure!(
        url.len() > "https://".len() && !rest.starts_with('/'),
        "--public-url: {given:?} is no address"
    );
    Ok(url.to_owned())
}

async fn register(clients: &Clients, url: &str) -> anyhow::Result<()> {
    clients
        .telegram
        .set_webhook(&format!("{url}/telegram-webhook"))
        .await
        .context("Telegram's webhook cannot be registered")?;
    tracing::info!("Telegram's webhook is registered");
    tracing::info!(
        url = format!("{url}/intercom-webhook"),
        "in Intercom's Developer Hub, Webhooks, the endpoint URL is this"
    );
    Ok(())
}

/// Returns when somebody ends the program.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}
