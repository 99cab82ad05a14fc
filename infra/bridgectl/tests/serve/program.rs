//! The program under test.

use super::group::{Group, until};
use local::Database;
use mapping::{Clock as _, Timestamp};
use reqwest::StatusCode;
use std::{
    fs::File,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// What Telegram proves itself with.
pub(crate) const WEBHOOK_SECRET: &str = "a-secret-of-the-webhook";

/// The program, which may be started again and again on the same file.
pub(crate) struct Program<'g> {
    group: &'g Group,
    folder: TempDir,
    port: u16,
    chats: Vec<i64>,
    is_registered: bool,
    keeps_in_file: bool,
    child: Option<Child>,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            println!("{}", self.log());
        }
    }
}

impl<'g> Program<'g> {
    pub(crate) fn new(group: &'g Group) -> Self {
        // It is free again when this returns, and the same each time that the program starts.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self {
            group,
            folder: tempfile::tempdir().unwrap(),
            port,
            chats: vec![group.forum],
            is_registered: false,
            keeps_in_file: false,
            child: None,
        }
    }

    /// With this chat on the list too.
    pub(crate) fn serving(mut self, chat: Option<i64>) -> Self {
        self.chats.extend(chat);
        self
    }

    /// Posts an update as Telegram does; the status of the answer.
    pub(crate) async fn takes_update(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let proof = ("X-Telegram-Bot-Api-Secret-Token", WEBHOOK_SECRET);
        self.takes("telegram-webhook", proof, body.into()).await
    }

    /// Posts a notification as Intercom does; the status of the answer.
    pub(crate) async fn takes_notification(&self, body: impl Into<Vec<u8>>) -> StatusCode {
        let body = body.into();
        let signature = self.group.intercom.sign(&body);
        self.takes("intercom-webhook", ("X-Hub-Signature", &signature), body)
            .await
    }

    async fn takes(&self, door: &str, (name, proof): (&str, &str), body: Vec<u8>) -> StatusCode {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://127.0.0.1:{}/{door}", self.port);
        let answer = client.post(url).header(name, proof).body(body).send().await.unwrap();
        answer.status()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("bridge.db")
    }

    /// The last that it logged.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The folder that it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program with its settings, to do something with its file.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.settings(arguments);
        command.arg("--data").arg(self.data());
        command
    }

    /// The program with its settings.
    pub(crate) fn settings(&self, arguments: &[&str]) -> Command {
        let group = self.group;
        let chats: Vec<String> = self.chats.iter().map(ToString::to_string).collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridgectl"));
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("TELEGRAM_CHATS", chats.join(","))
            .env("GROUP_MESSAGES_PER_MINUTE", "1200")
            .env("TELEGRAM_API_URL", group.telegram.base_url())
            .env("INTERCOM_API_URL", group.intercom.base_url())
            .env("INTERCOM_CLIENT_SECRET", group.intercom.client_secret());
        // What a .env file sets, the environment does not.
        if !self.keeps_in_file {
            command.env("TELEGRAM_BOT_TOKEN", &group.bot.token);
            command.env("TELEGRAM_WEBHOOK_SECRET", WEBHOOK_SECRET);
            command.env("INTERCOM_ACCESS_TOKEN", group.intercom.access_token());
        }
        command
    }

    /// Keeps what rotates in a `.env` file.
    pub(crate) fn with_env_file(mut self) -> Self {
        self.keeps_in_file = true;
        let (bot, token) = (&self.group.bot.token, self.group.intercom.access_token());
        let text = format!(
            "# kept by hand\nTELEGRAM_WEBHOOK_SECRET={WEBHOOK_SECRET}\nINTERCOM_ACCESS_TOKEN={token}\nTELEGRAM_BOT_TOKEN={bot}\n"
        );
        std::fs::write(self.folder.path().join(".env"), text).unwrap();
        self
    }

    /// What its `.env` file sets a variable to; the rest of the file is as it was.
    pub(crate) fn kept(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.folder.path().join(".env")).unwrap();
        assert!(
            text.starts_with("# kept by hand\n") && text.lines().count() == 4,
            "{text}"
        );
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap().to_owned()
    }

    /// Searches for what Intercom did not deliver; gives what it printed, line by line.
    pub(crate) fn reconcile(&self, arguments: &[&str]) -> Vec<String> {
        let mut all = vec!["reconcile"];
        all.extend(arguments);
        self.tend(&all)
    }

    /// Looks after it with a command that succeeds; gives what it printed, line by line.
    pub(crate) fn tend(&self, arguments: &[&str]) -> Vec<String> {
        let (code, printed, told) = self.try_to_tend(arguments);
        assert_eq!(code, Some(0), "{printed:?} {told}");
        printed
    }

    /// The same with a command that may fail: its exit code, what it printed, and what it told on the standard error.
    pub(crate) fn try_to_tend(&self, arguments: &[&str]) -> (Option<i32>, Vec<String>, String) {
        self.try_to_tend_pasting(arguments, "")
    }

    /// The same with a line on the standard input.
    pub(crate) fn try_to_tend_pasting(&self, arguments: &[&str], line: &str) -> (Option<i32>, Vec<String>, String) {
        let mut command = self.command(arguments);
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let output = tokio::task::block_in_place(|| {
            let mut child = command.spawn().unwrap();
            // A command that asks for nothing may have ended already.
            let _ = writeln!(child.stdin.take().unwrap(), "{line}");
            child.wait_with_output().unwrap()
        });
        let printed = String::from_utf8(output.stdout).unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), printed.lines().map(str::to_owned).collect(), told)
    }

    /// A path in its folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Starts and stops it, so that its file is there.
    pub(crate) async fn make_file(&mut self) {
        self.start().await;
        assert_eq!(self.stop(), Some(0));
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        self.start_with(&[]).await;
    }

    /// The same, asking both vendors every second what they know of it.
    pub(crate) async fn start_watching(&mut self) {
        self.start_with(&["--watch-every", "1s"]).await;
    }

    async fn start_with(&mut self, arguments: &[&str]) {
        self.launch(arguments, false).await;
        if !self.is_registered {
            self.is_registered = true;
            self.group.register(&self.url()).await;
        }
    }

    /// The same with nothing but its `.env` file.
    pub(crate) async fn start_with_file(&mut self) {
        self.launch(&[], true).await;
    }

    /// The same with an address that it registers by itself.
    pub(crate) async fn start_at(&mut self, public_url: &str) {
        self.launch(&["--public-url", public_url], false).await;
    }

    /// What it answers to whoever asks whether it is well.
    pub(crate) async fn health(&self) -> StatusCode {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client
            .get(format!("{}/healthz", self.url()))
            .send()
            .await
            .unwrap()
            .status()
    }

    async fn launch(&mut self, arguments: &[&str], clear: bool) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let listen = format!("127.0.0.1:{}", self.port);
        let mut command = self.command(&[&["serve", "--listen", &listen], arguments].concat());
        if clear {
            command.env_clear();
        }
        self.child = Some(command.stderr(log).spawn().unwrap());
        let address = format!("127.0.0.1:{}", self.port);
        until("it listens", async || {
            let connected = tokio::net::TcpStream::connect(&address).await;
            connected.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }

    /// The most memory that it has had so far, in kB, where the system tells.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let pid = self.child.as_ref()?.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        tokio::task::block_in_place(|| child.wait()).unwrap();
    }

    /// Tells it to end, and waits until it has; gives its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        tokio::task::block_in_place(|| child.wait()).unwrap().code()
    }

    /// The deliveries that a worker has claimed.
    pub(crate) async fn claims(&self) -> Vec<String> {
        self.rows("SELECT pk FROM items WHERE record ->> 'kind' = 'delivery' AND record ->> 'state' = 'claimed'")
            .await
    }

    /// What has not come to an end, and records that hold what somebody wrote.
    pub(crate) async fn open_ends(&self) -> Vec<String> {
        let sql = "SELECT pk || '/' || sk FROM items
             WHERE record ->> 'state' IN ('claimed', 'waiting', 'opening') OR record LIKE '%round %'";
        self.rows(sql).await
    }

    /// All that is in its table and in its queues.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let sql = "SELECT pk || sk || record FROM items UNION ALL SELECT queue || lane || body FROM message";
        self.rows(sql).await
    }

    async fn rows(&self, sql: &'static str) -> Vec<String> {
        let database = self.database();
        let rows = database.read(move |connection| connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect());
        rows.await.unwrap()
    }

    /// How many messages are in its queues.
    pub(crate) async fn queued(&self) -> usize {
        self.rows("SELECT body FROM message").await.len()
    }

    /// Waits until so many messages were given up, and so many are still to be carried.
    pub(crate) async fn has(&self, dead: usize, waiting: usize) {
        until("its queues are so full", async || {
            let queues = self.rows("SELECT queue FROM message").await;
            let is_dead = |queue: &&String| queue.ends_with("-dead");
            let given_up = queues.iter().filter(is_dead).count();
            let is_so = (given_up, queues.len() - given_up) == (dead, waiting);
            is_so.then_some(()).ok_or_else(|| format!("{queues:?}"))
        })
        .await;
    }

    /// Waits until nothing is in its queues.
    pub(crate) async fn rests(&self) {
        until("its queues are empty", async || match self.queued().await {
            0 => Ok(()),
            waiting => Err(format!("{waiting} messages wait")),
        })
        .await;
    }

    /// Moves everything in its file so far into the past, while it does not run.
    pub(crate) async fn let_pass(&self, time: Duration) {
        assert!(self.child.is_none(), "it runs");
        let millis = i64::try_from(time.as_millis()).unwrap();
        let now = local::SystemClock.now();
        let database = self.database();
        let moved = database.write(move |connection| {
            connection.execute("UPDATE lane SET due_at = due_at - ?1", [millis])?;
            connection.execute("UPDATE dedupe SET until = until - ?1", [millis])?;
            let items: Vec<(String, String, String)> = connection
                .prepare("SELECT pk, sk, record FROM items")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (pk, sk, record) in items {
                let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
                move_back(&mut record, now, millis);
                let sql = "UPDATE items SET record = ?3 WHERE pk = ?1 AND sk = ?2";
                connection.execute(sql, [pk, sk, record.to_string()])?;
            }
            Ok(())
        });
        moved.await.unwrap();
    }

    fn database(&self) -> Database {
        Database::open(self.data()).unwrap()
    }
}

/// Times are the only numbers in a record that lie within a day of now in milliseconds.
fn move_back(value: &mut serde_json::Value, now: Timestamp, millis: i64) {
    const DAY: i64 = 24 * 3600 * 1000;
    match value {
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|value| move_back(value, now, millis));
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| move_back(value, now, millis)),
        serde_json::Value::Number(number) => {
            if let Some(time) = number.as_i64().filter(|time| (time - now.as_millis()).abs() < DAY) {
                *value = (time - millis).into();
            }
        }
        _ => {}
    }
}
