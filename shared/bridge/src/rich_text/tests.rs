use super::*;

#[test]
fn plain_text_shows_lists_quotes_and_links() {
    let text = RichText(vec![
        Block::Heading {
            level: 2,
            runs: vec![Run::plain("Steps")],
        },
        Block::List {
            start: Some(1),
            items: vec![
                vec![Block::paragraph(vec![Run::plain("one\nstill one")])],
                vec![Block::paragraph(vec![Run::link("two", "https://example.com/2")])],
            ],
        },
        Block::Quote {
            blocks: vec![Block::paragraph(vec![Run::plain("a\nb")])],
            expandable: false,
        },
        Block::line(vec![Run::link("example.com", "https://example.com/")]),
    ]);
    assert_eq!(
        text.to_plain(),
        "Steps\n\n1. one\n   still one\n2. two (https://example.com/2)\n\n> a\n> b\nexample.com"
    );
}

#[test]
fn fingerprints_survive_wrapping_and_keep_what_differs() {
    let sent = RichText::plain("  Hello,\nworld! ");
    let back = RichText(vec![
        Block::paragraph(vec![Run::bold("Hello"), Run::plain(",")]),
        Block::paragraph(vec![Run::plain("world!")]),
    ]);
    assert_eq!(sent.fingerprint_text(), back.fingerprint_text());
    assert_ne!(
        sent.fingerprint_text(),
        RichText::plain("Hello, worlds!").fingerprint_text()
    );
    assert_ne!(
        RichText::plain("👍").fingerprint_text(),
        RichText::plain("👎").fingerprint_text()
    );
    // White space is re-flowed between signs, too.
    assert_eq!(
        RichText::plain("?!\n\n !").fingerprint_text(),
        RichText::plain("?!\n\n!").fingerprint_text()
    );
    assert_ne!(
        RichText::plain("?").fingerprint_text(),
        RichText::plain("!").fingerprint_text()
    );
    // A quotation of nothing is not sent at all.
    let quoted = Block::Quote {
        blocks: vec![Block::line(vec![Run::plain("\n")])],
        expandable: false,
    };
    let sent = RichText(vec![quoted, Block::line(vec![Run::plain("?")])]);
    assert_eq!(sent.fingerprint_text(), RichText::plain("?").fingerprint_text());
    // A table comes back as a line of text.
    let sent = RichText(vec![Block::Table(vec![vec![
        vec![Run::plain("?")],
        vec![Run::plain("!")],
    ]])]);
    assert_eq!(sent.fingerprint_text(), RichText::plain("? | !").fingerprint_text());
}
