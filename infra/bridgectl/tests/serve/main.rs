//! `bridgectl serve`, the program itself: settings, traffic both ways, a kill under load, a clean end.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what cannot be run has failed, and says how far it came"
)]

mod doctor;
mod erased;
mod group;
mod live_check;
mod mapped;
mod program;
mod prompted;
mod reconcile;
mod redriven;
mod rotated;
mod samples;
mod setup;
mod watched;

use group::Group;
use program::Program;
use reqwest::StatusCode;
use std::{process::Command, time::Duration};
use tempfile::TempDir;

fn serve(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    serve_in(&tempfile::tempdir().unwrap(), variables, &[])
}

/// Starts the program where it must not come up; its exit code, and what it said.
fn serve_in(folder: &TempDir, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bridgectl"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

const SETTINGS: [(&str, &str); 5] = [
    ("TELEGRAM_CHATS", "-1001234567890"),
    ("TELEGRAM_BOT_TOKEN", "1234:AAhidden-token-hidden-token-hidden12"),
    ("TELEGRAM_WEBHOOK_SECRET", "hidden-webhook-secret"),
    ("INTERCOM_ACCESS_TOKEN", "hidden-access-token"),
    ("INTERCOM_CLIENT_SECRET", "hidden-client-secret"),
];

/// The settings, with this one instead.
fn settings_but(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let rest = SETTINGS.into_iter().filter(|(other, _)| *other != name);
    rest.chain([(name, value)]).collect()
}

#[test]
fn a_missing_or_malformed_setting_is_named_and_nothing_starts() {
    for (missing, _) in SETTINGS {
        let rest: Vec<_> = SETTINGS.into_iter().filter(|(name, _)| *name != missing).collect();
        let (code, said) = serve(&rest);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(missing), "{missing} is not named: {said}");
        assert!(!said.contains("hidden"), "{said}");
    }
    for (wrong, value) in [
        ("TELEGRAM_CHATS", "the support group"),
        ("STAFF", "sam"),
        ("GIVE_UP_AFTER", "soon"),
        ("INTERCOM_API_URL", "api.intercom.io"),
    ] {
        let (code, said) = serve(&settings_but(wrong, value));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(wrong) && said.contains(value), "{wrong}={value}: {said}");
        assert!(!said.contains("hidden"), "{said}");
    }
    for (wrong, value) in [
        ("TELEGRAM_BOT_TOKEN", "hidden"),
        ("TELEGRAM_WEBHOOK_SECRET", "hidden with spaces"),
        ("TELEGRAM_WEBHOOK_SECRET", " "),
        ("INTERCOM_ACCESS_TOKEN", ""),
        ("INTERCOM_CLIENT_SECRET", " "),
    ] {
        let (code, said) = serve(&settings_but(wrong, value));
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(wrong), "{wrong} is not named: {said}");
        assert!(!said.contains("hidden"), "{said}");
    }
}

#[test]
fn settings_come_from_a_file_whose_mistakes_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = |lines: &[String]| std::fs::write(folder.path().join(".env"), lines.join("\n")).unwrap();
    let mut lines: Vec<String> = SETTINGS.iter().map(|(name, value)| format!("{name}={value}")).collect();
    lines.insert(1, "# Who is who:".into());
    lines.push("STAFF=sam".into());
    file(&lines);
    let (code, said) = serve_in(&folder, &[], &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("STAFF") && said.contains("sam"),
        "the rest is fine: {said}"
    );
    // The environment knows better.
    let (_, said) = serve_in(&folder, &[("STAFF", "ken")], &[]);
    assert!(said.contains("ken") && !said.contains("sam"), "{said}");
    for broken in [
        "hidden token, forgot the name",
        "TOKEN='hidden' and more # of it",
        "TOKEN=\"hidden",
    ] {
        let mut lines = lines.clone();
        lines.insert(3, broken.into());
        file(&lines);
        let (code, said) = serve_in(&folder, &[], &[]);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains(".env, line 4") && said.contains("NAME=value"),
            "{broken}: {said}"
        );
        assert!(!said.contains("hidden"), "{said}");
    }
}

