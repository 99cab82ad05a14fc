//! `bridgectl setup`: from nothing to a bridge that carries, with nobody and with somebody at the terminal.

use crate::{doctor::Said, group::Group, program::Program};
use bridgectl::setup::{self, Person, Setup};
use clap::Parser;
use simulators::telegram::Rights;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// The program with the tokens that a person has, and no settings yet.
fn set_up(program: &Program<'_>, group: &Group, arguments: &[&str]) -> Command {
    let mut all = vec!["setup", "--yes"];
    all.extend(arguments);
    let mut command = program.settings(&all);
    command
        .env_clear()
        .env("TELEGRAM_BOT_TOKEN", &group.bot.token)
        .env("INTERCOM_ACCESS_TOKEN", group.intercom.access_token())
        .env("INTERCOM_CLIENT_SECRET", group.intercom.client_secret())
        .stdin(Stdio::null());
    command
}

/// A `.env` file that leads to the simulators and holds nothing else.
pub(crate) fn begin(program: &Program<'_>, group: &Group) -> PathBuf {
    let path = program.folder().join(".env");
    let (telegram, intercom) = (group.telegram.base_url(), group.intercom.base_url());
    let text = format!(
        "# our bridge\nTELEGRAM_API_URL={telegram}\nINTERCOM_API_URL={intercom}\nGROUP_MESSAGES_PER_MINUTE=1200\n"
    );
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nothing_to_a_bridge_that_carries() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    let path = begin(&program, &group);
    let said = Said::by(set_up(&program, &group, &["--wait", "0"]));
    assert_eq!(said.code, Some(2), "it does not run yet: {}", said.text);
    said.says(&[
        "Telegram: the token is that of @acme_support_bot (Support)\n",
        "Intercom: the token is that of ",
        &format!("  Acme Support ({}), with topics; the bot is an administrator with all the rights it needs\n", group.forum),
        "This changes:\n  .env: TELEGRAM_BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET, INTERCOM_ACCESS_TOKEN, INTERCOM_CLIENT_SECRET\n",
        &format!("  TELEGRAM_CHATS in .env becomes {}\n", group.forum),
        "Do it? Yes (--yes).\n",
        "so none are made.\n",
        "2. Authentication, Edit: tick Read conversations, ",
        "run setup again with --public-url",
        "BROKEN    No webhook is registered with Telegram",
    ]);
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.starts_with("# our bridge\nTELEGRAM_API_URL="), "{written}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    program.start_with_file().await;
    let url = program.url();
    let hub = group.intercom.clone();
    let endpoint = format!("{url}/intercom-webhook");
    // Somebody saves the URL in the Developer Hub some time after the steps were printed.
    let saves = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        hub.subscribe(&endpoint).await.unwrap();
        hub.pump().await;
    });
    let said = Said::by(set_up(&program, &group, &["--public-url", &url, "--wait", "1"]));
    saves.await.unwrap();
    assert_eq!(said.code, Some(0), "{}", said.text);
    said.says(&[
        "This changes:\n  Telegram delivers what @acme_support_bot hears to ",
        "(message, edited_message, my_chat_member, message_reaction; at most 40 at a time)\n",
        &format!("5. Webhooks: the endpoint URL is {url}/intercom-webhook\n"),
        "Tick conversation.user.created, conversation.admin.replied, ",
        "Waiting for it …\n     ok: it came",
        "0 to look at, 0 broken, 0 unchecked.",
    ]);
    for secret in [
        &group.bot.token,
        &group.intercom.access_token(),
        &group.intercom.client_secret(),
    ] {
        assert!(!said.text.contains(secret.as_str()), "{}", said.text);
    }
    let said = Said::by(set_up(&program, &group, &["--public-url", &url, "--wait", "0"]));
    assert_eq!(said.code, Some(0), "{}", said.text);
    said.says(&["Everything that is written down is in place already.\n"]);

    let lines = group.everybody_writes(0).await;
    group.sees(&lines).await;
    program.rests().await;
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_until_the_bot_is_added_to_a_group() {
    let group = Group::found().await;
    group.telegram.kick_bot(&group.bot, group.forum);
    let program = Program::new(&group);
    begin(&program, &group);
    let (telegram, bot) = (group.telegram.clone(), group.bot.clone());
    let adds = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let chat = telegram.supergroup("A new group", false);
        telegram.promote_bot(&bot, chat, Rights::none());
        chat
    });
    let said = Said::by(set_up(&program, &group, &["--wait", "1"]));
    let chat = adds.await.unwrap();
    said.says(&[
        "Now add @acme_support_bot to your groups and make it an administrator",
        &format!("  {}: out of the bot's reach\n", group.forum),
        &format!("  A new group ({chat}), without topics; "),
        "the bot is an administrator, and lacks the right to delete messages\n",
        &format!("TELEGRAM_CHATS in .env becomes {chat}\n"),
    ]);
    assert!(
        !said.text.contains(&format!("becomes {}", group.forum)),
        "{}",
        said.text
    );
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_can_be_asked_what_is_missing_is_named_and_nothing_changes() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let path = begin(&program, &group);
    let before = fs::read_to_string(&path).unwrap();
    for (variable, wrong) in [
        ("TELEGRAM_BOT_TOKEN", "1234:AAhidden-token-hidden-token-hidden12"),
        ("INTERCOM_ACCESS_TOKEN", "hidden"),
        ("INTERCOM_CLIENT_SECRET", ""),
    ] {
        let mut command = set_up(&program, &group, &["--wait", "0"]);
        command.env(variable, wrong);
        let said = Said::by(command);
        assert_eq!(said.code, Some(1), "{}", said.text);
        said.says(&[&format!("is missing: set {variable}")]);
        assert!(!said.text.contains("hidden"), "{}", said.text);
    }
    let mut command = program.settings(&["setup"]);
    command.stdin(Stdio::null());
    Said::by(command).says(&["nobody can be asked here: pass --yes"]);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

