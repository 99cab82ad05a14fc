//! Wires the ports to AWS and the vendors, and serves events until Lambda ends the process.

use crate::{
    aws, batch,
    batch::OwnQueues,
    environment::Environment,
    event::{self, Event, Task},
    handlers::{self, Handlers},
    logs,
    punctual::{Deadline, Punctual},
    queue::SqsQueue,
    secrets::{CachedSecrets, SecretsManager},
    table::Table,
    time::{SystemClock, SystemEntropy, timestamp},
    vault::SecretsVault,
};
use bridge::{
    Context, Known, Queues,
    config::{Config, ConfigError},
    ports::{Queue, Registry},
    rotation::Rotation,
    secrets::SecretSource,
    webhook::{Answer, WebhookRequest},
};
use intercom::IntercomClient;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use mapping::{Clock, Ledger};
use serde_json::Value;
use std::{
    io,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use telegram::TelegramClient;
use tokio::runtime::Builder;
use tracing::Instrument as _;

/// What a request may take. Telegram waits longer, Intercom serves slow endpoints last; both try again.
const REQUEST: Duration = Duration::from_secs(3);

/// How soon whoever waited that long may try again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// What the preparations may take; without them the first event pays for it.
const PREPARATIONS: Duration = Duration::from_secs(3);

/// A function stops its work so long before Lambda would end the process: then its log says so, and the process lives on.
const BEFORE_THE_END: Duration = Duration::from_secs(1);

/// The ports of the bridge on AWS.
pub struct Host {
    /// The settings.
    pub config: Config,
    /// Tokens and webhook secrets, in Secrets Manager.
    pub secrets: Arc<dyn SecretSource>,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
    /// What the bridge knows, in DynamoDB.
    pub ledger: Ledger,
    /// The queues, on SQS.
    pub queues: Queues,
    vault: Arc<SecretsVault>,
    http: reqwest::Client,
    own_queues: OwnQueues,
    deadline: Arc<Deadline>,
    has_served: AtomicBool,
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error("failed to read the environment: {0}")]
    Environment(#[from] ConfigError),
    #[error("failed to make an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error("failed to make a runtime: {0}")]
    Runtime(io::Error),
    #[error("failed to serve events: {0}")]
    Events(lambda_runtime::Error),
}

/// Why an event was not dealt with to its end. Lambda counts it, and a queue brings its message again.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error("failed to finish before the function's time was over")]
    OutOfTime,
    #[error("failed to do a task that this function does not have")]
    NoSuchTask,
}

