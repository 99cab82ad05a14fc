//! What came of the points, and how it is told.

use super::points::{About, Rest};
use serde::Serialize;
use std::{fmt::Write as _, process::ExitCode};

/// What came of trying a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as the bridge takes for granted; what was seen.
    Holds(String),
    /// It is otherwise; what was seen.
    Differs(String),
    /// It could not be tried; why.
    Untried(String),
}

/// A point and what came of it, as a program reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The point's name.
    pub point: &'static str,
    /// `holds`, `differs` or `untried`.
    pub outcome: &'static str,
    /// What the bridge takes for granted.
    pub granted: &'static str,
    /// What was seen, or why it could not be tried.
    pub found: String,
    /// What of the code rests on it.
    pub rests: &'static [Rest],
}

/// Everything that was tried, in this order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// One for each point.
    pub points: Vec<Line>,
    /// What was made and could not be removed, each in a sentence.
    pub left: Vec<String>,
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Holds(_) => "holds",
            Self::Differs(_) => "differs",
            Self::Untried(_) => "untried",
        }
    }
}

impl Report {
    pub(super) fn add(&mut self, about: &About, outcome: Outcome) {
        let word = outcome.word();
        let (Outcome::Holds(found) | Outcome::Differs(found) | Outcome::Untried(found)) = outcome;
        self.points.push(Line {
            point: about.name,
            outcome: word,
            granted: about.granted,
            found,
            rests: about.rests,
        });
    }

    fn count(&self, outcome: &str) -> usize {
        self.points.iter().filter(|line| line.outcome == outcome).count()
    }

    /// 2 if a point differs, else 1 if something that was made is still there, else 3 if a point could not be tried, else 0.
    pub fn code(&self) -> u8 {
        match (self.count("differs"), self.left.len(), self.count("untried")) {
            (1.., _, _) => 2,
            (0, 1.., _) => 1,
            (0, 0, 1..) => 3,
            (0, 0, 0) => 0,
        }
    }

    /// [`Report::code`], for a process.
    pub fn exit_code(&self) -> ExitCode {
        self.code().into()
    }

    /// For a person.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.points {
            let _ = writeln!(
                text,
                "{:<8}{}: {}",
                line.outcome.to_uppercase(),
                line.point,
                line.granted
            );
            let _ = writeln!(text, "        → {}", line.found);
            for rest in line.rests {
                let _ = writeln!(text, "          on it rests {}, {}", rest.file, rest.item);
            }
        }
        for left in &self.left {
            let _ = writeln!(text, "LEFT    {left}");
        }
        let (holds, differs, untried) = (self.count("holds"), self.count("differs"), self.count("untried"));
        let _ = write!(text, "\n{holds} hold, {differs} differ, {untried} could not be tried.");
        text
    }

    /// For a program: `{"version": 1, "points": [{"point", "outcome", "granted", "found", "rests": [{"file", "item"}]}], "left": […]}`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"version": 1, "points": self.points, "left": self.left})
    }
}

#[cfg(test)]
mod tests {
    use super::{super::points::POINTS, *};

    #[test]
    fn what_differs_outweighs_what_is_left_and_that_what_could_not_be_tried() {
        let mut report = Report::default();
        assert_eq!(report.code(), 0);
        report.add(&POINTS[0], Outcome::Untried("nobody is there".into()));
        assert_eq!(report.code(), 3);
        report.left.push("contact 1".into());
        assert_eq!(report.code(), 1);
        report.add(&POINTS[1], Outcome::Differs("plain text".into()));
        assert_eq!(report.code(), 2);
        let text = report.text();
        assert!(text.contains("DIFFERS intercom.read_html: "), "{text}");
        assert!(
            text.contains("on it rests shared/intercom/src/conversations.rs, fn read_conversation\n"),
            "{text}"
        );
        assert!(text.contains("LEFT    contact 1\n"), "{text}");
        assert!(text.ends_with("0 hold, 1 differ, 1 could not be tried."), "{text}");
        assert_eq!(report.json()["points"][1]["rests"][0]["item"], "fn read_conversation");
    }
}
