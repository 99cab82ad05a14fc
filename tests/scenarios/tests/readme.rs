//! What the README has an operator enter by hand is what all scenarios are played with.

#![expect(clippy::unwrap_used, reason = "a README without it has failed")]

use scenarios::SCOPES;
use simulators::intercom::TOPICS;
use std::{collections::BTreeSet, fs, path::Path};

/// How the README sets Intercom up, on one line.
fn set_up() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(readme).unwrap();
    let paragraph = text
        .split("\n\n")
        .find(|paragraph| paragraph.starts_with("**Intercom.**"));
    paragraph.unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_names_the_events_that_the_bridge_lives_by() {
    let set_up = set_up();
    let (_, ticked) = set_up.split_once(" tick ").unwrap();
    let named: BTreeSet<&str> = ticked
        .split('`')
        .filter(|word| word.starts_with("conversation"))
        .collect();
    assert_eq!(named, TOPICS.iter().copied().collect::<BTreeSet<_>>());
}

#[test]
fn the_readme_names_the_scopes_that_the_bridge_lives_by() {
    let set_up = set_up();
    let (_, scopes) = set_up.split_once("needs the scopes ").unwrap();
    let (scopes, _) = scopes.split_once('.').unwrap();
    let mut named = BTreeSet::new();
    for wish in scopes.split("to ").filter(|wish| !wish.is_empty()) {
        let words: Vec<&str> = wish.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        let thing = words.iter().rfind(|word| **word != "and").unwrap();
        let verbs = words.iter().filter(|word| matches!(**word, "read" | "write"));
        named.extend(verbs.map(|verb| format!("{verb}_{thing}")));
    }
    assert_eq!(named, SCOPES.iter().map(|scope| scope.name().to_owned()).collect());
}
