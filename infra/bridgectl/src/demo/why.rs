//! How the reasons that records give for a failure read on the page.

/// How the reasons begin that failures leave in records, fragments that read after "failed to", and how they read here.
const FAILURES: [(&str, &str); 7] = [
    ("reach Intercom", "Intercom cannot be reached"),
    ("reach Telegram", "Telegram cannot be reached"),
    ("learn what Intercom did", "Intercom gave no answer"),
    ("learn what Telegram did", "Telegram gave no answer"),
    ("have it accepted by Intercom", "Intercom refused it"),
    ("have it accepted by Telegram", "Telegram refused it"),
    ("write in the Telegram chat", "the bot may not write in the group"),
];

/// The reason that a record gives, for a reader.
pub(super) fn why(reason: &str) -> String {
    match reason {
        _ if reason.starts_with("reach Telegram: 429 ") => return "Telegram said 429, too many requests".to_owned(),
        _ if reason.starts_with("reach Intercom: 429 ") => return "Intercom said 429, too many requests".to_owned(),
        "poison" => return "it stopped the bridge again and again".to_owned(),
        _ => {}
    }
    let known = FAILURES
        .iter()
        .find_map(|(fragment, words)| Some(format!("{words}{}", reason.strip_prefix(fragment)?)));
    known.unwrap_or_else(|| reason.to_owned())
}
