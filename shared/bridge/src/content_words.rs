//! The words for what Telegram shows and Intercom cannot: one honest line for each kind of content, in brackets what it is.
//!
//! Everything here is one line: names and titles come from people, and may hold line breaks.

use std::{fmt::Write as _, time::Duration};

/// The longest a name, a title or a question gets within a line, in characters.
const LONGEST: usize = 300;

/// What is known about a file: what its sender's app said, which may not be true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileWords<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its size in bytes.
    pub size: Option<u64>,
    /// How long it plays.
    pub duration: Option<Duration>,
}

/// A picture, sent as a picture.
pub fn photo() -> String {
    "[photo]".into()
}

/// A picture that moves for a moment.
pub fn live_photo() -> String {
    "[live photo]".into()
}

/// A file of any kind.
pub fn file(file: FileWords<'_>) -> String {
    file_line("file", file)
}

/// A film.
pub fn video(file: FileWords<'_>) -> String {
    file_line("video", file)
}

/// A film without sound that repeats.
pub fn animation(file: FileWords<'_>) -> String {
    file_line("animation", file)
}

/// Music or the like; `title` is how it calls itself.
pub fn audio(file: FileWords<'_>, performer: Option<&str>, title: Option<&str>) -> String {
    let title = joined([performer, title], " – ");
    let name = if title.is_empty() {
        file.name
    } else {
        Some(title.as_str())
    };
    file_line("audio", FileWords { name, ..file })
}

/// Something said.
pub fn voice(file: FileWords<'_>) -> String {
    file_line("voice message", file)
}

/// Something said into the camera.
pub fn video_note(file: FileWords<'_>) -> String {
    file_line("video message", file)
}

/// A sticker, and the emoji that it stands for.
pub fn sticker(emoji: Option<&str>) -> String {
    line("sticker", emoji.unwrap_or_default())
}

/// Pictures and films that have to be paid for.
pub fn paid_media(items: usize, stars: Option<i64>) -> String {
    let mut what = match items {
        0 => String::new(),
        1 => "1 item".to_owned(),
        items => format!("{items} items"),
    };
    if let Some(stars) = stars {
        let _ = write!(what, " for {stars} stars");
    }
    line("paid media", &what)
}

/// Somebody's card.
pub fn contact(name: &str, phone: Option<&str>) -> String {
    line("contact", &joined([Some(name), phone], ", "))
}

/// A place on the map.
pub fn location(latitude: f64, longitude: f64) -> String {
    line("location", &coordinates(latitude, longitude))
}

/// Where somebody is while they move: where that began.
pub fn live_location(latitude: f64, longitude: f64) -> String {
    line("live location", &coordinates(latitude, longitude))
}

/// Where somebody was when they ceased to share it.
pub fn live_location_ended(latitude: f64, longitude: f64) -> String {
    line("live location ended", &coordinates(latitude, longitude))
}

/// A reaction that is none of the emoji that everybody has.
pub fn custom_emoji() -> String {
    "a custom emoji".into()
}

/// A reaction that was paid for.
pub fn paid_reaction() -> String {
    "a star".into()
}

/// A place with a name.
pub fn venue(title: Option<&str>, address: Option<&str>) -> String {
    line("venue", &joined([title, address], ", "))
}

/// A poll or a quiz: its question, and what can be chosen.
pub fn poll(question: &str, options: &[&str], quiz: bool) -> String {
    let options = options.iter().map(|option| one_line(option)).collect::<Vec<_>>();
    listed(if quiz { "quiz" } else { "poll" }, question, &options)
}

/// A thrown die, or what else the emoji is, and what came up.
pub fn dice(emoji: &str, value: Option<i64>) -> String {
    let value = value.map(|value| value.to_string());
    line("dice", &joined([Some(emoji), value.as_deref()], " "))
}

/// A story, and whose it is.
pub fn story(of: Option<&str>) -> String {
    let of = of.map(|name| format!("of {name}"));
    line("story", of.as_deref().unwrap_or_default())
}

/// A list of tasks, and which of them are done.
pub fn checklist(title: &str, tasks: &[(&str, bool)]) -> String {
    let tasks = tasks
        .iter()
        .map(|(task, done)| format!("{} {}", tick(*done), one_line(task)))
        .collect::<Vec<_>>();
    listed("checklist", title, &tasks)
}

/// A box of a task: ticked, or empty.
pub fn tick(done: bool) -> &'static str {
    if done { "☑" } else { "☐" }
}

/// A game.
pub fn game(title: Option<&str>) -> String {
    line("game", title.unwrap_or_default())
}

/// A bill.
pub fn invoice(title: Option<&str>, description: Option<&str>) -> String {
    line("invoice", &joined([title, description], " – "))
}

/// A giveaway that somebody can still win.
pub fn giveaway(prize: Option<&str>) -> String {
    line("giveaway", prize.unwrap_or_default())
}

/// Who won a giveaway: how many.
pub fn giveaway_winners(winners: Option<i64>, prize: Option<&str>) -> String {
    let winners = winners.map(|n| {
        if n == 1 {
            "1 winner".to_owned()
        } else {
            format!("{n} winners")
        }
    });
    line("giveaway", &joined([winners.as_deref(), prize], ", "))
}

/// A gift; `name` is that of one of its kind.
pub fn gift(name: Option<&str>) -> String {
    line("gift", name.unwrap_or_default())
}

/// A gift that was made one of its kind.
pub fn gift_upgrade() -> String {
    "[gift upgrade]".into()
}

/// A button under or in a message.
pub fn button(label: &str) -> String {
    line("button", label)
}

/// A picture that stands in a text.
pub fn image(alt: &str) -> String {
    let alt = one_line(alt);
    if alt.is_empty() {
        "[image]".into()
    } else {
        format!("[image: {alt}]")
    }
}

