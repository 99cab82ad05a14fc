use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn plain(html: &str) -> String {
    read(html).to_plain()
}

#[test]
fn text_reads_as_in_a_browser() {
    let cases = [
        ("", ""),
        ("<p></p>", ""),
        ("just words", "just words"),
        ("<p>Hello</p>", "Hello"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p class=\"no-margin\">a</p><p class=\"no-margin\">b</p>", "a\nb"),
        (
            "<p class=\"no-margin\">a</p><p class=\"no-margin\"></p><p class=\"no-margin\">b</p>",
            "a\n\nb",
        ),
        (
            "<p class=\"no-margin\">a</p><p class=\"no-margin\"><br></p><p class=\"no-margin\">b</p>",
            "a\n\nb",
        ),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div>a</div><div></div><div>b</div>", "a\nb"),
        ("<p>a<br>b<br/>c<br></p>", "a\nb\nc"),
        ("<p>  a \n b\t<b> c </b> d </p>", "a b c d"),
        (
            "<p>a&nbsp;&nbsp;b &amp;lt; &lt;c&gt; &#39;d&#x27; &euro;</p>",
            "a  b &lt; <c> 'd' €",
        ),
        (
            "<p>a<!-- not this -->b</p><script>not('this')</script><style>p { not: this }</style>",
            "ab",
        ),
        ("<p>a <blink>b</blink> <made-up x=1>c</made-up></p>", "a b c"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("</p></b></ul></blockquote></table></td>stray", "stray"),
        ("<h2>Title</h2>body", "Title\n\nbody"),
        ("a<hr>b", "a\n\n———\nb"),
        ("<ul><li>one</li><li><p>two</p></li></ul>", "• one\n• two"),
        ("<ol start=\"3\"><li>one<li>two</ol>after", "3. one\n4. two\n\nafter"),
        (
            "<ul><li>one<ul><li>in</li></ul></li><li>two</li></ul>",
            "• one\n\n   • in\n• two",
        ),
        ("<ul><li>one</li><ul><li>in</li></ul></ul>", "• one\n\n   • in"),
        ("<ul>stray<li>item</li></ul>", "• stray\n• item"),
        ("<li>no list</li>", "• no list"),
        (
            "<blockquote><p>a</p><blockquote>b</blockquote></blockquote>c",
            "> a\n> \n> b\n\nc",
        ),
        (
            "<table><tr><th>a</th><th>b</th></tr><tr><td>c</td><td><p>d</p><p>e</p></td></tr></table>",
            "a | b\nc | d e",
        ),
        (
            "<table><tr><td>a<table><tr><td>in</td></tr></table></td><td>b</td></tr></table>after",
            "a in | b\n\nafter",
        ),
        ("<table>a<tr><menu>b<hr>c", "a\nb ——— c"),
        ("<pre>\n  a\n\n  b\n</pre>c", "  a\n\n  b\n\nc"),
        ("<pre><code class=\"language-rust\">a<br>b</code></pre>", "a\nb"),
        (
            "<p>a<img src=\"https://x.test/i.png\" alt=\"cat\">b</p>",
            "a\n\n[image: cat]\nb",
        ),
        (
            "<p><a href=\"https://x.test/\">x.test</a> <a href=\"javascript:alert(1)\">j</a></p>",
            "x.test j",
        ),
        ("<p><a href=\"//x.test/a\">here</a></p>", "here (https://x.test/a)"),
        ("<iframe src=\"https://v.test/1\"></iframe>", "https://v.test/1"),
        (
            "<html><body><h2>List</h2><ul><li>Tea</li></ul></body></html>",
            "List\n\n• Tea",
        ),
        ("<title>kept</title><textarea>&lt;too&gt;</textarea>", "kept\n<too>"),
    ];
    for (html, text) in cases {
        assert_eq!(plain(html), text, "{html}");
    }
}

#[test]
fn inline_styles_and_links_are_kept() {
    let style = |change: fn(&mut Style)| {
        let mut style = Style::default();
        change(&mut style);
        style
    };
    let cases = [
        ("<b>x</b>", style(|s| s.bold = true)),
        ("<strong>x</strong>", style(|s| s.bold = true)),
        ("<em><u>x</u></em>", style(|s| (s.italic, s.underline) = (true, true))),
        ("<del>x</del>", style(|s| s.strike = true)),
        ("<code>x</code>", style(|s| s.code = true)),
        (
            "<a href=' HTTPS://x.test/?a=1&amp;b=2 '>x</a>",
            style(|s| s.link = Some("HTTPS://x.test/?a=1&b=2".into())),
        ),
        (
            "<a href='mailto:a@x.test'><i>x</i></a>",
            style(|s| (s.italic, s.link) = (true, Some("mailto:a@x.test".into()))),
        ),
        ("<a href='data:text/html,x'>x</a>", Style::default()),
        ("<a href='/relative'>x</a>", Style::default()),
        ("<a>x</a>", Style::default()),
        ("<b></b>x", Style::default()),
        ("</b><b></i></b>x", Style::default()),
    ];
    for (html, style) in cases {
        let run = Run {
            text: "x".into(),
            style,
        };
        assert_eq!(read(html), RichText(vec![Block::paragraph(vec![run])]), "{html}");
    }
}

#[test]
fn a_space_between_styles_takes_what_both_share() {
    let runs = |html: &str| match read(html).0.remove(0) {
        Block::Paragraph { runs, .. } => runs
            .into_iter()
            .map(|run| (run.text, run.style.underline, run.style.link.is_some()))
            .collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        runs("see<a href='https://x.test'> this </a>now"),
        [
            ("see ".into(), false, false),
            ("this".into(), false, true),
            (" now".into(), false, false)
        ]
    );
    assert_eq!(
        runs("<a href='https://x.test'>a<br>b</a><br>c"),
        [("a\nb".into(), false, true), ("\nc".into(), false, false)]
    );
    assert_eq!(
        runs("<u>a <b>b</b> c</u>"),
        [
            ("a ".into(), true, false),
            ("b".into(), true, false),
            (" c".into(), true, false)
        ]
    );
}

#[test]
fn pictures_keep_their_address_wherever_they_stand() {
    let html = "<p><img src='https://x.test/1'></p><ul><li><img src='https://x.test/2'></li></ul>\
                <blockquote><pre>a<img src='https://x.test/3'></pre></blockquote>";
    let text = read(html);
    assert_eq!(
        text.images().collect::<Vec<_>>(),
        ["https://x.test/1", "https://x.test/2", "https://x.test/3"]
    );
}

#[test]
fn code_keeps_its_language() {
    let code = |language: Option<&str>| {
        RichText(vec![Block::Code {
            language: language.map(str::to_owned),
            text: "a  b".into(),
        }])
    };
    assert_eq!(
        read("<pre><code class='x language-rust'>a  b</code></pre>"),
        code(Some("rust"))
    );
    assert_eq!(read("<pre class='lang-c'>a  b\n</pre>"), code(Some("c")));
    assert_eq!(read("<pre>\na  b</pre>"), code(None));
}

/// Each of these has sent some parser into quadratic time, which would be minutes, or through the end of its stack.
#[test]
fn hostile_input_costs_no_more_than_its_length() {
    let many = 100_000;
    let attributes = (0..many).map(|n| format!("a{n}")).collect::<Vec<_>>().join(" ");
    let link = |n: usize| format!("<a href='https://x.test/{}'>w</a><b>v</b>", "y".repeat(n % 2000));
    let links = (0..many / 20).map(link).collect::<Vec<_>>().concat();
    let inputs = [
        "<div>".repeat(many),
        "<b>".repeat(many) + "x" + &"</b>".repeat(many),
        "<ul><li>".repeat(many) + "x",
        "<blockquote>".repeat(many) + "x" + &"</blockquote>".repeat(many),
        "<table><tr><td>".repeat(many) + "x",
        "<a href=x>".repeat(many),
        "<p><b><i><font a=1>".repeat(many),
        "</ul>".repeat(many),
        "<pre>".repeat(many),
        "<".repeat(many),
        "&".repeat(many),
        "<!--".repeat(many),
        "<ul><li>x".repeat(10) + &"<li>y</ul><ul>".repeat(many),
        format!("<p {attributes}>x"),
        links,
    ];
    for input in inputs {
        let began = Instant::now();
        let text = read(&input);
        let _ = text.to_plain();
        drop(text);
        let _ = crate::body::read(&input);
        assert!(began.elapsed() < Duration::from_secs(30), "{}", &input[..30]);
    }
}

/// Words between tags of every sort, opened and closed in any order.
fn soup() -> impl Strategy<Value = (String, String)> {
    let tags = [
        "p",
        "p class=no-margin",
        "br",
        "b",
        "i",
        "u",
        "s",
        "code",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "li",
        "h1",
        "a href='https://x.test'",
        "a",
        "table",
        "tr",
        "td",
        "th",
        "tbody",
        "hr",
        "div",
        "span",
        "made-up",
        "textarea-like",
        "center",
        "menu",
    ];
    let piece = prop_oneof![
        "[a-z]{1,6}".prop_map(|word| (word.clone(), word)),
        Just((" ".to_owned(), String::new())),
        Just(("&amp;".to_owned(), String::new())),
        Just(("<!-- gone -->".to_owned(), String::new())),
        (proptest::sample::select(tags.to_vec()), any::<bool>()).prop_map(|(tag, close)| {
            let name = tag.split(' ').next().unwrap_or(tag);
            let html = if close {
                format!("</{name}>")
            } else {
                format!("<{tag}>")
            };
            (html, String::new())
        }),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.into_iter().unzip())
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_lowercase).collect()
}

