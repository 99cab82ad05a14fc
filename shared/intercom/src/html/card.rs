//! Cards: an article of the Help Center, a preview of a link, an app, which an agent puts between the words of a reply.

use super::{Reader, attribute, has_class, line::is_space, link_target, text_of};
use bridge::{
    content_words,
    rich_text::{Block, Run},
    words,
};
use html5gum::StartTag;

/// What a card shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shows {
    Article,
    Link,
    App,
}

/// What the element shows, if it is a card.
///
/// The published description of the API has no example of one, and no captured body was to be found. The names are those of Intercom's
/// own style sheets, as they stand in templates of mail that people exported from Intercom and keep in public repositories
/// (`.intercom-interblocks-article-card` with `-article-title`, `-article-body` and `-article-author` in it, the same for `-link`;
/// `ic-block .intercom-interblocks-messenger-card`; `.messenger-card .link`). What has none of these names is read as any HTML.
fn shown_by(tag: &StartTag<()>) -> Option<Shows> {
    // What cannot hold anything never ends either.
    if !matches!(
        &*text_of(&tag.name),
        "a" | "article" | "div" | "figure" | "ic-block" | "section" | "span" | "table" | "td"
    ) {
        return None;
    }
    let names = [
        ("intercom-interblocks-article-card", Shows::Article),
        ("intercom-interblocks-link", Shows::Link),
        ("intercom-interblocks-messenger-card", Shows::App),
        ("messenger-card", Shows::App),
    ];
    let shows = names.into_iter().find(|(class, _)| has_class(tag, class));
    shows.map(|(_, shows)| shows)
}

/// Whether the element holds the title of a card.
fn is_title(tag: &StartTag<()>) -> bool {
    let names = ["intercom-interblocks-article-title", "intercom-interblocks-link-title"];
    names.into_iter().any(|class| has_class(tag, class))
}

/// A card while it is being read.
pub(super) struct Card {
    shows: Shows,
    /// Its element ends where as many of this name have ended as have begun.
    name: String,
    open: usize,
    link: Option<String>,
    /// How deep in elements of its own name the title is that is being read.
    title_open: Option<(String, usize)>,
    title: String,
    /// What stands in it, each piece between two tags on its own.
    pieces: Vec<String>,
    /// What one sees where there is nothing to read.
    alt: String,
    apart: bool,
}

impl Card {
    fn new(shows: Shows, name: &str, link: Option<String>) -> Self {
        Self {
            shows,
            name: name.to_owned(),
            open: 1,
            link,
            title_open: None,
            title: String::new(),
            pieces: Vec::new(),
            alt: String::new(),
            apart: true,
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.title_open.is_some() {
            self.title.push_str(text);
        }
        match self.pieces.last_mut().filter(|_| !self.apart) {
            Some(piece) => piece.push_str(text),
            None if text.chars().all(is_space) => return,
            None => self.pieces.push(text.to_owned()),
        }
        self.apart = false;
    }

    fn start(&mut self, name: &str, tag: &StartTag<()>) {
        self.open += usize::from(name == self.name);
        if name == "a" && self.link.is_none() {
            self.link = attribute(tag, "href").as_deref().and_then(link_target);
        }
        if name == "img" && self.alt.is_empty() {
            self.alt = attribute(tag, "alt").unwrap_or_default();
        }
        match &mut self.title_open {
            Some((of, open)) => *open += usize::from(of == name),
            None if self.title.is_empty() && is_title(tag) => self.title_open = Some((name.to_owned(), 1)),
            None => {}
        }
        self.apart |= !is_within_a_line(name);
    }

    /// Whether the card ends here.
    fn end(&mut self, name: &str) -> bool {
        if let Some((of, open)) = &mut self.title_open
            && of == name
        {
            *open -= 1;
            if *open == 0 {
                self.title_open = None;
            }
        }
        self.apart |= !is_within_a_line(name);
        self.open -= usize::from(name == self.name);
        self.open == 0
    }

    /// The card in one line. Of an article and of a link that is the title, if it is known: what else stands on the card stands where
    /// the link leads, too.
    fn line(self) -> Block {
        let said = self.pieces.join(" · ");
        let said = if said.trim().is_empty() { self.alt } else { said };
        let title = if self.title.trim().is_empty() { said } else { self.title };
        let words = match self.shows {
            Shows::Article => content_words::article(&title),
            Shows::Link => content_words::link(&title, self.link.as_deref().unwrap_or_default()),
            Shows::App => content_words::app_card(&title),
        };
        match self.link {
            Some(link) => words::elsewhere(&words, &link),
            None => Block::line(vec![Run::plain(words)]),
        }
    }

    /// All that stands in what began as a card and did not end: nobody can tell what of it was one.
    fn words(self) -> Block {
        Block::line(vec![Run::plain(self.pieces.join("\n"))])
    }
}

fn is_within_a_line(name: &str) -> bool {
    matches!(
        name,
        "a" | "b" | "code" | "em" | "font" | "i" | "s" | "span" | "strong" | "u"
    )
}

impl Reader {
    /// Whether a start tag was dealt with: it begins a card, or stands in one.
    pub(super) fn start_in_card(&mut self, name: &str, tag: &StartTag<()>) -> bool {
        if let Some(card) = &mut self.card {
            card.start(name, tag);
            return true;
        }
        let Some(shows) = shown_by(tag) else { return false };
        let href = attribute(tag, "href").as_deref().and_then(link_target);
        let link = href.or_else(|| self.styles.now().link.clone());
        self.card = Some(Card::new(shows, name, link));
        true
    }

