//! Which crate may depend on which: the arrows of the design, and no others.

#![expect(clippy::unwrap_used, reason = "what cannot be read has failed")]

use cargo_metadata::{Metadata, MetadataCommand};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

/// Each of our crates outside `tests/`, and which of ours it may use. A new crate is added here together with what it may not use.
const ARROWS: &[(&str, &[&str])] = &[
    ("mapping", &[]),
    ("bridge", &["mapping"]),
    ("telegram", &["bridge", "mapping"]),
    ("intercom", &["bridge", "mapping"]),
    ("host", &["bridge", "intercom", "mapping", "telegram"]),
    ("telegram-ingress", &["bridge", "host", "mapping", "telegram"]),
    ("intercom-replies", &["bridge", "host", "intercom", "mapping"]),
    ("local", &["bridge", "mapping"]),
    (
        "bridgectl",
        &[
            "bridge",
            "host",
            "intercom",
            "local",
            "mapping",
            "simulators",
            "telegram",
        ],
    ),
    // It writes the vendors' JSON itself, so that one mistake cannot hide on both sides.
    ("simulators", &[]),
];

/// What the core must not know: HTTP, AWS, a database, a program's environment of any kind.
const OUTSIDE: &[&str] = &[
    "aws-", "axum", "dotenvy", "http", "hyper", "lambda", "reqwest", "rusqlite", "rustls", "tokio",
];
const AWS: &[&str] = &["aws-", "lambda"];
/// What would make a function's start slow or its package large.
const NOT_IN_A_FUNCTION: &[&str] = &[
    "aws-lc",
    "axum",
    "bridgectl",
    "local",
    "native-tls",
    "openssl-sys",
    "rusqlite",
    "scraper",
    "simulators",
];

/// Each crate as it is built without any feature of its own, and what none of the crates in it may be called, or begin with.
const CLOSURES: &[(&str, &[&str])] = &[
    ("mapping", OUTSIDE),
    ("bridge", OUTSIDE),
    ("telegram", &["aws-", "lambda", "intercom", "rusqlite", "axum"]),
    ("intercom", &["aws-", "lambda", "telegram", "rusqlite", "axum"]),
    ("host", NOT_IN_A_FUNCTION),
    ("telegram-ingress", NOT_IN_A_FUNCTION),
    ("intercom-replies", NOT_IN_A_FUNCTION),
    ("local", AWS),
    ("bridgectl", AWS),
    ("simulators", AWS),
];

/// One of our crates.
#[derive(Clone, Debug)]
struct Ours {
    folder: String,
    /// Which of ours it uses, for its tests too.
    uses: BTreeSet<String>,
    /// Which of ours it uses for its tests alone.
    uses_in_tests: BTreeSet<String>,
}

fn metadata() -> Metadata {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).no_deps();
    command.other_options(["--locked".to_owned()]).exec().unwrap()
}

fn ours() -> BTreeMap<String, Ours> {
    let metadata = metadata();
    let root = metadata.workspace_root.clone();
    let names: BTreeSet<String> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let ours = metadata.packages.iter().map(|package| {
        let folder = package.manifest_path.strip_prefix(&root).unwrap();
        let of_ours = |in_tests: bool| {
            let used = package
                .dependencies
                .iter()
                .filter(move |dependency| (dependency.kind == cargo_metadata::DependencyKind::Development) == in_tests);
            used.map(|dependency| dependency.name.clone())
                .filter(|name| names.contains(name) && *name != package.name.as_str())
                .collect()
        };
        let one = Ours {
            folder: folder.components().next().unwrap().to_string(),
            uses: of_ours(false),
            uses_in_tests: of_ours(true),
        };
        (package.name.to_string(), one)
    });
    ours.collect()
}

/// The arrows that must not be there, in words.
fn forbidden_arrows(ours: &BTreeMap<String, Ours>) -> Vec<String> {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let mut forbidden = Vec::new();
    for (name, one) in ours {
        match allowed.get(name.as_str()) {
            Some(allowed) => {
                let not_allowed = one.uses.iter().filter(|used| !allowed.contains(&used.as_str()));
                forbidden.extend(not_allowed.map(|used| format!("{name} uses {used}")));
            }
            None if one.folder == "tests" => {}
            None => forbidden.push(format!("{name} is in none of the design's arrows")),
        }
        let is_shipped = matches!(one.folder.as_str(), "functions" | "shared");
        let all = one.uses.union(&one.uses_in_tests);
        let below = all.filter(|used| {
            is_shipped
                && ours
                    .get(*used)
                    .is_some_and(|used| matches!(used.folder.as_str(), "infra" | "tests"))
        });
        forbidden.extend(below.map(|used| format!("{name} in {}/ uses {used} of infra/ or tests/", one.folder)));
    }
    forbidden
}

