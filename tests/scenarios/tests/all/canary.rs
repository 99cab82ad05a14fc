//! No secret, no text and no name leaves the process but where it must: whatever goes wrong with whichever call.
//!
//! Which calls there are is taken from a recorded run. Every one of them goes wrong in every way there is, and then everything is
//! looked through: each byte that was sent to either vendor, each line of the log down to the HTTP client's own, and the table.

use crate::logs::{FILTER, Log};
use scenarios::{BadWire, Scene, WEBHOOK_SECRET, Wire, World};
use simulators::{
    Fault, Faults,
    intercom::{File, Reply},
    telegram::{Compose, Media, Place},
};
use std::{collections::BTreeSet, io::Write as _, time::Duration};

/// So short a (real) time a call may take where one is never answered.
const SHORT: Duration = Duration::from_secs(1);

/// Texts, names and file names. They may be told to the vendors, and nobody else.
const WORDS: &[&str] = &[
    "platypus",
    "wombat",
    "echidna",
    "quokka",
    "axolotl",
    "okapi",
    "Salamander",
    "Maria",
    "Marietta",
    "Lopez",
    "maria_l",
    "Sam Hill",
    "Anna",
    "Weber",
    "Acme",
];

/// Every way in which a vendor's server can go wrong. Whoever adds one is reminded by `is_here`.
pub(crate) fn faults() -> Vec<Fault> {
    let refusals = [400, 401, 403, 404, 408, 409, 413, 422, 500, 503].map(Fault::Refuse);
    let mut faults = refusals.to_vec();
    faults.extend([
        Fault::TooManyRequests(Duration::from_secs(3)),
        Fault::FailAfter(500),
        Fault::FailAfter(504),
        Fault::LoseAnswer,
        Fault::CutBefore,
        Fault::Hang,
        Fault::CommitLate,
        Fault::Slow(Duration::from_millis(5)),
        Fault::Garble,
    ]);
    faults.into_iter().filter(is_here).collect()
}

/// All of them, by a match that a new one breaks.
fn is_here(fault: &Fault) -> bool {
    match fault {
        Fault::Refuse(_)
        | Fault::TooManyRequests(_)
        | Fault::FailAfter(_)
        | Fault::LoseAnswer
        | Fault::CutBefore
        | Fault::Hang
        | Fault::CommitLate
        | Fault::Slow(_)
        | Fault::Garble => true,
    }
}

/// A world with ears on both wires and in the log.
struct Heard {
    world: World,
    telegram: Wire,
    intercom: Wire,
    log: Log,
    opened_after: [usize; 2],
    _logging: tracing::subscriber::DefaultGuard,
}

impl Heard {
    async fn new() -> Self {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_env_filter(FILTER)
            .with_writer(move || writer.clone())
            .finish();
        let logging = tracing::subscriber::set_default(subscriber);
        let scene = Scene::new().await.with_sam_as_admin();
        let telegram = Wire::to(scene.vendors.telegram.base_url()).await;
        let intercom = Wire::to(scene.vendors.intercom.base_url()).await;
        let files_at = intercom.url.clone();
        let vendor = &scene.vendors.intercom;
        vendor.configure(|options| options.download_host = Some(files_at));
        // Somebody whose contact was archived: creating it is refused, and it has to be found.
        let external = format!("telegram:{}", scene.ken.0);
        let archived = scene.vendors.intercom.add_contact("user", "Ken", Some(&external));
        scene.vendors.intercom.archive_contact(&archived);
        let team = scene.vendors.intercom.team("Support");
        let scene = scene
            .set("TELEGRAM_API_URL", &telegram.url)
            .set("INTERCOM_API_URL", &intercom.url)
            .set("INTERCOM_ASSIGNEE", format!("team:{team}"))
            .with_calls_of(SHORT);
        let world = scene.open().await;
        Self {
            opened_after: [world.telegram().calls().len(), world.intercom().calls().len()],
            world,
            telegram,
            intercom,
            log,
            _logging: logging,
        }
    }

