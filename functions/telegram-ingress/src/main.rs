#![doc = include_str!("../README.md")]

use bridge::inbound::{InboundWebhook, InboundWorker};
use host::Handlers;
use std::{process::ExitCode, sync::Arc};
use telegram::TelegramUpdates;

fn main() -> ExitCode {
    host::run(|host| Handlers {
        webhook: Box::new(InboundWebhook::new(
            TelegramUpdates,
            host.config.clone(),
            Arc::clone(&host.secrets),
            host.ledger.clone(),
            Arc::clone(&host.queues.inbound),
        )),
        worker: Box::new(InboundWorker::new(TelegramUpdates, host.context())),
        sweep: None,
        watch: None,
        rotation: None,
    })
}
