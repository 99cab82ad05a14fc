//! Who runs the setup: somebody at a terminal, or nobody.

use anyhow::Context as _;
use dialoguer::{Confirm, Input, MultiSelect, Password};

/// Somebody who is told what happens, and answers.
pub trait Person: Send {
    /// Tells a line.
    fn tell(&mut self, line: &str);

    /// Asks for a secret, which is not shown. The variable is where it can be given without being asked for.
    fn secret(&mut self, what: &str, variable: &str) -> anyhow::Result<String>;

    /// Asks whether to do something.
    fn agrees(&mut self, question: &str) -> anyhow::Result<bool>;

    /// Asks which of these; all, if nothing is changed.
    fn choose(&mut self, question: &str, options: &[String]) -> anyhow::Result<Vec<usize>>;

    /// Waits until something was done.
    fn does(&mut self, what: &str) -> anyhow::Result<()>;

    /// Whether anybody can be asked.
    fn is_there(&self) -> bool;
}

/// Somebody at a terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal;

/// Nobody: what would be asked is answered with yes, and what only a person knows has to be in the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unattended;

#[expect(clippy::print_stdout, reason = "it talks to a person in a terminal")]
fn print(line: &str) {
    println!("{line}");
}

impl Person for Terminal {
    fn tell(&mut self, line: &str) {
        print(line);
    }

    fn secret(&mut self, what: &str, variable: &str) -> anyhow::Result<String> {
        let answer = Password::new().with_prompt(format!("{what} (not shown)")).interact();
        answer.with_context(|| format!("{what}: nobody could be asked; set {variable}"))
    }

    fn agrees(&mut self, question: &str) -> anyhow::Result<bool> {
        Ok(Confirm::new().with_prompt(question).interact()?)
    }

    fn choose(&mut self, question: &str, options: &[String]) -> anyhow::Result<Vec<usize>> {
        let all = vec![true; options.len()];
        let asked = MultiSelect::new().with_prompt(format!("{question} (space selects, enter takes)"));
        Ok(asked.items(options).defaults(&all).interact()?)
    }

    fn does(&mut self, what: &str) -> anyhow::Result<()> {
        Input::<String>::new()
            .with_prompt(what)
            .allow_empty(true)
            .interact_text()?;
        Ok(())
    }

    fn is_there(&self) -> bool {
        true
    }
}

impl Person for Unattended {
    fn tell(&mut self, line: &str) {
        print(line);
    }

    fn secret(&mut self, what: &str, variable: &str) -> anyhow::Result<String> {
        anyhow::bail!("{what} is missing: set {variable}")
    }

    fn agrees(&mut self, question: &str) -> anyhow::Result<bool> {
        self.tell(&format!("{question} Yes (--yes)."));
        Ok(true)
    }

    fn choose(&mut self, _question: &str, options: &[String]) -> anyhow::Result<Vec<usize>> {
        Ok((0..options.len()).collect())
    }

    fn does(&mut self, _what: &str) -> anyhow::Result<()> {
        Ok(())
    }

    fn is_there(&self) -> bool {
        false
    }
}
