//! Preformatted text, taken to the letter.

use super::{Kind, Reader, attribute, is_block};
use bridge::rich_text::Block;
use html5gum::StartTag;

/// Preformatted text while it is being read.
#[derive(Default)]
pub(super) struct Pre {
    language: Option<String>,
    pub(super) text: String,
}

impl Reader {
    pub(super) fn open_pre(&mut self, tag: &StartTag<()>) {
        self.boundary(Kind::default());
        self.pre = Some(Pre {
            language: language(tag),
            ..Pre::default()
        });
    }

    /// Whether a start tag was dealt with; structure ends the preformatted text.
    pub(super) fn start_in_pre(&mut self, name: &str, tag: &StartTag<()>) -> bool {
        let Some(pre) = &mut self.pre else { return false };
        match name {
            "br" => pre.text.push('\n'),
            "code" => pre.language = pre.language.take().or_else(|| language(tag)),
            "p" | "pre" => pre.begin_line(),
            "script" | "style" => return false,
            "img" | "hr" | "blockquote" | "ul" | "ol" | "menu" | "dir" | "li" | "table" | "tr" | "td" | "th" => {
                self.close_pre();
                return false;
            }
            name if is_block(name) => pre.begin_line(),
            _ => {}
        }
        true
    }

    pub(super) fn end_in_pre(&mut self, name: &str) -> bool {
        match (name, &mut self.pre) {
            ("pre", _) => self.close_pre(),
            ("br", Some(pre)) => pre.text.push('\n'),
            ("blockquote" | "ul" | "ol" | "menu" | "dir" | "li" | "table" | "tr" | "td" | "th", _) => {
                self.close_pre();
                return false;
            }
            (name, Some(pre)) if is_block(name) => pre.begin_line(),
            _ => {}
        }
        true
    }

    pub(super) fn close_pre(&mut self) {
        let Some(pre) = self.pre.take() else { return };
        let text = pre.text.replace("\r\n", "\n");
        let text = text.strip_prefix('\n').unwrap_or(&text).trim_end_matches('\n');
        if text.trim().is_empty() {
            return;
        }
        self.push(Block::Code {
            language: pre.language,
            text: text.to_owned(),
        });
    }
}

impl Pre {
    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

fn language(tag: &StartTag<()>) -> Option<String> {
    let classes = attribute(tag, "class")?;
    let named = |class: &str| {
        class
            .strip_prefix("language-")
            .or(class.strip_prefix("lang-"))
            .map(str::to_owned)
    };
    classes
        .split_ascii_whitespace()
        .find_map(named)
        .filter(|name| !name.is_empty())
}
