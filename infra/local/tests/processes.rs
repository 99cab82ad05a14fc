//! The file is safe between processes: the program may be started beside itself.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are test code")]
#![expect(clippy::print_stdout, reason = "the racers are heard over their standard output")]

use libtest_mimic::{Arguments, Trial};
use local::SqliteStore;
use mapping::{Entropy, Expected, Item, Key, Store, Version, Write, WriteError, testing::SeededEntropy};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    slice::from_ref,
};
use tokio::{runtime::Runtime, task::JoinSet};

const PROCESSES: u64 = 4;
const TASKS: u64 = 4;
const CLAIMS: usize = 50;
const COUNTS: usize = 25;
const DATABASE: &str = "TEST_DATABASE";
const SEED: &str = "TEST_SEED";

fn item(entropy: &dyn Entropy, sk: &str, body: Value) -> Item {
    Item {
        key: Key::new("race", sk),
        version: Version::fresh(entropy),
        expires_at: None,
        body,
    }
}

async fn find(store: &SqliteStore, sk: &str) -> Option<Item> {
    let found = store.get(&[Key::new("race", sk)]).await.unwrap();
    found.into_iter().flatten().next()
}

/// True if the item was put in the place of what was expected.
async fn put(store: &SqliteStore, item: Item, expected: Expected) -> bool {
    match store.write(from_ref(&Write::Put { item, expected })).await {
        Ok(()) => true,
        Err(WriteError::Conflict) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Claims everything that it can get, then counts; gives the claims that it won.
async fn run(path: String, seed: u64) -> Vec<usize> {
    let store = SqliteStore::open(path).unwrap();
    let entropy = SeededEntropy::new(seed);
    let mut won = Vec::new();
    for claim in 0..CLAIMS {
        let mine = item(&entropy, &format!("{claim}"), json!({"seed": seed}));
        if put(&store, mine, Expected::Absent).await {
            won.push(claim);
        }
    }
    for _ in 0..COUNTS {
        while !count_up(&store, &entropy).await {}
    }
    won
}

async fn count_up(store: &SqliteStore, entropy: &dyn Entropy) -> bool {
    let old = find(store, "count").await;
    let count = old.as_ref().map_or(0, |old| old.body["count"].as_u64().unwrap());
    let expected = old.map_or(Expected::Absent, |old| Expected::Version(old.version));
    put(store, item(entropy, "count", json!({"count": count + 1})), expected).await
}

/// What each process of the race runs. It begins when a line comes in, and says what it won.
async fn race(path: String) {
    let seed: u64 = env::var(SEED).unwrap().parse().unwrap();
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        tasks.spawn(run(path.clone(), seed * TASKS + task));
    }
    for claim in tasks.join_all().await.into_iter().flatten() {
        println!("won {claim}");
    }
}

fn start(path: &Path, seed: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .env(DATABASE, path)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn each_claim_has_one_winner_among_all_processes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bridge.db");
    let mut processes: Vec<Child> = (0..PROCESSES).map(|seed| start(&path, seed)).collect();
    let mut outputs: Vec<_> = processes
        .iter_mut()
        .map(|child| BufReader::new(child.stdout.take().unwrap()).lines())
        .collect();
    for output in &mut outputs {
        output.find(|line| line.as_ref().unwrap() == "ready").unwrap().unwrap();
    }
    // Nobody has made the file yet: that is a race too.
    assert!(!path.exists());
    for child in &mut processes {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut winners: BTreeMap<usize, usize> = BTreeMap::new();
    for line in outputs.into_iter().flatten() {
        if let Some(claim) = line.unwrap().strip_prefix("won ") {
            *winners.entry(claim.parse().unwrap()).or_default() += 1;
        }
    }
    for mut child in processes {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(winners, (0..CLAIMS).map(|claim| (claim, 1)).collect());

    let store = SqliteStore::open(&path).unwrap();
    let count = find(&store, "count").await.unwrap().body["count"].clone();
    assert_eq!(count, PROCESSES * TASKS * u64::try_from(COUNTS).unwrap());
}

/// This program is the test and, started by it, also each racer.
fn main() {
    if let Ok(path) = env::var(DATABASE) {
        return Runtime::new().unwrap().block_on(race(path));
    }
    let arguments = Arguments::from_args();
    let test = Trial::test("each_claim_has_one_winner_among_all_processes", || {
        Runtime::new()?.block_on(each_claim_has_one_winner_among_all_processes());
        Ok(())
    });
    libtest_mimic::run(&arguments, vec![test]).exit();
}
