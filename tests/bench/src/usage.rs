//! What a message uses, counted: the real functions carry some, a few of them at the second attempt.

use crate::{
    account::{INBOUND, OUTBOUND},
    figures::median,
    stage::{FUNCTIONS, Stage},
    template::Template,
};
use anyhow::ensure;
use serde::Serialize;
use simulators::Fault;
use std::{fs, path::Path, sync::PoisonError, time::Duration};

/// Of each direction so many are carried, one of them at its second attempt: two in a hundred.
const MESSAGES: usize = 50;
const TOPICS: usize = 10;

/// What CloudWatch adds to each event of a log: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutLogEvents.html>.
const LOG_EVENT: u64 = 26;

/// Lambda's own lines of an invocation, START, END and REPORT, as documented:
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>.
const OWN_LINES: [u64; 3] = [73, 52, 190];

/// The access log's line of a request, in the template's format.
const ACCESS_LINE: &str =
    r#"{"ip":"149.154.167.220","route":"POST /telegram-webhook","status":"200","ms":"13","error":"-"}"#;

/// What the messages of one direction used, by message.
#[derive(Debug, Serialize)]
pub(crate) struct Usage {
    /// `to Intercom`, `to Telegram`.
    pub(crate) direction: &'static str,
    /// How many messages were carried, and how many of them at the second attempt.
    pub(crate) messages: usize,
    pub(crate) retried: usize,
    /// Calls to the vendors.
    pub(crate) vendor_calls: f64,
    /// Requests to the API.
    pub(crate) api_requests: f64,
    /// Invocations of functions.
    pub(crate) invocations: f64,
    /// Billed milliseconds by invocation of the webhook and of the worker, whose vendor answers at once.
    pub(crate) webhook_ms: f64,
    pub(crate) worker_ms: f64,
    pub(crate) gb_seconds: f64,
    /// The worker's memory, in MB.
    pub(crate) worker_mb: u32,
    /// DynamoDB's units, SQS's requests.
    pub(crate) write_units: f64,
    pub(crate) read_units: f64,
    pub(crate) queue_requests: f64,
    /// What goes into logs.
    pub(crate) log_bytes: f64,
    /// Metrics that are counted in them.
    pub(crate) metric_lines: f64,
}

/// Which metrics were counted at all, by function.
pub(crate) struct Counts {
    pub(crate) usages: [Usage; 2],
    pub(crate) metrics: usize,
}

/// Carries messages in both directions and counts.
pub(crate) async fn measure(folder: &Path, emulator: &str, template: &Template) -> anyhow::Result<Counts> {
    let mut stage = Stage::set(folder, emulator, template, TOPICS).await?;
    for topic in 0..TOPICS {
        stage
            .customer_writes(topic, "Hello, I have a question about my order.")
            .await?;
        stage.agent_replies(topic, "<p>Hello! Which one is it?</p>").await?;
    }
    let usages = [
        one_way(&mut stage, template, INBOUND).await?,
        one_way(&mut stage, template, OUTBOUND).await?,
    ];
    let violations = [stage.telegram.violations(), stage.intercom.violations()].concat();
    ensure!(violations.is_empty(), "the vendors would have refused: {violations:?}");
    Ok(Counts {
        usages,
        metrics: metrics(&stage)?,
    })
}

async fn one_way(stage: &mut Stage, template: &Template, queue: usize) -> anyhow::Result<Usage> {
    stage.count_anew();
    let logged: Vec<u64> = log_sizes(stage)?;
    let calls = (stage.telegram.calls().len(), stage.intercom.calls().len());
    let text = "I ordered the blue one on Monday, and the parcel says that it went to Bremen. Can you see where it is now, please?";
    for message in 0..MESSAGES {
        if message == MESSAGES / 2 {
            let later = Fault::TooManyRequests(Duration::from_secs(1));
            stage
                .telegram
                .faults()
                .arm("sendMessage", later.clone(), usize::from(queue == OUTBOUND));
            stage
                .intercom
                .faults()
                .arm("POST /conversations/{id}/reply", later, usize::from(queue == INBOUND));
        }
        let topic = message % TOPICS;
        match queue {
            INBOUND => stage.customer_writes(topic, text).await?,
            _ => stage.agent_replies(topic, &format!("<p>{text}</p>")).await?,
        }
    }
    let calls = stage.telegram.calls().len() - calls.0 + stage.intercom.calls().len() - calls.1;
    summed(stage, template, queue, &logged, calls)
}

fn log_sizes(stage: &Stage) -> anyhow::Result<Vec<u64>> {
    let sizes = stage
        .functions
        .iter()
        .map(|function| Ok(fs::metadata(&function.log)?.len()));
    sizes.collect()
}

fn summed(stage: &Stage, template: &Template, queue: usize, logged: &[u64], calls: usize) -> anyhow::Result<Usage> {
    let counted = stage.account.meter.take();
    let each = |total: f64| total / MESSAGES as f64;
    let (mut invocations, mut gb_seconds, mut bytes, mut metric_lines) = (0, 0.0, 0, 0);
    let mut by_invocation = [0.0; 2];
    for (number, function) in stage.functions.iter().enumerate() {
        let took = function.took.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_worker = number % 2 == 1;
        // What else the machine does makes some of them long; the one in the middle is what they take.
        let billed = (median(took.clone()).as_secs_f64() * 1e3).ceil();
        let total = billed * took.len() as f64;
        gb_seconds += total / 1e3 * f64::from(function.deployed.memory) / 1024.0;
        if number / 2 == queue {
            by_invocation[usize::from(is_worker)] = billed;
        }
        invocations += took.len();
        let log = fs::read_to_string(&function.log)?;
        let new = log.get(usize::try_from(logged[number])?..).unwrap_or_default();
        bytes += new.len() as u64 + LOG_EVENT * new.lines().count() as u64;
        metric_lines += new.lines().filter(|line| line.contains("\"_aws\"")).count();
        if template.tells_of_each_invocation(FUNCTIONS[number].0) {
            bytes += OWN_LINES.iter().map(|line| line + LOG_EVENT).sum::<u64>() * took.len() as u64;
        }
    }
    let requests = stage.functions[2 * queue]
        .took
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .len();
    bytes += (ACCESS_LINE.len() as u64 + LOG_EVENT) * requests as u64;
    Ok(Usage {
        direction: if queue == INBOUND { "to Intercom" } else { "to Telegram" },
        messages: MESSAGES,
        retried: 1,
        vendor_calls: each(calls as f64),
        api_requests: each(requests as f64),
        invocations: each(invocations as f64),
        webhook_ms: by_invocation[0],
        worker_ms: by_invocation[1],
        gb_seconds: each(gb_seconds),
        worker_mb: stage.functions[2 * queue + 1].deployed.memory,
        write_units: each(counted.write_units as f64),
        read_units: each(counted.read_units as f64),
        queue_requests: each(counted.queue_requests as f64),
        log_bytes: each(bytes as f64),
        metric_lines: each(metric_lines as f64),
    })
}

/// How many metrics there are: each name of each function.
fn metrics(stage: &Stage) -> anyhow::Result<usize> {
    let mut total = 0;
    for function in &stage.functions {
        let log = fs::read_to_string(&function.log)?;
        let mut names = std::collections::BTreeSet::new();
        for line in log.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            let directives = line["_aws"]["CloudWatchMetrics"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let of = directives
                .iter()
                .flat_map(|directive| directive["Metrics"].as_array().cloned().unwrap_or_default());
            names.extend(of.filter_map(|metric| metric["Name"].as_str().map(str::to_owned)));
        }
        total += names.len();
    }
    Ok(total)
}