fn has_nested_quote(blocks: &[Block], quoted: bool) -> bool {
    blocks.iter().any(|block| match block {
        Block::Quote { blocks, .. } => quoted || has_nested_quote(blocks, true),
        Block::List { items, .. } => items.iter().any(|item| has_nested_quote(item, quoted)),
        _ => false,
    })
}

fn strip_links(text: &mut RichText) {
    fn walk(blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Paragraph { runs, .. } | Block::Heading { runs, .. } => {
                    for run in runs {
                        run.style.link = None;
                    }
                }
                Block::Quote { blocks, .. } => walk(blocks),
                Block::List { items, .. } => items.iter_mut().for_each(|item| walk(item)),
                Block::Table(rows) => {
                    for run in rows.iter_mut().flatten().flatten() {
                        run.style.link = None;
                    }
                }
                Block::Code { .. } | Block::Rule | Block::Image { .. } => {}
            }
        }
    }
    walk(&mut text.0);
}

proptest! {
    #[test]
    fn no_word_is_lost_and_the_order_stays((html, words) in soup()) {
        let mut text = read(&html);
        strip_links(&mut text);
        prop_assert_eq!(letters(&text.to_plain()), words, "{}", html);
        prop_assert!(!has_nested_quote(&text.0, false));
    }

    #[test]
    fn any_input_is_read(html in any::<String>()) {
        let _ = read(&html).to_plain();
        let _ = crate::body::read(&html);
    }

    #[test]
    fn any_tags_are_read(html in "[<>/!a-z \"'=&;-]{0,80}") {
        let _ = read(&html).to_plain();
        let _ = crate::body::read(&html);
    }
}
