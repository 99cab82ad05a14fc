//! A function that is awake, beside a bare `SendMessage` to the same emulator, in turn.

use crate::{
    account::{Account, INBOUND},
    cold::{FUNCTIONS, WEBHOOK},
    events,
    function::{Function, cpu_of_children, cpu_of_this},
};
use anyhow::{Context as _, ensure};
use serde::Serialize;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// How many of the first calls do not count.
const FIRST: usize = 20;

/// How soon, and for how much processor time, a webhook is answered.
#[derive(Debug, Serialize)]
pub(crate) struct Warm {
    pub(crate) what: String,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// By that of the bare call.
    pub(crate) ratio: f64,
    pub(crate) cpu_ms: f64,
}

/// Measures so many calls of each.
pub(crate) async fn measure(folder: &Path, emulator: &str, calls: usize) -> anyhow::Result<Vec<Warm>> {
    let account = Account::open(emulator, &events::secret()).await?;
    let mut environment = account.environment_at(emulator);
    environment.push(("TELEGRAM_CHATS", events::CHAT.to_string()));
    let mut figures: Vec<Warm> = Vec::new();
    for (name, request) in FUNCTIONS {
        let mut function = Function::start(&folder.join(name), &environment, WEBHOOK, None, None).await?;
        let (mut answers, mut bare) = (Vec::new(), Vec::new());
        for count in 0..FIRST + calls {
            let answered = function.ask(&request(count + 1)).await?;
            let answer = answered.answer.map_err(anyhow::Error::msg).context(name)?;
            ensure!(answer["statusCode"] == 200, "{name} answers {answer}");
            let begun = Instant::now();
            account.send_bare(INBOUND, emulator, &format!("{name}-{count}")).await?;
            if count >= FIRST {
                answers.push(answered.ended - answered.began);
                bare.push(begun.elapsed());
            }
        }
        let before = cpu_of_children()?;
        function.end()?;
        let cpu = cpu_of_children()?.saturating_sub(before) / u32::try_from(FIRST + calls)?;
        let before = cpu_of_this()?;
        for count in 0..calls {
            account
                .send_bare(INBOUND, emulator, &format!("{name}-alone-{count}"))
                .await?;
        }
        let bare_cpu = cpu_of_this()?.saturating_sub(before) / u32::try_from(calls)?;
        let bare = figure("SendMessage alone".to_owned(), bare, None, bare_cpu);
        figures.push(figure(name.to_owned(), answers, Some(bare.p50_ms), cpu));
        figures.push(bare);
    }
    Ok(figures)
}

fn figure(what: String, mut took: Vec<Duration>, bare_ms: Option<f64>, cpu: Duration) -> Warm {
    took.sort_unstable();
    let at = |hundredth: usize| {
        took.get(took.len() * hundredth / 100)
            .map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    Warm {
        what,
        p50_ms: at(50),
        p99_ms: at(99),
        ratio: bare_ms.map_or(1.0, |bare| at(50) / bare),
        cpu_ms: cpu.as_secs_f64() * 1e3,
    }
}