    /// Whatever the bridge can be made to do.
    async fn plays(&self) {
        let world = &self.world;
        let topic = world.topic("Salamander orders");
        let first = world.writes(world.maria, topic, "A platypus came.");
        world.settle().await;
        world.writes(world.ken, topic, "I saw the platypus, too.");
        world.writes(world.sam, topic, "Our wombat says platypus.");
        world.settle().await;
        let file = Media::document("axolotl.pdf", "application/pdf", b"an axolotl".as_slice());
        world.sends(world.maria, topic, Compose::media(file).with_text("Look, a quokka"));
        world.telegram().edit(world.forum, first, "Two platypuses came.");
        world.telegram().rename_user(world.maria, "Marietta", Some("Lopez"));
        world.writes(world.maria, topic, "A platypus again.");
        world.settle().await;
        let said = self.agents_answer().await;
        if let Some(part) = said.first() {
            world.intercom().agent_redacts(part);
        }
        world.settle().await;
        self.topic_goes(topic).await;
        self.conversation_goes().await;
        self.forgers_knock().await;
        if let Err(error) = world.stage.machine.sweep().await {
            // As whoever runs it would log it.
            writeln!(self.log.clone(), "{error} {error:?}").unwrap();
        }
        world.settle().await;
    }

    async fn agents_answer(&self) -> Vec<String> {
        let world = &self.world;
        let mut said = Vec::new();
        for conversation in world.intercom().conversations() {
            let (id, anna) = (&conversation.id, &world.anna);
            said.push(world.intercom().agent_replies(id, anna, "<p>The echidna answers.</p>"));
            let picture = File::new("okapi.png", "image/png", b"\x89PNG\r\n\x1a\n an okapi".as_slice());
            let reply = Reply::html("An okapi:").with_file(picture.clone()).with_image(picture);
            world.intercom().agent_replies_with(id, anna, reply);
            world.settle().await;
        }
        said
    }

    async fn topic_goes(&self, topic: Place) {
        self.world.delete_topic(topic);
        self.agents_answer().await;
    }

    async fn conversation_goes(&self) {
        let world = &self.world;
        world.passes(Duration::from_mins(5)).await;
        for conversation in world.intercom().conversations() {
            world.intercom().delete_conversation(&conversation.id);
        }
        let topics = world.telegram().topics(world.forum);
        let place = match topics.iter().rfind(|topic| !topic.deleted) {
            Some(there) => Place::topic(world.forum, there.id),
            None => world.topic("Salamander again"),
        };
        world.writes(world.maria, place, "The platypus is gone.");
        world.settle().await;
    }

