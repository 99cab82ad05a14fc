#![doc = include_str!("../README.md")]
#![expect(
    clippy::cast_precision_loss,
    reason = "figures are for people to read; whatever is counted is far below 2^52"
)]

mod account;
mod aws;
mod cold;
mod events;
mod figures;
mod fill;
mod function;
mod limits;
mod meter;
mod price;
mod runtime_api;
mod serve;
mod share;
mod stage;
mod table;
mod template;
mod town;
mod usage;
mod warm;

use clap::{Parser, ValueEnum};
use figures::Figures;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Measures how quick and how cheap the bridge is.
#[derive(Parser)]
struct Arguments {
    /// What to measure; all of it by default.
    parts: Vec<Part>,
    /// Where the functions are, built for release.
    #[arg(long, default_value = "target/release", overrides_with = "functions")]
    functions: PathBuf,
    /// The one on the bare runtime, built as they are.
    #[arg(long, default_value = "target/release/bench-bare")]
    bare: PathBuf,
    /// `bridgectl`, built with the profile `tool`.
    #[arg(long, default_value = "target/tool/bridgectl")]
    bridgectl: PathBuf,
    /// Where AWS is played.
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    emulator: String,
    /// How often each function is started.
    #[arg(long, default_value_t = 30)]
    starts: usize,
    /// How often one that is awake is called.
    #[arg(long, default_value_t = 300)]
    calls: usize,
    /// How many messages `serve` carries each way.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// With how many links.
    #[arg(long, value_delimiter = ',', default_value = "1000,1000000")]
    links: Vec<u32>,
    /// Where the JSON goes.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// From the start of a function to its first answer, and how large it is.
    Cold,
    /// A function that is awake.
    Warm,
    /// What messages use and cost.
    Price,
    /// `bridgectl serve`.
    Serve,
}

#[tokio::main]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is what this program is for"
)]
async fn main() -> anyhow::Result<std::process::ExitCode> {
    let arguments = Arguments::parse();
    // Whoever made one before has made the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let figures = measure(&arguments).await?;
    print!("{figures}");
    fs::write(&arguments.json, serde_json::to_string_pretty(&figures)?)?;
    let exceeded = limits::exceeded(&figures);
    for limit in &exceeded {
        eprintln!("beyond the limit: {limit}");
    }
    Ok(u8::from(!exceeded.is_empty()).into())
}

async fn measure(arguments: &Arguments) -> anyhow::Result<Figures> {
    let Arguments {
        functions, emulator, ..
    } = arguments;
    let wanted = |part| arguments.parts.is_empty() || arguments.parts.contains(&part);
    let mut figures = Figures::default();
    if wanted(Part::Cold) {
        figures.builds = cold::builds(functions)?;
        figures.cold_starts = cold::measure(functions, &arguments.bare, arguments.starts).await?;
    }
    if wanted(Part::Warm) {
        figures.warm = warm::measure(functions, emulator, arguments.calls).await?;
    }
    if wanted(Part::Price) {
        let template = template::Template::read(Path::new("template.yaml"))?;
        let counts = usage::measure(functions, emulator, &template).await?;
        figures.bill = price::bill(&counts.usages);
        figures.metrics = counts.metrics;
        figures.usages = counts.usages.into();
    }
    if wanted(Part::Serve) {
        figures.served = serve::measure(&arguments.bridgectl, arguments.messages, &arguments.links).await?;
    }
    Ok(figures)
}
