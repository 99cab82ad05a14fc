//! `bridgectl live-check`: each point holds, differs and cannot be tried; what was made is gone; nothing is made without a yes.

use crate::{doctor::Said, group::Group, program::Program};
use bridgectl::{
    live_check::{self, LiveCheck, POINTS, Report, Rhythm},
    setup::Person,
};
use clap::Parser;
use simulators::{
    Fault, SimClock,
    intercom::{IntercomSim, OneClick, OutsiderReply, Reply, Unsettled},
    telegram::{Place, Rights, TelegramSim},
};
use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// So much faster does time pass for the vendors.
const HASTE: u32 = 20;

/// The point that is tried without the others.
const ALONE: &str = "intercom.reply_html";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    check: LiveCheck,
}

/// Somebody who enters the URL in the Developer Hub and answers in the inbox, as they are told.
struct Helper {
    telegram: TelegramSim,
    intercom: IntercomSim,
    agent: String,
    agrees: bool,
    told: Vec<String>,
}

impl Helper {
    fn of(group: &Group) -> Self {
        Self {
            telegram: group.telegram.clone(),
            intercom: group.intercom.clone(),
            agent: group.intercom.admin("Anna Weber"),
            agrees: true,
            told: Vec::new(),
        }
    }

    /// `In the inbox, conversation ID: write "WORDS", and send it with *CLICK*. …`
    fn answers(&self, wish: &str) {
        let (id, rest) = wish.split_once(": write \"").unwrap();
        let (words, rest) = rest.split_once("\", and send it with *").unwrap();
        let reply = Reply::text(words);
        let reply = match rest.split_once('*').unwrap().0 {
            "Send and close" => Reply { close: true, ..reply },
            "Send and snooze" => Reply {
                snooze: Some(self.intercom.clock().now_s() + 3_600),
                ..reply
            },
            _ => Reply {
                assign: Some(self.agent.clone()),
                ..reply
            },
        };
        self.intercom.agent_replies_with(id, &self.agent, reply);
    }
}

impl Person for Helper {
    fn tell(&mut self, line: &str) {
        self.told.push(line.to_owned());
        if let Some((_, rest)) = line.split_once("the endpoint URL is ") {
            let url = rest.split_once(';').unwrap().0.to_owned();
            let intercom = self.intercom.clone();
            tokio::spawn(async move { intercom.subscribe(&url).await.unwrap() });
        }
        if let Some(wish) = line.strip_prefix("In the inbox, conversation ") {
            self.answers(wish);
        }
        if line.ends_with("telegram.front_end") {
            self.telegram.faults().arm("getMe", Fault::Refuse(502), 1);
        }
    }

    fn secret(&mut self, what: &str, _variable: &str) -> anyhow::Result<String> {
        anyhow::bail!("{what} is missing")
    }

    fn agrees(&mut self, _question: &str) -> anyhow::Result<bool> {
        Ok(self.agrees)
    }

    fn choose(&mut self, _question: &str, _options: &[String]) -> anyhow::Result<Vec<usize>> {
        Ok(Vec::new())
    }

    fn does(&mut self, _what: &str) -> anyhow::Result<()> {
        Ok(())
    }

    fn is_there(&self) -> bool {
        true
    }
}

/// Both vendors in a hurry.
async fn hasty() -> (Group, JoinHandle<()>) {
    let clock = SimClock::behind(Duration::from_hours(24));
    let group = Group::found_by(clock.clone()).await;
    group.telegram.enforce_pace(true);
    group.intercom.run_in_background();
    let begin = Instant::now();
    let hurries = tokio::spawn(async move {
        let mut passed = Duration::ZERO;
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let due = begin.elapsed() * (HASTE - 1);
            clock.catch_up(due.saturating_sub(passed));
            passed = due;
        }
    });
    (group, hurries)
}

/// A check of these vendors, with everything that it can be given.
fn arguments(group: &Group, program: &Program<'_>, more: &[&str]) -> LiveCheck {
    let path = program.folder().join(".env");
    let settings = format!(
        "TELEGRAM_API_URL={}\nINTERCOM_API_URL={}\nTELEGRAM_BOT_TOKEN={}\nINTERCOM_ACCESS_TOKEN={}\nINTERCOM_CLIENT_SECRET={}\n",
        group.telegram.base_url(),
        group.intercom.base_url(),
        group.bot.token,
        group.intercom.access_token(),
        group.intercom.client_secret(),
    );
    fs::write(&path, settings).unwrap();
    let path = path.display().to_string();
    Arguments::parse_from([&["live-check", "--env-file", &path], more].concat()).check
}

