#![doc = include_str!("../README.md")]

use bridge::outbound::{OutboundWebhook, OutboundWorker, Sweep, Watch};
use host::Handlers;
use intercom::IntercomNotifications;
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    host::run(|host| {
        let context = host.context();
        Handlers {
            webhook: Box::new(OutboundWebhook::new(
                IntercomNotifications,
                Arc::clone(&host.secrets),
                Arc::clone(&host.clock),
                Arc::clone(&host.queues.outbound),
            )),
            worker: Box::new(OutboundWorker::new(IntercomNotifications, Arc::clone(&context))),
            sweep: Some(Sweep::new(Arc::clone(&context))),
            watch: Some(Watch::new(context, host.registry())),
            rotation: Some(host.rotation()),
        }
    })
}
