//! Entities become formatted text, and no text is lost.

use crate::fixtures::decode_message;
use bridge::rich_text::{Block, RichText, Run, Style};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: &str, entities: &Value) -> RichText {
    decode_message(&json!({"text": text, "entities": entities})).text
}

fn entity(kind: &str, offset: usize, length: usize) -> Value {
    json!({"type": kind, "offset": offset, "length": length})
}

#[test]
fn styles_nest_whatever_their_order() {
    let entities = json!([entity("italic", 5, 4), entity("bold", 0, 9), entity("mention", 0, 4)]);
    let both = Style {
        bold: true,
        italic: true,
        ..Style::default()
    };
    let runs = vec![
        Run::bold("some "),
        Run {
            text: "text".into(),
            style: both,
        },
        Run::plain(" more"),
    ];
    assert_eq!(
        read("some text more", &entities),
        RichText(vec![Block::paragraph(runs)])
    );
}

#[test]
fn offsets_count_utf16_units() {
    let entities = json!([entity("bold", 3, 4)]);
    let runs = vec![Run::plain("👍 "), Run::bold("здра"), Run::plain("в")];
    assert_eq!(read("👍 здрав", &entities), RichText(vec![Block::paragraph(runs)]));
}

#[test]
fn a_border_within_a_character_takes_the_whole_of_it() {
    let whole = RichText(vec![Block::paragraph(vec![Run::bold("👍"), Run::plain("a")])]);
    for (offset, length) in [(0, 1), (1, 1), (0, 2)] {
        assert_eq!(read("👍a", &json!([entity("bold", offset, length)])), whole);
    }
}

#[test]
fn links_lead_where_they_say() {
    let text = "a.example https://b.example c d@e.example";
    let entities = json!([
        entity("url", 0, 9),
        entity("url", 10, 17),
        {"type": "text_link", "offset": 28, "length": 1, "url": "https://f.example"},
        entity("email", 30, 11),
        {"type": "text_link", "offset": 28, "length": 1},
    ]);
    let runs = vec![
        Run::link("a.example", "http://a.example"),
        Run::plain(" "),
        Run::link("https://b.example", "https://b.example"),
        Run::plain(" "),
        Run::link("c", "https://f.example"),
        Run::plain(" "),
        Run::link("d@e.example", "mailto:d@e.example"),
    ];
    assert_eq!(read(text, &entities), RichText(vec![Block::paragraph(runs)]));
}

#[test]
fn quotes_and_code_are_blocks_and_the_breaks_around_them_are_not_text() {
    let text = "see\nquoted\nmore\n\nfn a() {\n  b\n}\nend\n\nlast";
    let entities = json!([
        entity("blockquote", 4, 6),
        {"type": "pre", "offset": 17, "length": 14, "language": "rust"},
    ]);
    let expected = RichText(vec![
        Block::paragraph(vec![Run::plain("see")]),
        Block::Quote {
            blocks: vec![Block::paragraph(vec![Run::plain("quoted")])],
            expandable: false,
        },
        Block::line(vec![Run::plain("more")]),
        Block::Code {
            language: Some("rust".into()),
            text: "fn a() {\n  b\n}".into(),
        },
        Block::line(vec![Run::plain("end")]),
        Block::paragraph(vec![Run::plain("last")]),
    ]);
    assert_eq!(read(text, &entities), expected);
}

#[test]
fn code_may_stand_in_a_quote() {
    let entities = json!([entity("pre", 2, 1), entity("expandable_blockquote", 0, 5)]);
    let blocks = vec![
        Block::paragraph(vec![Run::plain("a")]),
        Block::Code {
            language: None,
            text: "b".into(),
        },
        Block::line(vec![Run::plain("c")]),
    ];
    assert_eq!(
        read("a\nb\nc", &entities),
        RichText(vec![Block::Quote {
            blocks,
            expandable: true
        }])
    );
}

#[test]
fn what_makes_no_sense_leaves_the_text_alone() {
    let entities = json!([
        entity("bold", 3, 9_999_999_999), entity("italic", 100, 5), entity("underline", 2, 0), entity("hologram", 0, 2),
        {"type": "bold", "offset": -1, "length": 3}, {"type": "bold"}, {"offset": 0, "length": 1}, 7, null,
        {"type": "code", "offset": 9_223_372_036_854_775_807_i64, "length": 9_223_372_036_854_775_807_i64},
    ]);
    let runs = vec![Run::plain("abc"), Run::bold("de")];
    assert_eq!(read("abcde", &entities), RichText(vec![Block::paragraph(runs)]));
    assert_eq!(read("abcde", &json!("?")), RichText::plain("abcde"));
}

/// All characters of a text but white space, in order.
pub(crate) fn ink(blocks: &[Block]) -> String {
    let runs = |runs: &[Run]| runs.iter().map(|run| run.text.as_str()).collect::<String>();
    let text = blocks.iter().map(|block| match block {
        Block::Paragraph { runs: text, .. } | Block::Heading { runs: text, .. } => runs(text),
        Block::Quote { blocks, .. } => ink(blocks),
        Block::Code { text, .. } => text.clone(),
        Block::List { items, .. } => items.iter().map(|item| ink(item)).collect(),
        Block::Table(rows) => rows.iter().flatten().map(|cell| runs(cell)).collect(),
        Block::Rule | Block::Image { .. } => String::new(),
    });
    text.flat_map(|text| text.chars().collect::<Vec<_>>())
        .filter(|c| !c.is_whitespace())
        .collect()
}

proptest! {
    #[test]
    fn no_entity_loses_text(
        text in "([a-c 👍é\n]|\n\n|👨‍👩‍👧|\\PC){1,40}",
        entities in prop::collection::vec(
            (
                prop::sample::select(vec![
                    "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "blockquote",
                    "expandable_blockquote", "text_link", "url", "email", "mention",
                ]),
                0_usize..70,
                0_usize..70,
            ),
            0..12,
        ),
    ) {
        let entities = entities.iter().map(|(kind, offset, length)| {
            json!({"type": kind, "offset": offset, "length": length, "url": "https://a.example"})
        });
        let read = read(&text, &entities.collect());
        let expected = text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert!(ink(&read.0) == expected || expected.is_empty(), "{read:?}");
    }
}
