//! Running text as HTML shows it: white space collapsed, stretches of one style together.

use bridge::rich_text::{Run, Style};

/// How many stretches of different style a text may have. Each costs memory of its own, a link's address included; a text with
/// more keeps its words and goes on in one style.
const MOST_RUNS: usize = 10_000;

/// White space that collapses; a non-breaking space does not.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// The text between two block boundaries.
#[derive(Default)]
pub(super) struct Line {
    runs: Vec<Run>,
    /// White space that shows only if something follows it, in the style in which it came.
    space: Option<Style>,
    runs_so_far: usize,
}

impl Line {
    /// Adds text, its white space collapsed.
    pub(super) fn text(&mut self, text: &str, style: &Style) {
        let mut space = false;
        let mut began = false;
        for (at, word) in text.split(is_space).enumerate() {
            space |= at > 0;
            if word.is_empty() {
                continue;
            }
            if let Some(before) = self.space.take() {
                self.push(" ", &common(&before, style));
            } else if space && began {
                self.push(" ", style);
            } else if space && !self.at_line_start() {
                let before = self
                    .runs
                    .last()
                    .map_or_else(|| style.clone(), |run| common(&run.style, style));
                self.push(" ", &before);
            }
            (space, began) = (false, true);
            self.push(&word.replace('\u{a0}', " "), style);
        }
        if space && self.space.is_none() && !self.at_line_start() {
            self.space = Some(style.clone());
        }
    }

    /// Begins a new line.
    pub(super) fn break_line(&mut self, style: &Style) {
        self.space = None;
        let before = self.runs.last().map(|run| common(&run.style, style));
        self.push("\n", &before.unwrap_or_default());
    }

    /// What stands in the line, without white space and line breaks around it; and whether it held anything at all.
    pub(super) fn take(&mut self) -> (Vec<Run>, bool) {
        self.space = None;
        let mut runs = std::mem::take(&mut self.runs);
        let held_something = !runs.is_empty();
        trim_end(&mut runs);
        trim_start(&mut runs);
        (runs, held_something)
    }

    fn at_line_start(&self) -> bool {
        self.runs.last().is_none_or(|run| run.text.ends_with('\n'))
    }

    fn push(&mut self, text: &str, style: &Style) {
        let full = self.runs_so_far >= MOST_RUNS;
        match self.runs.last_mut() {
            Some(last) if full || last.style == *style => last.text.push_str(text),
            _ => {
                self.runs_so_far += 1;
                self.runs.push(Run {
                    text: text.to_owned(),
                    style: if full { Style::default() } else { style.clone() },
                });
            }
        }
    }
}

/// The style of the space between two stretches: underlining and links do not reach out of a word, nor break between words.
fn common(a: &Style, b: &Style) -> Style {
    Style {
        bold: a.bold && b.bold,
        italic: a.italic && b.italic,
        underline: a.underline && b.underline,
        strike: a.strike && b.strike,
        spoiler: a.spoiler && b.spoiler,
        code: a.code && b.code,
        link: a.link.clone().filter(|link| b.link.as_ref() == Some(link)),
    }
}

fn trim_end(runs: &mut Vec<Run>) {
    while let Some(last) = runs.last_mut() {
        last.text.truncate(last.text.trim_end_matches([' ', '\n']).len());
        if !last.text.is_empty() {
            return;
        }
        runs.pop();
    }
}

fn trim_start(runs: &mut Vec<Run>) {
    let blank = |run: &Run| run.text.chars().all(|c| matches!(c, ' ' | '\n'));
    let first = runs.iter().position(|run| !blank(run)).unwrap_or(runs.len());
    runs.drain(..first);
    if let Some(first) = runs.first_mut() {
        let kept = first.text.trim_start_matches([' ', '\n']).len();
        first.text.drain(..first.text.len() - kept);
    }
}
