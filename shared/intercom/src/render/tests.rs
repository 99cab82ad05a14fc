use super::*;
use crate::html;
use bridge::rich_text::Style;
use proptest::prelude::*;

#[test]
fn everything_a_customer_writes_is_escaped() {
    let text = RichText::plain("<script>alert(\"1\")</script> & 'x'\n  y");
    let html = "<p>&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;<br>&nbsp;&nbsp;y</p>";
    assert_eq!(contact_reply(&text), html);
    assert_eq!(admin_reply(&text), html);
    assert_eq!(opening(&text), "<script>alert(\"1\")</script> & 'x'\n  y");
}

#[test]
fn blocks_become_the_tags_that_intercom_takes() {
    let bold_link = Run {
        text: "here".into(),
        style: Style {
            bold: true,
            ..Run::link("", "https://x.test/?a=\"b\"&c").style
        },
    };
    let p = |text: &str| Block::paragraph(vec![Run::plain(text)]);
    let line = |text: &str| Block::line(vec![Run::plain(text)]);
    let cases = [
        (vec![p("a"), line("b"), p("c")], "<p>a<br>b</p><p>c</p>"),
        (vec![line("a")], "<p>a</p>"),
        (
            vec![Block::paragraph(vec![
                Run::link("see ", "https://x.test/?a=\"b\"&c"),
                bold_link,
            ])],
            "<p><a href=\"https://x.test/?a=&quot;b&quot;&amp;c\">see <b>here</b></a></p>",
        ),
        (
            vec![Block::paragraph(vec![Run::link("x", "tg://user?id=1")])],
            "<p>x</p>",
        ),
        (
            vec![Block::Heading {
                level: 1,
                runs: vec![Run::plain("t")],
            }],
            "<h2>t</h2>",
        ),
        (
            vec![Block::Quote {
                blocks: vec![p("a"), p("b")],
                expandable: true,
            }],
            "<blockquote><p>a</p><p>b</p></blockquote>",
        ),
        (
            vec![Block::Code {
                language: Some("c".into()),
                text: "a < b\n  c".into(),
            }],
            "<pre><code>a &lt; b<br>  c</code></pre>",
        ),
        (
            vec![Block::List {
                start: Some(2),
                items: vec![vec![p("a"), line("b"), p("c")], vec![]],
            }],
            "<ol start=\"2\"><li>a<br>b<p>c</p></li><li></li></ol>",
        ),
        (
            vec![Block::List {
                start: None,
                items: vec![vec![Block::List {
                    start: Some(1),
                    items: vec![vec![p("a")]],
                }]],
            }],
            "<ul><li><ol><li>a</li></ol></li></ul>",
        ),
        (
            vec![Block::Table(vec![
                vec![vec![Run::plain("a")], vec![Run::bold("b")]],
                vec![vec![Run::plain("c")]],
            ])],
            "<p>a | <b>b</b><br>c</p>",
        ),
        (vec![Block::Rule], "<p>———</p>"),
        (
            vec![Block::Image {
                url: "https://x.test/i".into(),
                alt: "cat".into(),
            }],
            "<p><a href=\"https://x.test/i\">[image: cat]</a></p>",
        ),
    ];
    for (blocks, html) in cases {
        assert_eq!(admin_reply(&RichText(blocks)), html);
    }
}

fn run() -> impl Strategy<Value = Run> {
    let text = prop_oneof!["[a-zA-Z0-9 <>&'\"\n.é😀]{0,12}", any::<String>()];
    let link = proptest::option::of(prop_oneof!["https://x\\.test/[a-z&\"<]{0,5}", "tg://[a-z]{1,4}"]);
    (text, any::<[bool; 6]>(), link).prop_map(|(text, [bold, italic, underline, strike, spoiler, code], link)| Run {
        text,
        style: Style {
            bold,
            italic,
            underline,
            strike,
            spoiler,
            code,
            link,
        },
    })
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    proptest::collection::vec(run(), 0..4)
}

fn leaf() -> impl Strategy<Value = Block> {
    prop_oneof![
        (runs(), any::<bool>()).prop_map(|(runs, tight)| Block::Paragraph { runs, tight }),
        (1..=6_u8, runs()).prop_map(|(level, runs)| Block::Heading { level, runs }),
        "[a-z <&\n]{0,20}".prop_map(|text| Block::Code { language: None, text }),
        proptest::collection::vec(proptest::collection::vec(runs(), 0..3), 0..3).prop_map(Block::Table),
        Just(Block::Rule),
        ("https://x\\.test/[a-z]{1,5}", "[a-z <]{0,5}").prop_map(|(url, alt)| Block::Image { url, alt }),
    ]
}

fn list() -> impl Strategy<Value = Block> {
    let item = proptest::collection::vec(leaf(), 0..3);
    (
        proptest::option::of(any::<u64>()),
        proptest::collection::vec(item, 1..4),
    )
        .prop_map(|(start, items)| Block::List { start, items })
}

fn block() -> impl Strategy<Value = Block> {
    let inner = || proptest::collection::vec(prop_oneof![leaf(), list()], 0..3);
    prop_oneof![
        4 => leaf(),
        1 => list(),
        1 => inner().prop_map(|blocks| Block::Quote { blocks, expandable: false }),
        1 => inner().prop_map(|item| Block::List { start: None, items: vec![item] }),
    ]
}

/// Everything that a browser shows, and what is wrong with the HTML; by a parser that is not ours.
fn browsed(html: &str) -> (String, Vec<String>) {
    let parsed = scraper::Html::parse_fragment(html);
    let texts = parsed.tree.nodes().filter_map(|node| node.value().as_text());
    let errors = parsed.errors.iter().map(ToString::to_string).collect();
    (texts.map(|text| &**text).collect(), errors)
}

/// The characters of some text, blocks and cells without what stands between them.
fn ink(blocks: &[Block]) -> String {
    let runs = |runs: &[Run]| runs.iter().map(|run| run.text.as_str()).collect::<String>();
    let texts = blocks.iter().map(|block| match block {
        Block::Paragraph { runs: text, .. } | Block::Heading { runs: text, .. } => runs(text),
        Block::Quote { blocks, .. } => ink(blocks),
        Block::Code { text, .. } => text.clone(),
        Block::List { items, .. } => items.iter().map(|item| ink(item)).collect(),
        Block::Table(rows) => {
            let line = |row: &Vec<Vec<Run>>| row.iter().map(|cell| runs(cell)).collect::<Vec<_>>().join("|");
            rows.iter().map(line).collect()
        }
        Block::Rule | Block::Image { .. } => RichText(vec![block.clone()]).to_plain(),
    });
    texts.collect::<String>().replace('\0', "\u{fffd}")
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn what_is_rendered_is_valid_and_shows_all_of_the_text(blocks in proptest::collection::vec(block(), 0..5)) {
        let html = contact_reply(&RichText(blocks.clone()));
        let (shown, errors) = browsed(&html);
        prop_assert_eq!(errors, Vec::<String>::new(), "{}", html);
        prop_assert_eq!(without_space(&shown), without_space(&ink(&blocks)), "{}", html);
    }

    #[test]
    fn what_is_rendered_reads_the_same(blocks in proptest::collection::vec(block(), 0..5)) {
        let text = RichText(blocks);
        let html = admin_reply(&text);
        prop_assert_eq!(html::read(&html).fingerprint_text(), text.fingerprint_text(), "{}", html);
    }
}
