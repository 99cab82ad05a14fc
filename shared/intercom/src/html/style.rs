//! What inline tags are open.

use bridge::rich_text::Style;

/// Addresses longer than this lead nowhere that anyone could have meant.
const LONGEST_LINK: usize = 2048;

/// How often each style is open. Tags that are closed in another order than they were opened end what they name, as in browsers.
#[derive(Default)]
pub(super) struct Styles {
    bold: usize,
    italic: usize,
    underline: usize,
    strike: usize,
    code: usize,
    now: Style,
}

impl Styles {
    pub(super) fn now(&self) -> &Style {
        &self.now
    }

    /// Opens an inline tag; those without a look of their own have no effect.
    pub(super) fn open(&mut self, name: &str) {
        if let Some(count) = self.of(name) {
            *count += 1;
            self.refresh();
        }
    }

    pub(super) fn close(&mut self, name: &str) {
        if let Some(count) = self.of(name) {
            *count = count.saturating_sub(1);
            self.refresh();
        }
    }

    /// A link within a link ends the outer one.
    pub(super) fn open_link(&mut self, href: Option<&str>) {
        self.now.link = href.and_then(link_target);
    }

    pub(super) fn close_link(&mut self) {
        self.now.link = None;
    }

    fn of(&mut self, name: &str) -> Option<&mut usize> {
        Some(match name {
            "b" | "strong" => &mut self.bold,
            "i" | "em" | "cite" | "dfn" | "var" => &mut self.italic,
            "u" | "ins" => &mut self.underline,
            "s" | "strike" | "del" => &mut self.strike,
            "code" | "kbd" | "samp" | "tt" => &mut self.code,
            _ => return None,
        })
    }

    fn refresh(&mut self) {
        self.now.bold = self.bold > 0;
        self.now.italic = self.italic > 0;
        self.now.underline = self.underline > 0;
        self.now.strike = self.strike > 0;
        self.now.code = self.code > 0;
    }
}

/// Where a link leads, if it leads somewhere that both systems let a reader go: `http`, `https`, `mailto`, `tel`.
pub(crate) fn link_target(href: &str) -> Option<String> {
    let href: String = href
        .trim_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let href = if href.starts_with("//") {
        format!("https:{href}")
    } else {
        href
    };
    let (scheme, rest) = href.split_once(':')?;
    let known = ["http", "https", "mailto", "tel"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    (known && !rest.trim_matches('/').is_empty() && href.len() <= LONGEST_LINK).then_some(href)
}
