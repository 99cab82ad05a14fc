//! Formatted text from Telegram.

use crate::{Target, flat, view};
use bridge::{ports::UpdateReader, rich_text::RichText, telegram_message::Update};
use intercom::{html, render};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use serde_json::{Value, json};
use telegram::TelegramUpdates;

/// A text with entities becomes HTML that shows it, and what Telegram would take back.
pub struct Entities;

/// A text, and kind, offset and length of each entity.
#[derive(Clone, Debug)]
pub struct Formatted {
    text: String,
    entities: Vec<(String, i64, i64)>,
}

const KINDS: &[&str] = &[
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "spoiler",
    "code",
    "pre",
    "blockquote",
    "expandable_blockquote",
    "text_link",
    "url",
    "email",
    "mention",
    "hashtag",
    "text_mention",
    "custom_emoji",
    "phone_number",
    "hologram",
];

/// Where links lead, somewhere or nowhere.
const ADDRESSES: &[&str] = &[
    "https://x.example/?a=\"b\"&<c>",
    "tg://user?id=1",
    "javascript:alert(1)",
    "",
    "mailto:a@b.example",
];

impl Target for Entities {
    type Input = Formatted;

    const NAME: &'static str = "entities";

    fn inputs() -> BoxedStrategy<Formatted> {
        let text = prop_oneof![
            24 => "([a-c <&>\"'👍é\\n]|\\n\\n|👨‍👩‍👧|https://a\\.example|\\PC){1,30}",
            2 => any::<String>(),
            1 => ("[a-z👍\\n ]{1,20}", 1_usize..300).prop_map(|(text, times)| text.repeat(times)),
        ];
        let place = prop_oneof![12 => -1_i64..50, 1 => any::<i64>()];
        let kind = proptest::sample::select(KINDS).prop_map(str::to_owned);
        let entities = vec((kind, place.clone(), place), 0..10);
        (text, entities)
            .prop_map(|(text, entities)| Formatted { text, entities })
            .boxed()
    }

    /// A text, and for each entity three bytes: kind, offset, length.
    fn read(bytes: &[u8]) -> Option<Formatted> {
        let mut parts = crate::parts(bytes);
        let text = crate::text(parts.next()?);
        let entity = |part: &[u8]| match part {
            [kind, offset, length, ..] => {
                let kind = KINDS.get(usize::from(*kind) % KINDS.len())?;
                Some(((*kind).to_owned(), i64::from(*offset) - 1, i64::from(*length) - 1))
            }
            _ => None,
        };
        let entities = parts.filter_map(entity).collect();
        Some(Formatted { text, entities })
    }

    fn check(input: &Formatted) -> Result<(), TestCaseError> {
        let text = decoded(input)?;
        let shown = view::of_ours(&render::contact_reply(&text))?;
        flat::check(&text)?;
        let written = input.text.replace('\0', "\u{fffd}");
        if written.trim().is_empty() {
            return Ok(());
        }
        prop_assert_eq!(ink(&shown), ink(&written), "{:?}", text);
        let opening = render::opening(&text);
        prop_assert!(flat::comes_in_order(&flat::seen(&input.text), &opening), "{}", opening);
        if written != input.text {
            return Ok(());
        }
        // What comes back from Intercom is the same text.
        let back = html::read(&render::admin_reply(&text));
        prop_assert_eq!(back.fingerprint_text(), text.fingerprint_text());
        Ok(())
    }
}

fn decoded(input: &Formatted) -> Result<RichText, TestCaseError> {
    let entity = |(at, (kind, offset, length)): (usize, &(String, i64, i64))| {
        let url = ADDRESSES.get(at % ADDRESSES.len());
        json!({"type": kind, "offset": offset, "length": length, "url": url, "language": "rust"})
    };
    let entities: Value = input.entities.iter().enumerate().map(entity).collect();
    let message = json!({
        "message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": input.text, "entities": entities,
    });
    match TelegramUpdates.decode(&json!({"update_id": 1, "message": message}), None) {
        Ok(Update::Message(message)) => Ok(message.text),
        other => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

/// A text without its white space.
fn ink(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
