//! `bridgectl`: the one command-line tool.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to a person in a terminal"
)]

use bridgectl::{
    check, demo, doctor, erase, export,
    findings::Level,
    import, live_check, reconcile, redrive, rotate, serve, settings,
    setup::{self, Terminal, Unattended},
    stage::Sabotage,
};
use clap::{Parser, Subcommand};
use std::{
    io::{IsTerminal as _, stdin},
    net::SocketAddr,
    process::ExitCode,
};
use tracing_subscriber::EnvFilter;

/// The bridge between Telegram topic groups and Intercom.
#[derive(Debug, Parser)]
#[command(version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows the bridge at work between a simulated Telegram and a simulated Intercom, without accounts or network.
    Demo {
        /// Where to show the page.
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// Shows no page: plays a scripted exchange, prints what everybody sees, and exits 0 if all is as it should be and 1 if not.
        #[arg(long)]
        check: bool,
        /// Breaks a part of the bridge on purpose, to see the check fail.
        #[arg(long, requires = "check")]
        sabotage: Option<Sabotage>,
    },
    /// Runs the bridge on this machine, against the real services.
    Serve(serve::Serve),
    /// Searches once for replies that Intercom did not deliver.
    Reconcile(reconcile::Reconcile),
    /// Shows what was given up, and with --yes puts it back into its queue.
    Redrive(redrive::Redrive),
    /// Puts another secret in the place of one, without a message lost.
    Rotate(rotate::Rotate),
    /// Removes all that the bridge holds of one person.
    Erase(erase::Erase),
    /// Writes the map of topics and conversations into a file.
    Export(export::Export),
    /// Puts what a file of the map knows and the table does not.
    Import(import::Import),
    /// Sets the bridge up: asks for the tokens, finds the groups, registers the webhook, goes through Intercom's Developer Hub with you.
    Setup(setup::Setup),
    /// Tries, on a development workspace and in a test group, what no description says and the bridge takes for granted; removes what it
    /// made. Exits 0 if all holds, 1 if something could not be removed, 2 if something differs, 3 if something could not be tried.
    LiveCheck(live_check::LiveCheck),
    /// Looks at everything that can be looked at from outside, and says what to do. Exits 0 if all is well, 1 if somebody should look
    /// at something, 2 if something is broken, 3 if something could not be checked.
    Doctor(doctor::Doctor),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Command::parse())).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bridgectl: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command.action {
        Action::Demo {
            listen, check: false, ..
        } => {
            log("off");
            let demo = demo::Demo::start(listen).await?;
            println!("The demo is at {}\nCtrl+C ends it.", demo.url()?);
            demo.serve().await?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Demo { sabotage, .. } => {
            log("off");
            let report = check::run(sabotage).await?;
            println!("{}", report.text);
            if report.failures.is_empty() {
                println!("All is as it should be.");
                return Ok(ExitCode::SUCCESS);
            }
            println!("{} expectations were not met.", report.failures.len());
            Ok(ExitCode::FAILURE)
        }
        Action::Serve(serve) => {
            settings::load_dotenv()?;
            log("info");
            serve::run(serve).await?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Reconcile(reconcile) => Box::pin(tended(reconcile::run(reconcile, show))).await,
        Action::Redrive(redrive) => Box::pin(tended(redrive::run(redrive, show))).await,
        Action::Rotate(rotate) => {
            // It reads the .env file by itself, before and after it has changed it.
            log("error");
            rotate::run(rotate, show).await?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Erase(erase) => Box::pin(tended(erase::run(erase, show))).await,
        Action::Export(export) => Box::pin(tended(export::run(export, show))).await,
        Action::Import(import) => Box::pin(tended(import::run(import, show))).await,
        Action::Setup(setup) => {
            log("error");
            set_up(&setup).await
        }
        Action::LiveCheck(check) => {
            log("error");
            Box::pin(try_live(&check)).await
        }
        Action::Doctor(doctor) => {
            log("error");
            Ok(examine(&doctor).await)
        }
    }
}

async fn set_up(setup: &setup::Setup) -> anyhow::Result<ExitCode> {
    let found = if setup.yes {
        setup::run(setup, &mut Unattended).await?
    } else {
        anyhow::ensure!(
            stdin().is_terminal(),
            "nobody can be asked here: pass --yes, and the tokens in the environment"
        );
        setup::run(setup, &mut Terminal).await?
    };
    println!("{}", found.text());
    Ok(found.exit_code())
}

async fn try_live(check: &live_check::LiveCheck) -> anyhow::Result<ExitCode> {
    let report = if check.yes {
        Box::pin(live_check::run(check, &mut Unattended)).await?
    } else {
        anyhow::ensure!(
            stdin().is_terminal(),
            "nobody can be asked here: pass --yes and --workspace"
        );
        Box::pin(live_check::run(check, &mut Terminal)).await?
    };
    if check.json {
        println!("{:#}", report.json());
    } else {
        println!("{}", report.text());
    }
    Ok(report.exit_code())
}

/// Where nothing can be looked at, that is what could not be checked.
async fn examine(doctor: &doctor::Doctor) -> ExitCode {
    match doctor::run(doctor).await {
        Ok(found) if doctor.is_for_a_program() => {
            println!("{:#}", found.json());
            found.exit_code()
        }
        Ok(found) => {
            println!("{}", found.text());
            found.exit_code()
        }
        Err(error) => {
            eprintln!("bridgectl: {error:#}");
            Level::Unchecked.exit_code().into()
        }
    }
}

/// A command that looks after a bridge and tells what it does.
async fn tended(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<ExitCode> {
    settings::load_dotenv()?;
    log("warn");
    command.await?;
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::needless_pass_by_value, reason = "it is told to whoever listens")]
fn show(line: String) {
    println!("{line}");
}

/// Logs go to the standard error, as one JSON object a line; `RUST_LOG` says how much.
fn log(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
