//! What a look at an installation finds, and how it is told: to a person, or to a program.

use serde::Serialize;
use std::{fmt::Write as _, process::ExitCode};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warning,
    /// It could not be looked at.
    Unchecked,
    /// Messages do not pass, or soon will not.
    Broken,
}

impl Level {
    /// What a program learns from the exit code, if this is the worst that was found.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Broken => 2,
            Self::Unchecked => 3,
        }
    }

    fn mark(self) -> &'static str {
        match self {
            Self::Ok => "ok        ",
            Self::Warning => "WARNING   ",
            Self::Unchecked => "UNCHECKED ",
            Self::Broken => "BROKEN    ",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at; the same word in every version.
    pub check: &'static str,
    /// How well it is.
    pub level: Level,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// Everything that was looked at, in this order.
#[derive(Clone, Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// It is as it should be.
    pub fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.add(check, Level::Ok, found.into(), None);
    }

    /// It works, and somebody should look at it.
    pub fn warning(&mut self, check: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Level::Warning, found.into(), Some(mend.into()));
    }

    /// It does not work.
    pub fn broken(&mut self, check: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Level::Broken, found.into(), Some(mend.into()));
    }

    /// It could not be looked at.
    pub fn unchecked(&mut self, check: &'static str, found: impl Into<String>, mend: impl Into<String>) {
        self.add(check, Level::Unchecked, found.into(), Some(mend.into()));
    }

    fn add(&mut self, check: &'static str, level: Level, found: String, mend: Option<String>) {
        self.0.push(Finding {
            check,
            level,
            found,
            mend,
        });
    }

    /// Each finding.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// The worst that was found.
    pub fn worst(&self) -> Level {
        self.0.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// The class of the worst that was found.
    pub fn exit_code(&self) -> ExitCode {
        self.worst().exit_code().into()
    }

    /// A line for each finding, and one for what to do about it.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.iter().flat_map(|finding| {
            let found = format!("{}{}", finding.level.mark(), finding.found);
            let mend = finding.mend.as_ref().map(|mend| format!("          → {mend}"));
            [Some(found), mend]
        });
        lines.flatten().collect()
    }

    /// For a person: the lines, and a count at the end.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let _ = writeln!(text, "{line}");
        }
        let count = |level| self.0.iter().filter(|finding| finding.level == level).count();
        let _ = write!(
            text,
            "\n{} ok, {} to look at, {} broken, {} unchecked.",
            count(Level::Ok),
            count(Level::Warning),
            count(Level::Broken),
            count(Level::Unchecked)
        );
        text
    }

    /// For a program: `{"version": 1, "level": …, "findings": [{"check", "level", "found", "mend"}]}`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({"version": 1, "level": self.worst(), "findings": self.0})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_broken_outweighs_what_could_not_be_checked() {
        let mut findings = Findings::default();
        assert_eq!(findings.worst().exit_code(), 0);
        findings.warning("a", "it is late", "wait");
        assert_eq!(findings.worst().exit_code(), 1);
        findings.unchecked("b", "nobody answers", "ask again");
        assert_eq!(findings.worst().exit_code(), 3);
        findings.broken("c", "it is gone", "make another");
        findings.ok("d", "it is there");
        assert_eq!(findings.worst().exit_code(), 2);
        assert!(
            findings
                .text()
                .contains("BROKEN    it is gone\n          → make another\n")
        );
        assert!(findings.text().ends_with("1 ok, 1 to look at, 1 broken, 1 unchecked."));
        assert_eq!(findings.json()["findings"][2]["mend"], "make another");
        assert_eq!(findings.json()["level"], "broken");
    }
}
