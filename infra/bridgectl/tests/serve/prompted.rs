//! The questions that decide, as somebody at a terminal sees and answers them.

use crate::{group::Group, program::Program, setup};
use std::{
    fs,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// Runs a command at a terminal of its own (`script` is part of Debian), and answers each question when it is asked; its exit code, and
/// what it showed.
fn at_a_terminal(command: &Command, answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let quoted = |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap());
    let words = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(quoted);
    let line = words.collect::<Vec<_>>().join(" ");
    let mut child = Command::new("/usr/bin/script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .envs([("SHELL", "/bin/sh"), ("TERM", "xterm"), ("PATH", "/usr/bin:/bin")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let shown = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&shown);
    let reads = thread::spawn(move || {
        let mut some = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut some) {
            seen.lock().unwrap().push_str(&String::from_utf8_lossy(&some[..count]));
        }
    });
    let mut answered = 0;
    for (question, answer) in answers {
        let give_up = Instant::now() + Duration::from_mins(1);
        loop {
            let shown = shown.lock().unwrap();
            if let Some(asked) = shown[answered..].find(question) {
                answered += asked + question.len();
                break;
            }
            assert!(Instant::now() < give_up, "{question:?} is not asked: {shown}");
            drop(shown);
            thread::sleep(Duration::from_millis(20));
        }
        // Nobody types before they have read.
        thread::sleep(Duration::from_millis(200));
        keys.write_all(answer.as_bytes()).unwrap();
        keys.flush().unwrap();
    }
    let code = child.wait().unwrap().code();
    reads.join().unwrap();
    let shown = shown.lock().unwrap().clone();
    (code, shown)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_check_makes_nothing_after_a_no() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let mut command = program.settings(&["live-check"]);
    command.env("INTERCOM_ACCESS_TOKEN", group.intercom.access_token());
    let (code, shown) = tokio::task::block_in_place(|| at_a_terminal(&command, &[("Go on?", "n")]));
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nothing was made"), "{shown}");
    assert_eq!(group.intercom.calls_of("POST /contacts"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_asks_for_what_is_missing_and_shows_no_secret() {
    let group = Group::found().await;
    let program = Program::new(&group);
    let path = setup::begin(&program, &group);
    let mut command = program.settings(&["setup", "--wait", "1"]);
    command.env_clear();
    let typed = |secret: &str| format!("{secret}\r");
    let (token, access, client) = (
        group.bot.token.clone(),
        group.intercom.access_token(),
        group.intercom.client_secret(),
    );
    let answers = [
        ("The bot token, from @BotFather", "1234:AAmistyped\r".to_owned()),
        ("Telegram refuses the bot token", String::new()),
        ("The bot token, from @BotFather", typed(&token)),
        ("Intercom's access token, from the Developer Hub", typed(&access)),
        ("Intercom's client secret, from the Developer Hub", typed(&client)),
        ("Are these all the groups?", "y".to_owned()),
        ("space selects, enter takes", "\r".to_owned()),
        ("Do it?", "y".to_owned()),
        ("Enter when it is done", "\r".to_owned()),
    ];
    let answers = answers
        .each_ref()
        .map(|(question, answer)| (*question, answer.as_str()));
    let (code, shown) = tokio::task::block_in_place(|| at_a_terminal(&command, &answers));
    assert_eq!(code, Some(2), "it does not run yet: {shown}");
    for secret in ["AAmistyped", &token, &access, &client] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let written = fs::read_to_string(path).unwrap();
    let kept = |name: &str| {
        let mut lines = written.lines().filter_map(|line| line.split_once('='));
        lines.find_map(|(key, value)| (key == name).then(|| value.trim_matches('\'').to_owned()))
    };
    assert_eq!(kept("TELEGRAM_BOT_TOKEN"), Some(token));
    assert_eq!(kept("INTERCOM_ACCESS_TOKEN"), Some(access));
    assert_eq!(kept("INTERCOM_CLIENT_SECRET"), Some(client));
    assert_eq!(kept("TELEGRAM_CHATS"), Some(group.forum.to_string()));
    assert_eq!(group.violations(), Vec::<String>::new());
}
