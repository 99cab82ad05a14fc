#![doc = include_str!("../README.md")]

mod aws;
mod batch;
mod connector;
mod environment;
mod event;
mod handlers;
mod host;
mod logs;
mod metrics;
mod punctual;
mod queue;
mod secrets;
mod table;
mod time;
mod vault;

pub use aws::http_client;
pub use connector::Connector;
pub use environment::{Environment, QueueUrls};
pub use handlers::{Handlers, Webhook, Worker};
pub use host::{Host, run};
pub use queue::SqsQueue;
pub use secrets::secrets_in;
pub use time::{SystemClock, SystemEntropy};
pub use vault::SecretsVault;