/// What cannot work is said before anything is opened.
#[test]
fn an_address_that_is_no_address_starts_nothing() {
    for (url, why) in [
        ("http://bridge.example.com", "https://"),
        ("bridge.example.com", "https://"),
        ("https://", "is no address"),
        ("https://bridge.example.com/?x=1", "query"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = serve_in(&folder, &SETTINGS, &["--public-url", url]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("--public-url") && said.contains(why), "{url}: {said}");
        assert_eq!(
            std::fs::read_dir(&folder).unwrap().count(),
            0,
            "{url}: something was made"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_telegram_does_not_take_ends_the_program_before_it_serves() {
    let group = Group::found().await;
    let folder = tempfile::tempdir().unwrap();
    // The token is nobody's there.
    let settings = [&SETTINGS[..], &[("TELEGRAM_API_URL", group.telegram.base_url())]].concat();
    let public = ["--public-url", "https://bridge.example.com"];
    let (code, said) = tokio::task::block_in_place(|| serve_in(&folder, &settings, &public));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Telegram's webhook cannot be registered"), "{said}");
    assert!(
        !said.contains("the bridge is serving") && !said.contains("hidden"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_registers_its_address_and_says_the_other() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start_at("https://127.0.0.1:8443/").await;
    assert_eq!(group.webhook_url().await, "https://127.0.0.1:8443/telegram-webhook");
    assert!(
        program.log().contains("https://127.0.0.1:8443/intercom-webhook"),
        "{}",
        program.log()
    );
    assert_eq!(program.health().await, StatusCode::OK);
    assert_eq!(program.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_carries_both_ways_and_ends_cleanly_when_it_is_told_to() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let said = group.everybody_writes(0).await;
    group.sees(&said).await;
    let answered = group.agents_answer(0).await;
    // In the middle of carrying them.
    let code = program.stop();
    assert_eq!(code, Some(0), "{}", program.log());
    assert_eq!(
        program.claims().await,
        Vec::<String>::new(),
        "what was under way was carried to its end"
    );
    program.start().await;
    group.reads(&answered).await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
    assert_eq!(group.shown_twice(&answered), 0, "nothing was interrupted");
}

/// The largest file that Telegram gives to bots, and the largest that bots can send.
const LARGEST_IN: usize = 20 << 20;
const LARGEST_OUT: usize = 50 << 20;

/// The largest file is in memory once: its base64 is made while it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_file_needs_less_than_100_mb() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    group.opens().await;
    let before = program.peak_memory();
    group.sends_file(vec![7; LARGEST_IN]).await;
    takes_little(&program, before, LARGEST_IN, 100_000);
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
}

/// The largest file of an agent is in memory once: it is not copied on its way.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_file_of_an_agent_needs_less_than_150_mb() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    group.opens().await;
    let before = program.peak_memory();
    group.answers_with_file(vec![7; LARGEST_OUT]).await;
    takes_little(&program, before, LARGEST_OUT, 150_000);
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(group.violations(), Vec::<String>::new());
}

/// The most memory since the program began, after a file of this size was carried, is below so many kB. Only Linux tells.
fn takes_little(program: &Program<'_>, before: Option<u64>, file: usize, most: u64) {
    let told = before.zip(program.peak_memory());
    assert_eq!(told.is_some(), cfg!(target_os = "linux"), "the system does not tell");
    let Some((before, after)) = told else { return };
    let file = u64::try_from(file / 1024).unwrap();
    println!("peak memory: {before} kB before a file of {file} kB, {after} kB after it");
    assert!(after < most, "{after} kB");
    assert!(after - before < file * 3 / 2, "{} kB for {file} kB", after - before);
}

/// A kill leaves claims behind and hides what was taken for two minutes. These are taken off every time in the file, which for the
/// program is the same as waiting.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_goes_on_where_it_stopped() {
    const KILLS: u32 = 4;
    let group = Group::found().await;
    let mut program = Program::new(&group);
    let (mut said, mut answered) = (Vec::new(), Vec::new());
    for round in 0..KILLS {
        program.start().await;
        said.extend(group.everybody_writes(round).await);
        group.traffic_flows().await;
        // Both directions are under way when it is killed.
        answered.extend(group.agents_answer(round).await);
        let moment = Duration::from_millis(u64::from(rand::random::<u8>()));
        tokio::time::sleep(moment).await;
        program.kill();
        let claims = program.claims().await;
        println!("killed after {moment:?}, {} deliveries under way", claims.len());
        program.let_pass(Duration::from_secs(131)).await;
    }
    program.start().await;
    group.sees(&said).await;
    group.reads(&answered).await;
    let twice = group.shown_twice(&answered);
    println!(
        "{KILLS} kills, {} messages in, {} out, {twice} shown twice in Telegram",
        said.len(),
        answered.len()
    );
    assert!(
        twice <= KILLS as usize * group.topics(),
        "only what a kill interrupted can be shown twice"
    );
    program.rests().await;
    assert_eq!(program.stop(), Some(0));
    assert_eq!(program.open_ends().await, Vec::<String>::new());
    assert_eq!(group.violations(), Vec::<String>::new());
}
