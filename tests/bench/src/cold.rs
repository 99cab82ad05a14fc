//! From the start of a process to its first answer: the real functions beside one on the bare runtime, in turn.

use crate::{
    aws::Aws,
    events,
    figures::{Build, ColdStart, median},
    function::{Deployed, Environment, Function, Took},
    share::Share,
};
use anyhow::{Context as _, ensure};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// As the template deploys what answers webhooks.
pub(crate) const WEBHOOK: Deployed = Deployed {
    memory: 256,
    timeout: Duration::from_secs(5),
};

/// What asks a function, by a number of its own.
type Request = fn(usize) -> Value;

/// A function, and what asks it.
pub(crate) const FUNCTIONS: [(&str, Request); 2] = [
    ("telegram-ingress", events::telegram),
    ("intercom-replies", events::intercom),
];

const BARE: &str = "bench-bare";

/// One thing that takes its turn.
struct Started {
    name: &'static str,
    binary: PathBuf,
    request: Request,
    environment: Environment,
    first: Vec<Duration>,
    took: Vec<Took>,
}

/// What is started under these conditions.
#[derive(Clone, Copy)]
struct Conditions {
    tls: bool,
    shares: bool,
}

/// How large what is deployed is.
pub(crate) fn builds(folder: &Path) -> anyhow::Result<Vec<Build>> {
    let build = |name: &str| {
        let path = folder.join(name);
        let binary = fs::read(&path).with_context(|| format!("{} is not built", path.display()))?;
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&binary)?;
        Ok(Build {
            function: name.to_owned(),
            bytes: binary.len(),
            // The archive's own records beside its one file.
            zipped: packed.finish()?.len() + 200,
        })
    };
    FUNCTIONS.iter().map(|(name, _)| build(name)).collect()
}

/// Measures under all conditions, each so many times.
pub(crate) async fn measure(folder: &Path, bare: &Path, runs: usize) -> anyhow::Result<Vec<ColdStart>> {
    let plain = Aws::plain(&events::secret()).await?;
    let tls = Aws::over_tls(&events::secret()).await?;
    let mut figures = Vec::new();
    for (aws, conditions) in [
        (
            &plain,
            Conditions {
                tls: false,
                shares: false,
            },
        ),
        (
            &tls,
            Conditions {
                tls: true,
                shares: false,
            },
        ),
        (
            &tls,
            Conditions {
                tls: true,
                shares: true,
            },
        ),
    ] {
        if conditions.shares && Share::of(WEBHOOK.memory).is_none() {
            continue;
        }
        figures.extend(under(folder, bare, runs, aws, conditions).await?);
    }
    Ok(figures)
}

async fn under(
    folder: &Path,
    bare: &Path,
    runs: usize,
    aws: &Aws,
    conditions: Conditions,
) -> anyhow::Result<Vec<ColdStart>> {
    let started = |name, binary: PathBuf, request| Started {
        name,
        binary,
        request,
        environment: environment(aws),
        first: Vec::new(),
        took: Vec::new(),
    };
    let mut all = vec![started(BARE, bare.to_owned(), events::telegram as Request)];
    all.extend(FUNCTIONS.map(|(name, request)| started(name, folder.join(name), request)));
    // One more than counts: the first start of all reads the binary from the disk.
    for count in 0..=runs {
        for started in &mut all {
            let (first, took) = start_once(started, conditions, count).await?;
            if count > 0 {
                started.first.push(first);
                started.took.push(took);
            }
        }
    }
    Ok(all.iter().map(|started| figure(started, &all[0], conditions)).collect())
}

async fn start_once(started: &Started, conditions: Conditions, count: usize) -> anyhow::Result<(Duration, Took)> {
    let share = if conditions.shares {
        Share::of(WEBHOOK.memory)
    } else {
        None
    };
    let Started {
        name,
        binary,
        environment,
        ..
    } = started;
    let mut function = Function::start(binary, environment, WEBHOOK, share, None).await?;
    let answered = function.ask(&(started.request)(count + 1)).await?;
    let answer = answered.answer.map_err(anyhow::Error::msg).context(*name)?;
    ensure!(*name == BARE || answer["statusCode"] == 200, "{name} answers {answer}");
    let first = answered.ended - function.started;
    Ok((first, function.end()?))
}

fn figure(started: &Started, bare: &Started, conditions: Conditions) -> ColdStart {
    let cpu = |started: &Started| median(started.took.iter().map(|took| took.cpu).collect());
    let first = median(started.first.clone());
    ColdStart {
        function: started.name.to_owned(),
        tls: conditions.tls,
        memory_mb: conditions.shares.then_some(WEBHOOK.memory),
        first_answer_ms: first.as_secs_f64() * 1e3,
        ratio: first.as_secs_f64() / median(bare.first.clone()).as_secs_f64(),
        cpu_ms: cpu(started).as_secs_f64() * 1e3,
        cpu_ratio: cpu(started).as_secs_f64() / cpu(bare).as_secs_f64(),
        peak_mb: median(started.took.iter().map(|took| took.memory).collect()) as f64 / 1e6,
    }
}

/// What the template sets, and Lambda.
pub(crate) fn environment(aws: &Aws) -> Environment {
    let queue = |name: &str| format!("{}/123456789012/{name}.fifo", aws.url);
    let mut environment = vec![
        ("AWS_ENDPOINT_URL", aws.url.clone()),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".repeat(7)),
        ("AWS_SESSION_TOKEN", "token".repeat(150)),
        ("TELEGRAM_CHATS", events::CHAT.to_string()),
        ("SECRET_ID", "secret".to_owned()),
        ("TABLE_NAME", "table".to_owned()),
        ("METRICS_NAMESPACE", "bench".to_owned()),
        ("RUST_LOG", "info".to_owned()),
        ("MALLOC_ARENA_MAX", "1".to_owned()),
        ("INBOUND_QUEUE_URL", queue("inbound")),
        ("OUTBOUND_QUEUE_URL", queue("outbound")),
        ("INBOUND_DEAD_LETTERS_URL", queue("inbound-dead")),
        ("OUTBOUND_DEAD_LETTERS_URL", queue("outbound-dead")),
    ];
    environment.extend(aws.trusted().map(|file| ("SSL_CERT_FILE", file)));
    environment
}