/// Tries these points with everything that a check can be given; all, if none is named.
async fn check(group: &Group, only: &str) -> Report {
    let program = Program::new(group);
    let listen = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let url = format!("http://{listen}");
    let (chat, workspace) = (group.forum.to_string(), group.intercom.workspace_id());
    let lane = group.lane(0);
    let old = lane.rsplit_once(':').unwrap().1;
    let mut all = vec![
        "--chat",
        &chat,
        "--workspace",
        &workspace,
        "--long",
        "--workflow",
        "--old-topic",
        old,
    ];
    all.extend(["--listen", &listen, "--listen-url", &url]);
    if !only.is_empty() {
        all.extend(["--only", only]);
    }
    let check = arguments(group, &program, &all);
    let rhythm = Rhythm {
        second: Duration::from_secs(1) / HASTE,
        patience: Duration::from_secs(10),
        parts: 60,
    };
    let mut helper = Helper::of(group);
    Box::pin(live_check::run_in(&check, &mut helper, rhythm)).await.unwrap()
}

#[track_caller]
fn outcomes(report: &Report, expected: &str) {
    let odd: Vec<_> = report.points.iter().filter(|line| line.outcome != expected).collect();
    assert!(odd.is_empty(), "{expected} is expected of all: {odd:#?}");
    assert_eq!(report.left, Vec::<String>::new());
}

