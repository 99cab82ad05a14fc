//! The settings that the bridge reads, those that the template gives its functions, and those that the README tells of are the same.

#![expect(clippy::unwrap_used, reason = "a template without it has failed")]

use bridge::config::Config;
use std::{cell::RefCell, collections::BTreeSet, fs, path::Path};

fn text_of(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)).unwrap()
}

fn parse_with(variable: &str, value: &str) -> bool {
    let set = |name: &str| match name {
        name if name == variable => Some(value.to_owned()),
        "TELEGRAM_CHATS" => Some("-1001".to_owned()),
        _ => None,
    };
    Config::parse(set).is_ok()
}

/// Every variable that is asked for.
fn variables() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let set = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "TELEGRAM_CHATS").then(|| "-1001".to_owned())
    };
    Config::parse(set).unwrap();
    asked.into_inner()
}

/// `TOPIC_STATES` is the parameter `TopicStates`.
fn parameter_of(variable: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        format!("{first}{}", rest.to_ascii_lowercase())
    };
    variable.split('_').map(word).collect()
}

/// What a parameter may be, as far as the template lists it.
fn allowed_values(template: &str, parameter: &str) -> Vec<String> {
    let (_, own) = template.split_once(&format!("\n  {parameter}:\n")).unwrap();
    let own: Vec<&str> = own.lines().take_while(|line| line.starts_with("    ")).collect();
    let list = own.iter().find_map(|line| line.trim().strip_prefix("AllowedValues: ["));
    let values = list.map(|list| list.trim_end_matches(']').split(", "));
    let values = values.into_iter().flatten();
    values.map(|value| value.trim_matches('"').to_owned()).collect()
}

#[test]
fn the_template_gives_functions_every_setting_and_the_readme_tells_of_it() {
    let (template, readme) = (text_of("template.yaml"), text_of("README.md"));
    let variables = variables();
    assert!(variables.len() > 15, "{variables:?}");
    for variable in variables {
        let line = format!("        {variable}: !Ref {}\n", parameter_of(&variable));
        assert!(template.contains(&line), "the template lacks {line}");
        assert!(readme.contains(&format!("`{variable}`")), "the README lacks {variable}");
    }
}

#[test]
fn what_the_template_allows_is_a_setting_and_its_default_is_one() {
    let template = text_of("template.yaml");
    let mut lists = 0;
    for variable in variables() {
        let values = allowed_values(&template, &parameter_of(&variable));
        lists += usize::from(!values.is_empty());
        for value in &values {
            assert!(parse_with(&variable, value), "{variable}={value}");
        }
        assert!(values.is_empty() || !parse_with(&variable, "hologram"), "{variable}");
    }
    assert!(lists > 5, "{lists} lists");
}
