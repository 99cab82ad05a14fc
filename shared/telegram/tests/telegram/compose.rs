//! Formatted text becomes messages that Telegram takes.

use bridge::{
    ports::{FlatText, Span, SpanKind},
    rich_text::{Block, RichText, Run, Style},
};
use proptest::prelude::*;
use telegram::compose;

const MAX_UNITS: usize = 4_096;

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn span(offset: usize, length: usize, kind: SpanKind) -> Span {
    Span { offset, length, kind }
}

fn one(text: &RichText) -> (String, Vec<Span>) {
    let mut messages = compose(text);
    assert_eq!(messages.len(), 1, "{messages:?}");
    let FlatText { text, spans } = messages.remove(0);
    (text, spans)
}

fn link(url: &str) -> SpanKind {
    SpanKind::Link { url: url.into() }
}

#[test]
fn blank_texts_are_no_messages() {
    for blank in ["", " ", "\n\n\t", "\u{200b}", "\u{2800} \u{feff}"] {
        assert_eq!(compose(&RichText::plain(blank)), vec![], "{blank:?}");
    }
}

#[test]
fn white_space_around_a_text_goes_and_its_spans_move() {
    let text = RichText(vec![Block::paragraph(vec![Run::plain(" \n "), Run::bold(" 👍 hi \n")])]);
    assert_eq!(one(&text), ("👍 hi".into(), vec![span(0, 5, SpanKind::Bold)]));
}

#[test]
fn every_block_is_readable() {
    let text = RichText(vec![
        Block::Heading {
            level: 1,
            runs: vec![Run::plain("Title")],
        },
        Block::paragraph(vec![Run::plain("a\r\nb")]),
        Block::line(vec![Run::plain("c")]),
        Block::Quote {
            blocks: vec![Block::paragraph(vec![Run::plain("q")])],
            expandable: true,
        },
        Block::Code {
            language: Some("rust".into()),
            text: "  x\n  y".into(),
        },
        Block::List {
            start: Some(9),
            items: vec![
                vec![Block::paragraph(vec![Run::plain("one")])],
                vec![
                    Block::paragraph(vec![Run::plain("two")]),
                    Block::List {
                        start: None,
                        items: vec![vec![Block::paragraph(vec![Run::bold("deep")])]],
                    },
                ],
            ],
        },
        Block::Table(vec![
            vec![vec![Run::bold("h")], vec![Run::plain("i\nj")]],
            vec![vec![], vec![Run::plain("k")]],
        ]),
        Block::Rule,
        Block::Image {
            url: "https://a.example/i.png".into(),
            alt: "a cat".into(),
        },
    ]);
    let (plain, spans) = one(&text);
    let expected =
        "Title\n\na\nb\nc\nq\n  x\n  y\n9. one\n10. two\n\n   • deep\n\nh | i j\n | k\n\n———\n\n[image: a cat]";
    assert_eq!(plain, expected);
    let styled = spans
        .iter()
        .map(|span| (plain.get(span.offset..span.offset + span.length), &span.kind));
    let expected = [
        (Some("Title"), &SpanKind::Bold),
        (Some("q"), &SpanKind::Quote { expandable: true }),
        (
            Some("  x\n  y"),
            &SpanKind::Pre {
                language: Some("rust".into()),
            },
        ),
    ];
    assert_eq!(styled.take(3).collect::<Vec<_>>(), expected);
    assert_eq!(spans.iter().filter(|span| span.kind == SpanKind::Bold).count(), 3);
}

#[test]
fn entities_nest_as_telegram_wants_them() {
    let run = |text: &str, bold, italic, code, link: Option<&str>| Run {
        text: text.into(),
        style: Style {
            bold,
            italic,
            code,
            link: link.map(str::to_owned),
            ..Style::default()
        },
    };
    let url = "https://a.example";
    let text = RichText(vec![Block::paragraph(vec![
        run("a", true, false, false, None),
        run("b", true, true, false, None),
        run("c", false, true, false, None),
        run("d", true, false, true, None),
        run("e", true, false, true, Some(url)),
    ])]);
    let expected = vec![
        span(0, 2, SpanKind::Bold),
        span(1, 1, SpanKind::Italic),
        span(2, 1, SpanKind::Italic),
        span(3, 1, SpanKind::Code),
        span(4, 1, link(url)),
        span(4, 1, SpanKind::Bold),
    ];
    assert_eq!(one(&text), ("abcde".into(), expected));
}