/// What a check may leave behind: nothing at all.
#[track_caller]
fn all_is_removed(group: &Group) {
    assert_eq!(group.intercom.conversations().len(), 0);
    assert_eq!(group.intercom.contacts().len(), 0);
    let topics = group.telegram.topics(group.forum);
    assert_eq!(topics.iter().filter(|topic| !topic.deleted).count(), group.topics());
    let lane = group.lane(0);
    let old = lane.rsplit_once(':').unwrap().1.parse().unwrap();
    for place in [Place::chat(group.forum), Place::topic(group.forum, old)] {
        let mut seen = group.telegram.messages(place);
        seen.extend(group.telegram.service_messages(place));
        seen.retain(|message| message.from_bot && !message.deleted);
        assert!(seen.is_empty(), "{seen:#?}");
    }
    assert!(!group.telegram.general_closed(group.forum));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_as_it_is_taken_for_granted_each_point_holds_and_nothing_is_left() {
    let (group, hurries) = hasty().await;
    let report = check(&group, "").await;
    outcomes(&report, "holds");
    assert_eq!(report.points.len(), POINTS.len());
    assert_eq!(report.code(), 0);
    all_is_removed(&group);
    assert_eq!(group.webhook_url().await, "");
    let expected = ["120 entities, only 100 are kept"];
    assert_eq!(group.violations(), expected, "more than is kept is sent on purpose");
    hurries.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_otherwise_each_point_differs_and_nothing_is_left() {
    let (group, hurries) = hasty().await;
    group.intercom.configure(|options| {
        options.api_version = "2.16".into();
        options.app_package_code = Some("bridge".into());
        options.outsider_reply = OutsiderReply::Accepted;
        options.one_click = OneClick::Untold;
        let unsettled = &mut options.unsettled;
        unsettled.retries_keep_id = false;
        unsettled.reads_are_html = false;
        unsettled.plaintext_has_lines = false;
        unsettled.most_attached = 5 << 20;
        unsettled.workflows_see_api = true;
        unsettled.newest_is_another = true;
        unsettled.most_parts = Some(40);
    });
    let lane = group.lane(0);
    group.telegram.unsettle(|unsettled| {
        unsettled.honours_retry_after = false;
        unsettled.shows_secret = false;
        unsettled.most_entities = 200;
        unsettled.front_end_speaks_json = true;
        unsettled
            .archived_topics
            .insert(lane.rsplit_once(':').unwrap().1.parse().unwrap());
        unsettled.managers_write_in_closed = false;
        unsettled.albums_count_by_item = false;
        unsettled.edits_count = true;
        unsettled.topic_methods_count = true;
        unsettled.words_are_known = false;
    });
    // Where tags are shown as they were written, and read as plain text, they are tags again: two wrongs, each of which is seen alone.
    let (alone, others): (Vec<_>, Vec<_>) = POINTS.iter().map(|about| about.name).partition(|name| *name == ALONE);
    let report = check(&group, &others.join(",")).await;
    outcomes(&report, "differs");
    assert_eq!(report.points.len() + alone.len(), POINTS.len());
    assert_eq!(report.code(), 2);
    assert!(report.points.iter().all(|line| !line.rests.is_empty()));
    all_is_removed(&group);
    assert_eq!(group.webhook_url().await, "");

    group.intercom.configure(|options| {
        options.unsettled = Unsettled {
            replies_are_html: false,
            ..Unsettled::default()
        };
    });
    let report = check(&group, ALONE).await;
    outcomes(&report, "differs");
    assert_eq!(report.points.len(), 1);
    all_is_removed(&group);
    hurries.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_without_a_yes_nor_where_nobody_named_the_place() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let chat = group.forum.to_string();
    let rhythm = Rhythm {
        second: Duration::from_millis(1),
        patience: Duration::from_millis(1),
        parts: 1,
    };
    let no_admin = group.telegram.supergroup("Where the bot is a guest", true);
    group.telegram.promote_bot(&group.bot, no_admin, Rights::none());
    let (no_admin, no_topics) = (
        no_admin.to_string(),
        group.telegram.supergroup("No topics", false).to_string(),
    );
    let workspace = group.intercom.workspace_id();
    for (more, refusal) in [
        (&["--chat", &chat][..], "nothing was made"),
        (
            &["--chat", &no_admin],
            "has to be an administrator who may manage topics",
        ),
        (&["--chat", &no_topics], "--chat"),
        (&["--chat", "-1001"], "--chat"),
        (&["--workspace", "another"], "--workspace: the access token is that of "),
        (&["--yes"], "--yes writes into no workspace that is not named"),
        (
            &["--only", "intercom.weather", "--workspace", &workspace],
            "there is no point",
        ),
    ] {
        let check = arguments(&group, &program, more);
        let mut person = Helper {
            agrees: false,
            ..Helper::of(&group)
        };
        let error = live_check::run_in(&check, &mut person, rhythm).await.unwrap_err();
        assert!(format!("{error:#}").contains(refusal), "{more:?}: {error:#}");
    }
    let writes = |name: &str| name.starts_with("POST ") || name.starts_with("DELETE ");
    assert!(group.intercom.calls().iter().all(|call| !writes(&call.name)));
    assert!(group.telegram.calls().iter().all(|call| call.method.starts_with("get")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_tries_what_needs_nobody_and_says_why_it_does_not_try_the_rest() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let workspace = group.intercom.workspace_id();
    let run = |more: &[&str]| {
        let mut command = program.settings(&[&["live-check", "--yes", "--workspace", &workspace], more].concat());
        command.env("INTERCOM_ACCESS_TOKEN", group.intercom.access_token());
        Said::by(command)
    };
    let said = run(&[]);
    assert_eq!(said.code, Some(3), "{}", said.text);
    said.says(&[
        "This makes contacts, conversations, topics and messages, and removes them in the end, in\n  the workspace ",
        "HOLDS   intercom.reply_html: ",
        "on it rests shared/intercom/src/render.rs, fn contact_reply\n",
        "UNTRIED intercom.many_parts: ",
        "→ it takes hundreds of calls, or minutes: --long\n",
        "UNTRIED intercom.notification_text: ",
        "→ it needs what Intercom delivers: --listen and --listen-url\n",
        "→ make a workflow in the workspace",
        "UNTRIED telegram.entities: ",
        "→ no test group is named: --chat\n",
        "5 hold, 0 differ, 16 could not be tried.",
    ]);
    assert_eq!(group.telegram.calls_of("sendMessage"), 0);

    group.intercom.configure(|options| {
        options
            .withheld
            .insert(simulators::intercom::Scope::DeleteConversations);
    });
    let said = run(&["--json", "--only", "intercom.reply_html"]);
    assert_eq!(said.code, Some(1), "{}", said.text);
    said.says(&[
        "\"left\": [\n    \"conversation ",
        "(the app needs the permission to delete conversations): failed to ",
        "\"outcome\": \"holds\"",
    ]);
    assert_eq!(group.violations(), Vec::<String>::new());
}