/// The names of all crates that this one is built from.
fn closure(name: &str) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let tree = Command::new(cargo)
        .current_dir(metadata().workspace_root)
        .args([
            "tree",
            "--locked",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .args(["--package", name])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let lines = String::from_utf8(tree.stdout).unwrap();
    lines
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Those of the crates that are called, or begin with, what is forbidden.
fn forbidden_crates(closure: &BTreeSet<String>, forbidden: &[&str]) -> Vec<String> {
    let is_forbidden = |name: &str| {
        forbidden.iter().any(|one| {
            name == *one || one.ends_with('-') && name.starts_with(one) || name.starts_with(&format!("{one}-"))
        })
    };
    closure.iter().filter(|name| is_forbidden(name)).cloned().collect()
}

#[test]
fn the_arrows_are_those_of_the_design() {
    let ours = ours();
    for (name, _) in ARROWS.iter().chain(CLOSURES) {
        assert!(ours.contains_key(*name), "there is no crate {name}");
    }
    let forbidden = forbidden_arrows(&ours);
    assert!(forbidden.is_empty(), "{}", forbidden.join("\n"));
}

#[test]
fn no_crate_is_built_from_what_it_must_not_know() {
    for (name, forbidden) in CLOSURES {
        let found = forbidden_crates(&closure(name), forbidden);
        assert!(found.is_empty(), "{name} is built from {}", found.join(", "));
    }
}

/// What libraries write below it tells of URLs and headers, and so of tokens.
#[test]
fn functions_are_released_without_events_finer_than_info() {
    for function in ["telegram-ingress", "intercom-replies"] {
        let metadata = metadata();
        let package = metadata.packages.iter().find(|package| package.name == function);
        let mut used = package.unwrap().dependencies.iter();
        let tracing = used.find(|dependency| dependency.name == "tracing").unwrap();
        assert_eq!(tracing.features, ["release_max_level_info"], "{function}");
    }
}

#[test]
fn a_forbidden_arrow_is_found() {
    let cases = [
        ("telegram", "intercom", "telegram uses intercom"),
        ("mapping", "bridge", "mapping uses bridge"),
        ("simulators", "telegram", "simulators uses telegram"),
        ("local", "host", "local uses host"),
        ("host", "local", "host in shared/ uses local of infra/ or tests/"),
        (
            "telegram-ingress",
            "simulators",
            "telegram-ingress in functions/ uses simulators of infra/ or tests/",
        ),
    ];
    for (from, to, words) in cases {
        let mut ours = ours();
        ours.get_mut(from).unwrap().uses.insert(to.to_owned());
        let forbidden = forbidden_arrows(&ours);
        assert!(forbidden.iter().any(|found| found == words), "{words}: {forbidden:?}");
    }
    let mut with_test = ours();
    let bridge = with_test.get_mut("bridge").unwrap();
    bridge.uses_in_tests.insert("simulators".to_owned());
    assert_eq!(
        forbidden_arrows(&with_test),
        ["bridge in shared/ uses simulators of infra/ or tests/"]
    );
    let mut with_stranger = ours();
    let stranger = with_stranger["host"].clone();
    with_stranger.insert("stranger".to_owned(), stranger);
    assert_eq!(
        forbidden_arrows(&with_stranger),
        ["stranger is in none of the design's arrows"]
    );
}

/// With its feature the store is built from AWS's crates, without it from none: so the looking itself works.
#[test]
fn a_forbidden_crate_is_found() {
    let host = closure("host");
    assert!(!forbidden_crates(&host, AWS).is_empty());
    assert!(!forbidden_crates(&host, OUTSIDE).is_empty());
    let some: BTreeSet<String> = ["aws-lc-sys", "http-body", "httparse", "tokio"]
        .map(str::to_owned)
        .into();
    assert_eq!(forbidden_crates(&some, &["aws-", "http"]), ["aws-lc-sys", "http-body"]);
}
