//! `bridgectl demo --check`, as anybody runs it: it passes, and it fails on a bridge that is broken.

#![expect(clippy::unwrap_used, reason = "what cannot be run has failed")]

use std::process::{Command, Output};

fn demo(sabotage: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridgectl"));
    command.args(["demo", "--check"]);
    if let Some(part) = sabotage {
        command.args(["--sabotage", part]);
    }
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_check_passes_and_shows_what_everybody_sees() {
    let output = demo(None);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for seen in [
        "All is as it should be.",
        "What the customers see in Telegram:",
        "What the agents see in Intercom:",
        "Maria Lopez: My <b>parcel</b> has not come.",
    ] {
        assert!(text.contains(seen), "{seen:?} is not in {text}");
    }
    assert!(!text.contains("FAIL"), "{text}");
}

#[test]
fn the_check_fails_on_a_broken_bridge_and_says_what_is_missing() {
    for (part, expectation) in [
        ("signature", "what is not signed by Intercom reaches nobody"),
        ("link", "each topic is one conversation"),
        ("echo", "and does not come back into the topic as an echo"),
    ] {
        let output = demo(Some(part));
        let text = text(&output);
        assert_eq!(output.status.code(), Some(1), "{part}: {text}");
        assert!(text.contains(&format!("FAIL  {expectation}")), "{part}: {text}");
    }
}