#[test]
fn links_that_telegram_would_drop_are_spelled_out() {
    let paragraph = |runs| RichText(vec![Block::paragraph(runs)]);
    let (text, spans) = one(&paragraph(vec![
        Run::link("write", "mailto:a@b.example"),
        Run::plain(" us"),
    ]));
    assert_eq!((text.as_str(), spans), ("write (mailto:a@b.example) us", vec![]));
    let (text, _) = one(&paragraph(vec![Run::link("a@b.example", "mailto:a@b.example")]));
    assert_eq!(text, "a@b.example");
    let (text, spans) = one(&paragraph(vec![Run::link("here", "HTTPS://a.example/")]));
    assert_eq!(
        (text.as_str(), spans),
        ("here", vec![span(0, 4, link("HTTPS://a.example/"))])
    );
}

#[test]
fn quotes_do_not_nest() {
    let inner = Block::Quote {
        blocks: vec![Block::paragraph(vec![Run::plain("b")])],
        expandable: false,
    };
    let outer = Block::Quote {
        blocks: vec![Block::paragraph(vec![Run::plain("a")]), inner],
        expandable: false,
    };
    let (text, spans) = one(&RichText(vec![outer]));
    assert_eq!(
        (text.as_str(), spans),
        ("a\nb", vec![span(0, 3, SpanKind::Quote { expandable: false })])
    );
}

#[test]
fn long_texts_are_cut_where_a_reader_pauses() {
    let word = "x".repeat(99);
    let line = vec![word.as_str(); 20].join(" ");
    let cases = [
        ([line.as_str(); 4].join("\n\n"), 2, "paragraph"),
        ([line.as_str(); 4].join("\n"), 2, "line"),
        (vec![word.as_str(); 80].join(" "), 2, "word"),
        ("x".repeat(5_000), 2, "character"),
    ];
    for (text, count, boundary) in cases {
        let messages = compose(&RichText::plain(text.clone()));
        assert_eq!(messages.len(), count, "{boundary}");
        let between = match boundary {
            "paragraph" => "\n\n",
            "line" => "\n",
            "word" => " ",
            _ => "",
        };
        let joined = messages
            .iter()
            .map(|message| message.text.as_str())
            .collect::<Vec<_>>()
            .join(between);
        assert_eq!(joined, text, "{boundary}");
    }
}

#[test]
fn a_text_of_the_greatest_length_is_one_message() {
    assert_eq!(compose(&RichText::plain("x".repeat(MAX_UNITS))).len(), 1);
    assert_eq!(compose(&RichText::plain("👍".repeat(MAX_UNITS / 2))).len(), 1);
    assert_eq!(compose(&RichText::plain("👍".repeat(MAX_UNITS / 2 + 1))).len(), 2);
}

#[test]
fn a_family_of_emoji_stays_together() {
    let family = "👨‍👩‍👧‍👦";
    for before in 0..12 {
        let text = format!("{}{}", "x".repeat(before), family.repeat(500));
        for message in compose(&RichText::plain(text)) {
            assert!(message.text.ends_with(family) && units(&message.text) <= MAX_UNITS);
        }
    }
}

#[test]
fn formatting_goes_on_after_a_cut() {
    let quoted = Block::Quote {
        blocks: vec![Block::paragraph(vec![Run::bold("word ".repeat(1_000))])],
        expandable: false,
    };
    let messages = compose(&RichText(vec![quoted]));
    assert_eq!(messages.len(), 2);
    for message in messages {
        let whole = units(&message.text);
        let expected = [
            span(0, whole, SpanKind::Quote { expandable: false }),
            span(0, whole, SpanKind::Bold),
        ];
        assert_eq!(message.spans, expected);
    }
}

#[test]
fn code_keeps_its_indentation_after_a_cut() {
    let code = vec!["    let x = 1;"; 500].join("\n");
    let messages = compose(&RichText(vec![Block::Code {
        language: None,
        text: code.clone(),
    }]));
    let joined = messages
        .iter()
        .map(|message| message.text.as_str())
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(joined, code);
}

