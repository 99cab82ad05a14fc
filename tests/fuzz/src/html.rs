//! What agents write and paste.

use crate::{Target, flat, json, view};
use intercom::{body, html};
use proptest::{collection::vec, prelude::*, sample::Index, test_runner::TestCaseError};

/// HTML becomes messages.
pub struct Html;

/// What a card begins with. Of one that ends its title is read alone, or so much as a line holds.
const CARDS: &[&str] = &[
    "<a class=\"intercom-interblocks-article-card\" href=\"https://x.example/\">",
    "<div class='x messenger-card'>",
    "<td class=intercom-interblocks-link><div class=intercom-interblocks-link-title>",
];

/// Where a browser shows less than is written, or in another order, for reasons that are no mail's or agent's; and cards.
const FOREIGN: &[&str] = &[
    "messenger-card",
    "intercom-interblocks-",
    "<svg",
    "<math",
    "<template",
    "<select",
    "<frameset",
    "<plaintext",
    "<noscript",
    "<table",
    "<noframes",
    "<noembed",
    "<iframe",
    "<xmp",
];

const TAGS: &[&str] = &[
    "<p>",
    "</p>",
    "<p class=\"no-margin\">",
    "<br>",
    "<br/>",
    "<b>",
    "</b>",
    "<strong>",
    "<i>",
    "</i>",
    "<em>",
    "<u>",
    "<s>",
    "</s>",
    "<del>",
    "<code>",
    "</code>",
    "<pre>",
    "</pre>",
    "<pre><code class=\"language-c\">",
    "<blockquote>",
    "</blockquote>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<ol start=\"7\">",
    "<ol start=-1>",
    "</ol>",
    "<li>",
    "</li>",
    "<h1>",
    "</h1>",
    "<h6>",
    "<hr>",
    "<div>",
    "</div>",
    "<span style='x'>",
    "</span>",
    "<a href=\"https://x.example/?a=1&amp;b\">",
    "<a href='mailto:a@b.example'>",
    "<a href=javascript:x>",
    "<a>",
    "</a>",
    "<img src=\"https://x.example/i.png\" alt=\"a cat\">",
    "<img>",
    "<table>",
    "<tr>",
    "<td>",
    "<th>",
    "</td>",
    "</tr>",
    "</table>",
    "<iframe src='//x.example/v'></iframe>",
    "<script>no</script>",
    "<style>no",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<title>",
    "<made-up x=1>",
    "<!-- no -->",
    "<!doctype html>",
    "<![CDATA[x]]>",
    "<",
    ">",
    "</",
    "<p",
    "&",
    "&amp;",
    "&lt;",
    "&#x1F44D;",
    "&#0;",
    "&nbsp;",
    "&euro",
];

impl Target for Html {
    type Input = String;

    const NAME: &'static str = "html";

    fn inputs() -> BoxedStrategy<String> {
        let word = prop_oneof![
            6 => "[a-zé ]{1,8}",
            1 => "[\\n\\t \u{200b}\u{a0}👍]{1,3}",
            1 => Just("👨‍👩‍👧‍👦".to_owned()),
            1 => "\\PC{1,4}",
        ];
        let tag = proptest::sample::select(TAGS).prop_map(str::to_owned);
        let piece = prop_oneof![2 => word, 3 => tag];
        let soup = vec(piece, 0..24).prop_map(|pieces| pieces.concat()).boxed();
        let card = proptest::sample::select(CARDS);
        let carded = (soup.clone(), card, soup.clone()).prop_map(|(before, card, inside)| before + card + &inside);
        let long = (soup.clone(), 2_usize..60).prop_map(|(soup, times)| soup.repeat(times));
        let seeds = json::texts("corpus/html");
        let spliced =
            (proptest::sample::select(seeds), soup.clone(), any::<Index>()).prop_map(|(mut seed, soup, at)| {
                let at = at.index(seed.len() + 1);
                let at = (0..=at).rev().find(|at| seed.is_char_boundary(*at)).unwrap_or_default();
                seed.insert_str(at, &soup);
                seed
            });
        prop_oneof![
            24 => soup,
            3 => carded,
            4 => spliced,
            1 => long,
            1 => any::<String>(),
        ]
        .boxed()
    }

    fn read(bytes: &[u8]) -> Option<String> {
        String::from_utf8(bytes.to_vec()).ok()
    }

    fn check(html: &String) -> Result<(), TestCaseError> {
        let text = html::read(html);
        flat::check(&text)?;
        flat::check(&body::read(html).0)?;
        let lower = html.to_ascii_lowercase();
        if !FOREIGN.iter().any(|tag| lower.contains(tag)) {
            let shown = letters(&view::of_theirs(html));
            prop_assert!(
                flat::comes_in_order(&shown, &text.to_plain()),
                "{} is not all in {:?}",
                shown,
                text
            );
        }
        Ok(())
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}