/// Runs a function: reads its environment, lets `wire` say what it does, and serves events.
pub fn run(wire: impl FnOnce(&Host) -> Handlers) -> ExitCode {
    logs::start();
    // There is one event at a time, and beside it nothing but lookups of names: each further thread costs a start its memory.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build();
    let served = runtime.map_err(StartError::Runtime);
    match served.and_then(|runtime| runtime.block_on(serve(wire))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn serve(wire: impl FnOnce(&Host) -> Handlers) -> Result<(), StartError> {
    let host = Host::new(&Environment::parse(|variable| std::env::var(variable).ok())?)?;
    let handlers = wire(&host);
    host.prepare().await;
    let (host, handlers) = (&host, &handlers);
    let function = service_fn(move |event: LambdaEvent<Value>| async move {
        let span = tracing::info_span!("invocation", request.id = event.context.request_id);
        host.handle(handlers, event).instrument(span).await
    });
    // Not `lambda_runtime::run`: that has a second span around this one.
    Runtime::new(function).run().await.map_err(StartError::Events)
}

impl Host {
    fn new(environment: &Environment) -> Result<Self, StartError> {
        let http = aws::http_client_of(environment)?;
        let sdk = aws::sdk_config(environment, http.clone());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Table::new(sdk.clone(), environment.table_name.clone());
        let client = aws_sdk_secretsmanager::Client::new(&sdk);
        let manager = SecretsManager {
            client: client.clone(),
            secret_id: environment.secret_id.clone(),
        };
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let urls = environment.queue_urls.clone();
        let queue = |url: &str| -> Arc<dyn Queue> { Arc::new(SqsQueue::new(sqs.clone(), url)) };
        Ok(Self {
            config: environment.config.clone(),
            secrets: Arc::new(CachedSecrets::new(manager, Arc::clone(&clock))),
            ledger: Ledger::new(Arc::new(store), Arc::clone(&clock), Arc::new(SystemEntropy)),
            queues: Queues {
                inbound: queue(&urls.inbound),
                outbound: queue(&urls.outbound),
                inbound_dead: queue(&urls.inbound_dead),
                outbound_dead: queue(&urls.outbound_dead),
            },
            vault: Arc::new(SecretsVault::new(client, environment.secret_id.clone())),
            http,
            own_queues: OwnQueues { client: sqs, urls },
            deadline: Deadline::new(Arc::clone(&clock)),
            has_served: AtomicBool::new(false),
            clock,
        })
    }

    /// The ground that workers stand on.
    pub fn context(&self) -> Arc<Context> {
        let (config, secrets, http) = (self.config.clone(), &self.secrets, &self.http);
        let timeouts = intercom::Timeouts::default();
        let (url, clock) = (&config.intercom_api_url, Arc::clone(&self.clock));
        let intercom = IntercomClient::new(http.clone(), url, Arc::clone(secrets), timeouts, clock);
        let intercom = Punctual::new(intercom, &self.deadline, timeouts.total, timeouts.files);
        let timeouts = telegram::Timeouts::default();
        let telegram = self.telegram();
        let telegram = Punctual::new(telegram, &self.deadline, timeouts.total, timeouts.file);
        Arc::new(Context {
            config,
            secrets: Arc::clone(secrets),
            ledger: self.ledger.clone(),
            helpdesk: Arc::new(intercom),
            messenger: Arc::new(telegram),
            queues: self.queues.clone(),
            known: Known::default(),
        })
    }

    /// Where our webhook is registered.
    pub fn registry(&self) -> Arc<dyn Registry> {
        Arc::new(self.telegram())
    }

    /// The rotation of the webhook's secret.
    pub fn rotation(&self) -> Rotation {
        let registrar = Arc::new(self.telegram());
        let (vault, clock) = (Arc::clone(&self.vault), Arc::clone(&self.clock));
        Rotation::new(vault, registrar, clock, Arc::new(SystemEntropy))
    }

    fn telegram(&self) -> TelegramClient {
        let (url, secrets) = (&self.config.telegram_api_url, Arc::clone(&self.secrets));
        TelegramClient::new(self.http.clone(), url, secrets, telegram::Timeouts::default())
    }

    /// Reads the secrets and opens a connection to the queue, side by side: Lambda gives a whole processor to this, and none of it to
    /// the first request. What fails here is tried again when it is needed.
    async fn prepare(&self) {
        let preparations = async {
            let (_, _) = tokio::join!(
                self.secrets.current(),
                self.http.head(&self.own_queues.urls.inbound).send()
            );
        };
        let _ = tokio::time::timeout(PREPARATIONS, preparations).await;
    }

    async fn handle(&self, handlers: &Handlers, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
        if !self.has_served.swap(true, Ordering::Relaxed) {
            tracing::info!(metric.cold_start = 1, "a new process has its first event");
        }
        let deadline = timestamp(event.context.deadline()) - BEFORE_THE_END;
        match Event::read(event.payload)? {
            Event::Request(request) => Ok(event::response(answer(handlers, &request).await)),
            Event::Messages(messages) => {
                self.deadline.set(deadline);
                let carried = batch::carry(
                    &messages,
                    handlers.worker.as_ref(),
                    &self.own_queues,
                    self.clock.as_ref(),
                );
                let stay = tokio::time::timeout(self.deadline.left(), carried).await;
                Ok(event::batch_response(&stay.map_err(|_| Unfinished::OutOfTime)?))
            }
            Event::Task(Task::Sweep) => {
                self.deadline.lift();
                let sweep = handlers.sweep.as_ref().ok_or(Unfinished::NoSuchTask)?;
                handlers::sweep(sweep, deadline).await?;
                Ok(Value::Null)
            }
            Event::Task(Task::Rotate { days }) => {
                let rotation = handlers.rotation.as_ref().ok_or(Unfinished::NoSuchTask)?;
                handlers::rotate(rotation, days).await?;
                Ok(Value::Null)
            }
            Event::Task(Task::Watch) => {
                self.deadline.set(deadline);
                handlers.watch.as_ref().ok_or(Unfinished::NoSuchTask)?.look().await;
                Ok(Value::Null)
            }
        }
    }
}

/// Answers a request within the time that it may take.
async fn answer(handlers: &Handlers, request: &WebhookRequest) -> Answer {
    let answer = tokio::time::timeout(REQUEST, handlers.webhook.answer(request)).await;
    answer.unwrap_or_else(|_| {
        tracing::error!("a request took too long; whoever sent it has to try again");
        Answer::TryLater(TRY_AGAIN)
    })
}