    pub(super) fn end_in_card(&mut self, name: &str) -> bool {
        let Some(card) = &mut self.card else { return false };
        if card.end(name)
            && let Some(card) = self.card.take()
        {
            self.block(card.line());
        }
        true
    }

    /// What was not seen to end, ends with the text.
    pub(super) fn close_card(&mut self) {
        if let Some(card) = self.card.take() {
            self.block(card.words());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use bridge::rich_text::{Block, RichText};

    /// The text, and where its links lead.
    fn seen(html: &str) -> (String, Vec<String>) {
        let text = read(html);
        let RichText(blocks) = &text;
        let runs = blocks.iter().flat_map(|block| match block {
            Block::Paragraph { runs, .. } => runs.as_slice(),
            _ => &[],
        });
        let links = runs.filter_map(|run| run.style.link.clone()).collect();
        let plain = blocks.iter().flat_map(|block| match block {
            Block::Paragraph { runs, .. } => runs.iter().map(|run| run.text.as_str()).collect::<Vec<_>>(),
            _ => vec![],
        });
        (plain.collect::<Vec<_>>().join("\n"), links)
    }

    const ARTICLE: &str = "https://help.example.com/en/articles/12-refunds";

    #[test]
    fn an_article_is_its_title_and_its_link() {
        let card = |inner: &str| {
            format!("<p>See</p><a class=\"intercom-interblocks-article-card\" href=\"{ARTICLE}\">{inner}</a><p>Bye</p>")
        };
        let whole = card(
            "<div class='intercom-interblocks-content-card'><div class='intercom-interblocks-article-icon'></div>\
             <div class='intercom-interblocks-article-text'>\
             <div class='x intercom-interblocks-article-title'>\n How <b>refunds</b>\n work </div>\
             <div class='intercom-interblocks-article-body'>All about it</div>\
             <div class='intercom-interblocks-article-author'><img src='https://x.test/a.png' alt='Anna'>Written by Anna</div>\
             </div></div>",
        );
        let cases = [
            (whole.as_str(), "[article] How refunds work"),
            (&card("<div>How refunds work</div>"), "[article] How refunds work"),
            (&card("How <b>refunds</b> work"), "[article] How refunds work"),
            (
                &card("<p>Refunds</p><p>All about it</p>"),
                "[article] Refunds · All about it",
            ),
            (
                &card("<img src='https://x.test/a.png' alt='Refunds'>"),
                "[article] Refunds",
            ),
            (&card(""), "[article]"),
            (&card("<script>no()</script><style>no</style>yes"), "[article] yes"),
        ];
        for (html, line) in cases {
            assert_eq!(
                seen(html),
                (format!("See\n{line}\nBye"), vec![ARTICLE.to_owned()]),
                "{html}"
            );
        }
    }

    #[test]
    fn the_link_of_a_card_is_around_it_or_in_it() {
        let card = "<div class='intercom-interblocks-article-card'><div>Refunds</div></div>";
        let around = format!("<a href='{ARTICLE}'>{card}</a>");
        let within = "<div class='intercom-interblocks-article-card'><div><div>Refunds</div>\
                      <a href='https://help.example.com/en/articles/12-refunds'>Read more</a></div></div>";
        assert_eq!(seen(&around), ("[article] Refunds".into(), vec![ARTICLE.to_owned()]));
        assert_eq!(
            seen(within),
            ("[article] Refunds · Read more".into(), vec![ARTICLE.to_owned()])
        );
        assert_eq!(seen(card), ("[article] Refunds".into(), vec![]));
        let bad = "<a class='intercom-interblocks-article-card' href='javascript:alert(1)'>Refunds</a>";
        assert_eq!(seen(bad), ("[article] Refunds".into(), vec![]));
    }

    #[test]
    fn a_preview_of_a_link_is_its_title() {
        let card =
            |inner: &str| format!("<a class='intercom-interblocks-link' href='https://example.com/a'>{inner}</a>");
        let whole = "<div class='intercom-interblocks-link-title'>A page</div>\
                     <div class='intercom-interblocks-link-description'>What it says</div>";
        assert_eq!(seen(&card(whole)).0, "A page");
        assert_eq!(seen(&card("")).0, "https://example.com/a");
    }

    #[test]
    fn a_card_of_an_app_is_one_line() {
        let card = "<p>Pick a time</p><ic-block><div class='intercom-interblocks-messenger-card'>\
                    <div><img src='https://x.test/logo.png' alt='Logo'><h2>Book a\n meeting</h2></div>\
                    <p class='no-margin'>30 minutes</p><div>with <span>Anna</span></div>\
                    <a href='https://cal.example.com/anna'>Book</a></div></ic-block><p>Bye</p>";
        let line = "[app] Book a meeting · 30 minutes · with Anna · Book";
        assert_eq!(
            seen(card),
            (
                format!("Pick a time\n{line}\nBye"),
                vec!["https://cal.example.com/anna".to_owned()]
            )
        );
        assert_eq!(
            seen("<table class='messenger-card'><tr><td>Vote</td></tr></table>").0,
            "[app] Vote"
        );
        assert_eq!(seen("<div class='messenger-card'></div>").0, "[app]");
    }

    /// Nothing is lost around a card, wherever it stands and however badly it is written.
    #[test]
    fn what_stands_around_a_card_stays() {
        let cases = [
            ("a<div class='messenger-card'><div>x</div></div>b", "a\n\n[app] x\n\nb"),
            (
                "<ul><li>a<div class='messenger-card'>x</div></li><li>b</li></ul>",
                "• a\n   [app] x\n• b",
            ),
            (
                "<table><tr><td>a</td><td><div class='messenger-card'>x</div></td></tr></table>",
                "a | [app] x",
            ),
            ("<div class='messenger-card'><p>never</p>ended", "never\nended"),
            ("<img class='messenger-card' src='https://x.test/i'>b", "[image]\nb"),
            ("a<div class='messenger-card'>x</p></b></div></div>b", "a\n[app] x\nb"),
            ("<div class='messenger-cards'>x</div>", "x"),
        ];
        for (html, text) in cases {
            let squeezed = |text: &str| text.replace("\n\n", "\n");
            assert_eq!(squeezed(&read(html).to_plain()), squeezed(text), "{html}");
        }
        let long = "word ".repeat(5_000);
        let unended = read(&format!("<a class='intercom-interblocks-link'>{long}")).to_plain();
        assert_eq!(unended.split_whitespace().count(), 5_000);
    }
}
