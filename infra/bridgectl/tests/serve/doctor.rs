//! `bridgectl doctor`: each thing that it looks at, well and not well, as somebody reads it.

use crate::{group::Group, program::Program};
use simulators::{
    SimClock,
    intercom::Scope,
    telegram::{Right, Rights},
};
use std::process::Command;

/// What the doctor printed, and its exit code.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    pub(super) text: String,
}

impl Said {
    pub(super) fn by(mut command: Command) -> Self {
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        let mut text = String::from_utf8(output.stdout).unwrap();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Self {
            code: output.status.code(),
            text,
        }
    }

    /// These stand there, in this order, and no secret does.
    #[track_caller]
    pub(super) fn says(&self, parts: &[&str]) {
        let mut rest = self.text.as_str();
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else {
                panic!("{part:?} is not said, or not here:\n{}", self.text);
            };
            rest = after;
        }
    }
}

fn examine(program: &Program<'_>, settings: &[(&str, &str)]) -> Said {
    let mut command = program.settings(&["doctor", "--public-url", &program.url()]);
    command.envs(settings.iter().copied());
    Said::by(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_it_says_what_it_looked_at() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let url = program.url();
    let said = examine(&program, &[("STAFF", &format!("7={}", group.intercom.own_admin()))]);
    assert_eq!(said.code, Some(0), "{}", said.text);
    let chat = group.forum;
    let workspace = group.intercom.workspace_id();
    said.says(&[
        "ok        All four secrets are in .env\n",
        "ok        The settings can be read\n",
        "ok        The bot token is that of @acme_support_bot (Support)\n",
        &format!("ok        Telegram delivers to {url}/telegram-webhook\n"),
        " updates wait at Telegram, and none failed lately\n",
        &format!(
            "ok        Acme Support ({chat}), with topics: the bot is an administrator with all the rights it needs\n"
        ),
        &format!("in the workspace Simulated workspace ({workspace}), region US\n"),
        "ok        STAFF: admin ",
        "ok        The app may read what it needs",
        "ok        This machine's clock agrees with Intercom's\n",
        &format!("ok        {url}/telegram-webhook opens to Telegram's proof and to no other\n"),
        &format!("ok        {url}/intercom-webhook opens to Intercom's proof and to no other\n"),
        "\n12 ok, 0 to look at, 0 broken, 0 unchecked.\n",
    ]);
    for secret in [
        &group.bot.token,
        &group.intercom.access_token(),
        &group.intercom.client_secret(),
    ] {
        assert!(!said.text.contains(secret.as_str()), "{}", said.text);
    }
    program.rests().await;
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_the_bot_lacks_are_named_with_what_they_are_for() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let (telegram, bot, chat) = (&group.telegram, &group.bot, group.forum);
    telegram.remove_right(bot, chat, Right::ManageTopics);
    let said = examine(&program, &[]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    said.says(&[
        "WARNING   Acme Support",
        "the bot lacks the right to manage topics",
        "→ the group's settings",
    ]);
    telegram.promote_bot(bot, chat, Rights::none());
    examine(&program, &[]).says(&["lacks the right to manage topics and the right to delete messages"]);
    telegram.restrict_bot(bot, chat);
    let said = examine(&program, &[]);
    assert_eq!(said.code, Some(2), "{}", said.text);
    said.says(&["BROKEN    Acme Support", "the bot may not write"]);
    telegram.kick_bot(bot, chat);
    examine(&program, &[]).says(&[
        &format!("BROKEN    Chat {chat} is out of the bot's reach: 403 Forbidden: bot was kicked"),
        "→ add @acme_support_bot to the group",
    ]);
    telegram.add_bot(bot, chat);
    let said = examine(&program, &[]);
    said.says(&[
        "BROKEN    Acme Support",
        "the bot is no administrator, so it reads next to nothing",
    ]);
    telegram.set_privacy(bot, false);
    examine(&program, &[]).says(&["WARNING   Acme Support", "the bot is no administrator; it reads all"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_that_are_not_what_they_were_are_noticed() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let (telegram, bot) = (&group.telegram, &group.bot);
    let plain = telegram.supergroup("Walk-ins", false);
    telegram.promote_bot(bot, plain, Rights::all());
    let basic = telegram.group("Old group", &[telegram.user("Olga", None, None)]);
    telegram.promote_bot(bot, basic, Rights::all());
    let became = telegram.migrate(basic);
    let chats = format!("{},{plain},{basic},-1000000000001", group.forum);
    let said = examine(&program, &[("TELEGRAM_CHATS", &chats)]);
    assert_eq!(said.code, Some(2));
    said.says(&["BROKEN    Chat -1000000000001 is out of the bot's reach: 400 Bad Request: chat not found"]);
    said.says(&[
        &format!("ok        Walk-ins ({plain}), without topics: the bot is an administrator"),
        &format!("WARNING   Chat {basic} became a supergroup, and is {became} now"),
        "→ write",
    ]);
    let said = examine(
        &program,
        &[("TELEGRAM_CHATS", &plain.to_string()), ("GENERAL_TOPIC", "off")],
    );
    said.says(&[
        "BROKEN    Walk-ins",
        "has no topics, and GENERAL_TOPIC=off: nothing of it is carried",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_elsewhere_or_nowhere_is_noticed() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    group.register_telegram("http://127.0.0.1:9").await;
    examine(&program, &[]).says(&[
        "BROKEN    Telegram delivers to http://127.0.0.1:9/telegram-webhook, not to this bridge",
        "→ bridgectl setup registers it, if no other installation uses this bot",
    ]);
    group.telegram.forget_webhook(&group.bot);
    let said = examine(&program, &[]);
    assert_eq!(said.code, Some(2));
    said.says(&["BROKEN    No webhook is registered with Telegram"]);
    assert_eq!(program.stop(), Some(0));
    examine(&program, &[]).says(&["/telegram-webhook: no connection", "/intercom-webhook: no connection"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_are_wrong_are_told_apart() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let revoked = format!("{}:AAhidden-token-hidden-token-hidden12", group.bot.id);
    let said = examine(&program, &[("TELEGRAM_BOT_TOKEN", &revoked)]);
    assert_eq!(said.code, Some(2));
    said.says(&[
        "BROKEN    Telegram refuses the bot token: 401 Unauthorized",
        "→ copy it from @BotFather",
    ]);
    assert!(!said.text.contains("hidden"), "{}", said.text);
    let said = examine(&program, &[("INTERCOM_ACCESS_TOKEN", "hidden")]);
    said.says(&[
        "BROKEN    Intercom refuses the access token in every region",
        "→ copy it from the Developer Hub",
    ]);
    assert!(!said.text.contains("hidden"), "{}", said.text);
    let said = examine(&program, &[("TELEGRAM_WEBHOOK_SECRET", "another")]);
    said.says(&[
        "/telegram-webhook: a right proof is answered with 401",
        "→ the bridge has another secret than .env",
    ]);
    let said = examine(&program, &[("INTERCOM_CLIENT_SECRET", "another")]);
    said.says(&["/intercom-webhook: a right proof is answered with 401"]);
    let said = examine(&program, &[("INTERCOM_CLIENT_SECRET", "")]);
    said.says(&[
        "BROKEN    Missing: Intercom's client secret\n",
        "→ bridgectl setup asks for what is missing and writes it into .env",
        "UNCHECKED ",
        "/intercom-webhook keeps strangers out; there is no secret to open it with",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_may_not_do_and_who_is_not_there_is_named() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    let team = group.intercom.team("Support");
    let settings = [
        ("INTERCOM_ADMIN_ID", "4711"),
        ("INTERCOM_ASSIGNEE", &format!("team:{team}")),
    ];
    let said = examine(&program, &settings);
    assert_eq!(said.code, Some(2));
    said.says(&[
        "BROKEN    INTERCOM_ADMIN_ID: there is no admin 4711 in this workspace\n          → change INTERCOM_ADMIN_ID in .env;",
        &format!("ok        INTERCOM_ASSIGNEE: team {team} is Support\n"),
    ]);
    group
        .intercom
        .configure(|options| options.withheld = [Scope::ReadUsers, Scope::ReadTags].into());
    examine(&program, &[]).says(&[
        "BROKEN    The app lacks the permission: Read and list users and companies, Read tags\n",
        "→ tick it in the Developer Hub",
    ]);
    assert_eq!(group.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_noticed() {
    let group = Group::found_by(SimClock::manual(1_768_467_600_000)).await;
    let program = Program::new(&group);
    examine(&program, &[]).says(&[
        "BROKEN    This machine's clock and Intercom's are ",
        " s apart",
        "→ let the machine",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_reads_json() {
    let group = Group::found().await;
    let mut program = Program::new(&group);
    program.start().await;
    group
        .telegram
        .remove_right(&group.bot, group.forum, Right::DeleteMessages);
    let said = Said::by(program.settings(&["doctor", "--json", "--public-url", &program.url()]));
    assert_eq!(said.code, Some(1), "{}", said.text);
    let told: serde_json::Value = serde_json::from_str(&said.text).unwrap();
    assert_eq!((&told["version"], &told["level"]), (&1.into(), &"warning".into()));
    let findings = told["findings"].as_array().unwrap();
    let of = |check: &str| findings.iter().find(|one| one["check"] == check).unwrap();
    assert_eq!(of("telegram.token")["level"], "ok");
    assert!(of("telegram.token").get("mend").is_none());
    assert_eq!(of("telegram.chat")["level"], "warning");
    assert!(of("telegram.chat")["mend"].as_str().unwrap().contains("Administrators"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_set_up_it_says_where_to_begin() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let mut command = program.settings(&["doctor"]);
    command.env_clear().env("INTERCOM_API_URL", group.intercom.base_url());
    let said = Said::by(command);
    assert_eq!(said.code, Some(2), "{}", said.text);
    said.says(&[
        "BROKEN    Missing: the bot token, Telegram's webhook secret, Intercom's access token, Intercom's client secret\n",
        "BROKEN    No chat is bridged yet\n          → bridgectl setup finds the groups that the bot is in\n",
        "UNCHECKED It is not known under which URL the vendors reach the bridge\n          → pass --public-url",
    ]);
}