#[test]
fn too_many_or_too_large_entities_begin_a_new_message() {
    let words = |count| (0..count).flat_map(|_| [Run::bold("bold"), Run::plain(" ")]).collect();
    let messages = compose(&RichText(vec![Block::paragraph(words(250))]));
    assert_eq!(
        messages.iter().map(|message| message.spans.len()).collect::<Vec<_>>(),
        [100, 100, 50]
    );

    let url = |at| format!("https://a.example/{at}/{}", "x".repeat(1_500));
    let links = (0..10)
        .flat_map(|at| [Run::link("link", url(at)), Run::plain(" ")])
        .collect();
    let messages = compose(&RichText(vec![Block::paragraph(links)]));
    assert_eq!(messages.iter().map(|message| message.spans.len()).sum::<usize>(), 10);
    assert_eq!(messages.len(), 2);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "([a-c 👍é\n]|\n\n|\r\n|👨‍👩‍👧|\\PC){0,30}",
        1 => ("([a-z]{1,9}[ \n]?){1,8}", 1_usize..400).prop_map(|(text, times)| text.repeat(times)),
        1 => ("\\PC{1,4}", 1_usize..3_000).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn any_runs() -> impl Strategy<Value = Vec<Run>> {
    let link = prop::option::of(prop::sample::select(vec![
        "https://a.example",
        "mailto:a@b.example",
        "",
        "tg://x",
    ]));
    let style = (any::<[bool; 6]>(), link).prop_map(|([bold, italic, underline, strike, spoiler, code], link)| Style {
        bold,
        italic,
        underline,
        strike,
        spoiler,
        code,
        link: link.map(str::to_owned),
    });
    prop::collection::vec((any_text(), style).prop_map(|(text, style)| Run { text, style }), 0..5)
}

fn any_rich_text() -> impl Strategy<Value = RichText> {
    let leaf = prop_oneof![
        4 => (any_runs(), any::<bool>()).prop_map(|(runs, tight)| Block::Paragraph { runs, tight }),
        1 => (any_runs(), 1_u8..=6).prop_map(|(runs, level)| Block::Heading { level, runs }),
        1 => (any_text(), prop::option::of("[a-z]{1,5}")).prop_map(|(text, language)| Block::Code { language, text }),
        1 => prop::collection::vec(prop::collection::vec(any_runs(), 0..3), 0..3).prop_map(Block::Table),
        1 => Just(Block::Rule),
    ];
    let block = leaf.prop_recursive(3, 24, 4, |inner| {
        let blocks = prop::collection::vec(inner, 0..4);
        prop_oneof![
            (blocks.clone(), any::<bool>()).prop_map(|(blocks, expandable)| Block::Quote { blocks, expandable }),
            (prop::collection::vec(blocks, 0..4), prop::option::of(any::<u64>()))
                .prop_map(|(items, start)| Block::List { start, items }),
        ]
    });
    prop::collection::vec(block, 0..4).prop_map(RichText)
}

/// Whether all of `needle` comes in `hay`, in order.
fn comes_in_order(needle: &str, hay: &str) -> bool {
    let mut hay = hay.chars();
    needle.chars().all(|c| hay.any(|h| h == c))
}

fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !c.is_control() && !('\u{2000}'..='\u{206f}').contains(&c) && c.is_alphanumeric()
}

/// Whether one entity may stand within another: <https://core.telegram.org/bots/api#formatting-options>.
fn may_hold(outer: &SpanKind, inner: &SpanKind) -> bool {
    use SpanKind::{Code, Link, Pre, Quote};
    match (outer, inner) {
        (Code | Pre { .. }, _) | (_, Quote { .. }) => false,
        (Quote { .. }, _) => true,
        (_, Code | Pre { .. }) | (Link { .. }, Link { .. }) => false,
        (outer, inner) => outer != inner,
    }
}

fn check_spans(message: &FlatText) -> Result<(), TestCaseError> {
    let ends = message.text.chars().scan(0, |end, c| {
        *end += c.len_utf16();
        Some(*end)
    });
    let borders = ends.chain([0]).collect::<std::collections::BTreeSet<_>>();
    for (at, outer) in message.spans.iter().enumerate() {
        let end = outer.offset + outer.length;
        prop_assert!(outer.length > 0 && borders.contains(&outer.offset) && borders.contains(&end));
        for inner in message.spans.iter().skip(at + 1) {
            let apart = inner.offset >= end;
            let within = inner.offset >= outer.offset && inner.offset + inner.length <= end;
            prop_assert!(
                apart || within && may_hold(&outer.kind, &inner.kind),
                "{outer:?} {inner:?}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_is_lost_and_everything_fits(text in any_rich_text()) {
        let messages = compose(&text);
        for message in &messages {
            prop_assert!(units(&message.text) <= MAX_UNITS);
            prop_assert!(!message.text.trim().is_empty());
            prop_assert_eq!(message.text.trim_end(), &message.text);
            prop_assert!(message.spans.len() <= 100);
            check_spans(message)?;
        }
        let sent = messages.iter().map(|message| message.text.as_str()).collect::<String>();
        let written = crate::entities::ink(&text.0).chars().filter(|c| is_seen(*c)).collect::<String>();
        prop_assert!(comes_in_order(&written, &sent));
    }
}