    /// What comes from nobody, and what nobody can read.
    async fn forgers_knock(&self) {
        let intercom = self.world.intercom();
        intercom.inject_raw(r#"{"message": "a forged quokka"}"#, Some("sha1=00"));
        let signature = intercom.sign(b"{ an unreadable quokka");
        intercom.inject_raw("{ an unreadable quokka", Some(&signature));
        self.world.settle().await;
    }

    /// Looks through everything.
    async fn nothing_is_told(&self, when: &str) {
        let world = &self.world;
        let token = &world.stage.vendors.bot.token;
        let bot_secret = token.split_once(':').map(|(_, secret)| secret).unwrap();
        let (access, client) = (world.intercom().access_token(), world.intercom().client_secret());
        let log = self.log.text();
        let secrets = [bot_secret, &access, &client, WEBHOOK_SECRET, "/file/bot", "signature="];
        for never in WORDS.iter().copied().chain(secrets) {
            let line = log.lines().find(|line| line.contains(never));
            assert_eq!(line, None, "{when}: {never:?} is in the log");
        }
        let intercom = String::from_utf8_lossy(&self.intercom.said()).into_owned();
        for never in [bot_secret, WEBHOOK_SECRET, &client, "/file/bot"] {
            assert!(!intercom.contains(never), "{when}: {never:?} is sent to Intercom");
        }
        // A file's address is proof enough: the token is told to nobody who keeps files.
        let calls = intercom.matches("intercom-version: ").count();
        let proofs = intercom.matches(&format!("authorization: Bearer {access}\r\n")).count();
        assert!(
            proofs > 0 && proofs == calls,
            "{when}: {proofs} proofs in {calls} calls"
        );
        assert_eq!(intercom.matches(&access).count(), proofs, "{when}: the access token");
        let telegram = String::from_utf8_lossy(&self.telegram.said()).into_owned();
        for never in [access.as_str(), &client, "signature="] {
            assert!(!telegram.contains(never), "{when}: {never:?} is sent to Telegram");
        }
        let asked = ["POST /bot", "GET /file/bot"].map(|begin| format!("{begin}{token}/"));
        let addresses: usize = asked.iter().map(|address| telegram.matches(address).count()).sum();
        assert!(addresses > 0);
        assert_eq!(
            telegram.matches(bot_secret).count(),
            addresses,
            "{when}: the bot's token"
        );
        let registered = telegram.matches("/setWebhook HTTP").count();
        assert_eq!(
            telegram.matches(WEBHOOK_SECRET).count(),
            registered,
            "{when}: the webhook's secret"
        );
        self.nothing_is_kept(when, &[bot_secret, &access, &client, WEBHOOK_SECRET])
            .await;
    }

    /// The table holds ids and states, and what a topic is called, to create it anew.
    async fn nothing_is_kept(&self, when: &str, secrets: &[&str]) {
        for item in self.world.store.items().await {
            let kept = format!("{:?} {}", item.key, item.body);
            let words = WORDS.iter().filter(|word| **word != "Salamander");
            for never in words.chain(secrets) {
                assert!(!kept.contains(never), "{when}: {never:?} is kept in {kept}");
            }
        }
    }

    /// The calls that were made since the bridge was opened, by name: before that there is nothing to hide.
    fn calls(&self) -> [BTreeSet<String>; 2] {
        let [before_telegram, before_intercom] = self.opened_after;
        let telegram = self.world.telegram().calls().into_iter().skip(before_telegram);
        let mut telegram: BTreeSet<String> = telegram.map(|call| call.method).collect();
        if telegram.contains("getFile") {
            telegram.insert("file".to_owned());
        }
        let intercom = self.world.intercom().calls().into_iter().skip(before_intercom);
        [telegram, intercom.map(|call| call.name).collect()]
    }

    fn armed(&self) -> [&Faults; 2] {
        [self.world.telegram().faults(), self.world.intercom().faults()]
    }
}

/// The calls of a run in which nothing goes wrong.
async fn recorded() -> [BTreeSet<String>; 2] {
    let heard = Heard::new().await;
    heard.plays().await;
    heard.nothing_is_told("all is well").await;
    let calls = heard.calls();
    heard.world.leave();
    calls
}

/// Plays while every one of these calls goes wrong once; gives those in which nothing did, for they were not made.
async fn play_with(fault: &Fault, calls: &[BTreeSet<String>; 2]) -> [BTreeSet<String>; 2] {
    let heard = Heard::new().await;
    for (faults, calls) in heard.armed().into_iter().zip(calls) {
        for call in calls {
            faults.arm(call, fault.clone(), 1);
        }
    }
    heard.plays().await;
    heard.nothing_is_told(&format!("{fault:?}")).await;
    let mut left = calls.clone();
    for (faults, left) in heard.armed().into_iter().zip(&mut left) {
        left.retain(|call| faults.is_armed(call, fault));
        faults.clear();
    }
    heard.world.leave();
    left
}

/// All calls at once first; whatever one kept from being made goes wrong alone.
async fn every_call_goes_wrong(vendors: [bool; 2]) {
    let all = recorded().await;
    let mut made = 0;
    for fault in faults() {
        let mut calls = all.clone();
        for (calls, chosen) in calls.iter_mut().zip(vendors) {
            calls.retain(|_| chosen);
        }
        made += calls.iter().map(BTreeSet::len).sum::<usize>();
        let left = play_with(&fault, &calls).await;
        for (at, call) in left
            .iter()
            .enumerate()
            .flat_map(|(at, calls)| calls.iter().map(move |call| (at, call)))
        {
            let mut alone = [BTreeSet::new(), BTreeSet::new()];
            alone[at].insert(call.clone());
            let still = play_with(&fault, &alone).await;
            assert!(still[at].is_empty(), "{fault:?} never struck {call}");
        }
    }
    println!("{made} pairs of a call and a fault, {all:?}");
}

#[tokio::test]
async fn whatever_goes_wrong_in_telegram_nothing_is_told() {
    every_call_goes_wrong([true, false]).await;
}

#[tokio::test]
async fn whatever_goes_wrong_in_intercom_nothing_is_told() {
    every_call_goes_wrong([false, true]).await;
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_nothing_is_told() {
    for bad in BadWire::ALL {
        for is_telegram in [true, false] {
            let heard = Heard::new().await;
            let wire = if is_telegram { &heard.telegram } else { &heard.intercom };
            wire.is_bad(bad, 8);
            heard.plays().await;
            assert_eq!(wire.still_bad(), 0, "{bad:?}");
            heard.nothing_is_told(&format!("{bad:?}")).await;
            heard.world.leave();
        }
    }
}