/// Somebody at the terminal, who says no to one question.
struct Doubter {
    tokens: Vec<String>,
    refuses: &'static str,
    told: Vec<String>,
}

impl Person for Doubter {
    fn tell(&mut self, line: &str) {
        self.told.push(line.to_owned());
    }

    fn secret(&mut self, _what: &str, _variable: &str) -> anyhow::Result<String> {
        Ok(self.tokens.remove(0))
    }

    fn agrees(&mut self, question: &str) -> anyhow::Result<bool> {
        Ok(!question.starts_with(self.refuses))
    }

    fn choose(&mut self, _question: &str, options: &[String]) -> anyhow::Result<Vec<usize>> {
        Ok((0..options.len()).collect())
    }

    fn does(&mut self, _what: &str) -> anyhow::Result<()> {
        Ok(())
    }

    fn is_there(&self) -> bool {
        true
    }
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    setup: Setup,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_token_is_asked_for_again_and_nothing_changes_without_a_yes() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let path = begin(&program, &group);
    let before = fs::read_to_string(&path).unwrap();
    let file = path.display().to_string();
    let url = program.url();
    let arguments = ["setup", "--env-file", &file, "--wait", "0", "--public-url", &url];
    let setup = Arguments::parse_from(arguments).setup;
    let mut person = Doubter {
        tokens: vec![
            "not a token".into(),
            group.bot.token.clone(),
            group.intercom.access_token(),
            group.intercom.client_secret(),
        ],
        refuses: "Do it?",
        told: Vec::new(),
    };
    let refused = setup::run(&setup, &mut person).await.err().unwrap();
    assert_eq!(refused.to_string(), "nothing was changed");
    let told = person.told.join("\n");
    assert!(told.contains("Telegram refuses the bot token"), "{told}");
    assert!(told.contains("This changes:"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    assert_eq!(group.telegram.calls_of("setWebhook"), 0);
}