/// An article of the Help Center.
pub fn article(title: &str) -> String {
    line("article", title)
}

/// A page elsewhere, shown by its title; by where it is, if it has none.
pub fn link(title: &str, url: &str) -> String {
    let title = one_line(title);
    if title.is_empty() { one_line(url) } else { title }
}

/// An app in Intercom's Messenger, as far as it can be told in words.
pub fn app_card(text: &str) -> String {
    line("app", text)
}

/// A reply of which Intercom gives out nothing: an app, a form.
pub fn unseen() -> String {
    "[something that only Intercom's Messenger can show]".into()
}

/// A kind of content that was invented after this bridge; `field` is Telegram's name for it.
pub fn unknown(field: &str) -> String {
    format!(
        "[a kind of message that this bridge does not know: {}]",
        one_line(field)
    )
}

/// A message of which Telegram shows nothing.
pub fn nothing() -> String {
    "[a message whose content Telegram does not show to bots]".into()
}

/// Somebody whose name Telegram does not tell.
pub fn somebody() -> String {
    "somebody".into()
}

/// Someone with a signature below what they publish under another name.
pub fn signed(name: &str, signature: &str) -> String {
    format!("{} ({})", one_line(name), one_line(signature))
}

/// Whose words a quotation are, below it.
pub fn credit() -> &'static str {
    "— "
}

fn line(kind: &str, text: &str) -> String {
    bracketed(kind, &one_line(text))
}

fn bracketed(kind: &str, text: &str) -> String {
    if text.is_empty() {
        format!("[{kind}]")
    } else {
        format!("[{kind}] {text}")
    }
}

/// What it is about, and what there is to choose from or to do.
fn listed(kind: &str, title: &str, entries: &[String]) -> String {
    let mut text = one_line(title);
    for (at, entry) in entries.iter().enumerate() {
        text.push_str(if at == 0 { " – " } else { " / " });
        text.push_str(entry);
    }
    bracketed(kind, &text)
}

fn file_line(kind: &str, file: FileWords<'_>) -> String {
    let duration = file.duration.map(playing_time);
    let size = file.size.map(bytes);
    let measures = joined([duration.as_deref(), size.as_deref()], ", ");
    let measures = if measures.is_empty() {
        measures
    } else {
        format!("({measures})")
    };
    bracketed(kind, &joined([file.name, Some(&measures)], " "))
}

/// The parts that say something, each as one line.
fn joined<const N: usize>(parts: [Option<&str>; N], between: &str) -> String {
    let parts = parts.into_iter().flatten().map(one_line);
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(between)
}

/// White space of any kind becomes one space each; what is too long ends with an ellipsis.
fn one_line(text: &str) -> String {
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// "512 B", "23 kB", "1.6 MB", "2.1 GB".
fn bytes(size: u64) -> String {
    let (unit, name) = match size {
        0..1_000 => return format!("{size} B"),
        1_000..999_500 => return format!("{} kB", (size + 500) / 1_000),
        999_500..999_950_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = size.saturating_add(unit / 20) / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// "0:05", "12:30", "1:02:03".
fn playing_time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// Five digits: about a metre.
fn coordinates(latitude: f64, longitude: f64) -> String {
    format!("{latitude:.5}, {longitude:.5}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_what_it_is_and_what_is_known() {
        let named = |name, size| FileWords {
            name: Some(name),
            size: Some(size),
            duration: None,
        };
        let playing = |seconds| FileWords {
            duration: Some(Duration::from_secs(seconds)),
            ..FileWords::default()
        };
        let lines = [
            (photo(), "[photo]"),
            (file(named("report.pdf", 23_000)), "[file] report.pdf (23 kB)"),
            (file(named("a\nb.zip", 999)), "[file] a b.zip (999 B)"),
            (file(FileWords::default()), "[file]"),
            (voice(playing(5)), "[voice message] (0:05)"),
            (video(playing(3_723)), "[video] (1:02:03)"),
            (
                audio(playing(185), Some("Ann"), Some("Song")),
                "[audio] Ann – Song (3:05)",
            ),
            (audio(named("x.mp3", 1_586_684), None, None), "[audio] x.mp3 (1.6 MB)"),
            (sticker(Some("😡")), "[sticker] 😡"),
            (paid_media(2, Some(5)), "[paid media] 2 items for 5 stars"),
            (contact("Ann Lee", Some("+1555")), "[contact] Ann Lee, +1555"),
            (location(52.52, -13.405), "[location] 52.52000, -13.40500"),
            (live_location_ended(1.0, 2.0), "[live location ended] 1.00000, 2.00000"),
            (venue(Some("Bar"), Some("Main St 1")), "[venue] Bar, Main St 1"),
            (
                poll("Lunch?", &["Pizza", "Soup"], false),
                "[poll] Lunch? – Pizza / Soup",
            ),
            (dice("🎲", Some(5)), "[dice] 🎲 5"),
            (story(Some("Ann")), "[story] of Ann"),
            (
                checklist("Move", &[("pack", true), ("call", false)]),
                "[checklist] Move – ☑ pack / ☐ call",
            ),
            (giveaway_winners(Some(1), None), "[giveaway] 1 winner"),
            (
                unknown("hologram"),
                "[a kind of message that this bridge does not know: hologram]",
            ),
        ];
        for (line, expected) in lines {
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn sizes_are_rounded_to_what_one_reads() {
        let sizes = [
            (0, "0 B"),
            (1_499, "1 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (2_147_483_648, "2.1 GB"),
        ];
        for (size, expected) in sizes {
            assert_eq!(bytes(size), expected);
        }
        assert!(bytes(u64::MAX).ends_with("GB"));
    }
}
