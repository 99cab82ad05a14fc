//! A file of the map: which topic is which conversation, who is which contact, what follows what. One JSON object a line; the first
//! says what the file is, the last that it is whole. It holds ids and the titles of topics, nothing that anybody wrote.

use anyhow::Context as _;
use mapping::{
    Contact, CustomerLink, Forward, Item, Key, Link, LinkState, Record, Reverse, Succession, TopicState, TopicTitle,
    Version, WorkspaceId, decode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{BufRead, Write};

/// The form of the file, counted up when an older program could misread it.
const FORM: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    bridge_map: u32,
    exported_at: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    end: u64,
}

/// Any other line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    pk: String,
    sk: String,
    record: Value,
}

/// Whether an item is of the map. Deliveries and what belongs to them are not: they are of this table's own past.
pub(crate) fn is_of_map(item: &Item) -> bool {
    let kind = item.body.get("kind").and_then(Value::as_str);
    let kinds = [
        Link::KIND,
        Reverse::KIND,
        Contact::KIND,
        CustomerLink::KIND,
        Forward::KIND,
        TopicTitle::KIND,
        TopicState::KIND,
        Succession::KIND,
    ];
    kind.is_some_and(|kind| kinds.contains(&kind))
}

/// Writes a map.
pub(crate) struct Writer<W> {
    to: W,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub(crate) fn begin(mut to: W, exported_at: String) -> anyhow::Result<Self> {
        put(
            &mut to,
            &Head {
                bridge_map: FORM,
                exported_at,
            },
        )?;
        Ok(Self { to, written: 0 })
    }

    /// Writes one item.
    pub(crate) fn put(&mut self, item: Item) -> anyhow::Result<()> {
        self.written += 1;
        let Key { pk, sk } = item.key;
        let record = item.body;
        put(&mut self.to, &Line { pk, sk, record })
    }

    /// Ends the file; gives how many items it holds.
    pub(crate) fn end(mut self) -> anyhow::Result<(W, u64)> {
        put(&mut self.to, &Tail { end: self.written })?;
        self.to.flush()?;
        Ok((self.to, self.written))
    }
}

fn put(to: &mut impl Write, line: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    Ok(to.write_all(b"\n")?)
}

/// What a whole file holds, as far as it is known before anything of it is used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) exported_at: String,
    pub(crate) items: u64,
    pub(crate) workspaces: std::collections::BTreeSet<WorkspaceId>,
}

/// Reads a file to its end, and refuses it where any line of it cannot be used.
pub(crate) fn check(from: impl BufRead) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let exported_at = read(from, |item| {
        summary.items += 1;
        summary.workspaces.extend(workspace_of(&item)?);
        Ok(())
    })?;
    Ok(Summary { exported_at, ..summary })
}

/// Reads a file, item by item, each with a version that has yet to be made; gives when it was written.
pub(crate) fn read(from: impl BufRead, mut each: impl FnMut(Item) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut lines = from.lines();
    let first = lines.next().context("the file is empty")??;
    let head: Head = serde_json::from_str(&first)
        .ok()
        .context("the file is no export of a map")?;
    anyhow::ensure!(
        head.bridge_map == FORM,
        "the file is of form {}, this program knows {FORM}",
        head.bridge_map
    );
    let mut count = 0;
    for line in lines {
        let line = line?;
        if let Ok(Tail { end }) = serde_json::from_str(&line) {
            anyhow::ensure!(
                end == count,
                "the file is not whole: {end} items were written, {count} are there"
            );
            return Ok(head.exported_at);
        }
        count += 1;
        let number = count + 1;
        // The error's own text would quote the line.
        let Line { pk, sk, record } = serde_json::from_str(&line)
            .ok()
            .with_context(|| format!("line {number} is no item"))?;
        let item = Item {
            key: Key::new(pk, sk),
            version: Version::stored(""),
            expires_at: None,
            body: record,
        };
        anyhow::ensure!(is_of_map(&item), "line {number}, {}, is not of the map", item.key);
        each(item).with_context(|| format!("line {number}"))?;
    }
    anyhow::bail!("the file is not whole: its end is missing")
}

/// The workspace that an item is of, where it says; also a check that it is what it says it is.
fn workspace_of(item: &Item) -> anyhow::Result<Option<WorkspaceId>> {
    let kind = item.body.get("kind").and_then(Value::as_str).unwrap_or_default();
    Ok(match kind {
        Link::KIND => match decode::<Link>(item)?.value.state {
            LinkState::Open(open) => Some(open.workspace),
            LinkState::Opening(_) => None,
        },
        Reverse::KIND => decode::<Reverse>(item).map(|_| None)?,
        Contact::KIND => Some(decode::<Contact>(item)?.value.workspace),
        CustomerLink::KIND => decode::<CustomerLink>(item).map(|_| None)?,
        Forward::KIND => decode::<Forward>(item).map(|_| None)?,
        TopicTitle::KIND => decode::<TopicTitle>(item).map(|_| None)?,
        TopicState::KIND => decode::<TopicState>(item).map(|_| None)?,
        _ => decode::<Succession>(item).map(|_| None)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::{BotId, ChatId, keys};
    use serde_json::json;

    fn written(items: usize) -> String {
        let mut writer = Writer::begin(Vec::new(), "now".into()).unwrap();
        for number in 0..items {
            writer.put(item(number)).unwrap();
        }
        let (bytes, count) = writer.end().unwrap();
        assert_eq!(count, items as u64);
        String::from_utf8(bytes).unwrap()
    }

    fn item(number: usize) -> Item {
        Item {
            key: keys::forward(BotId(7), ChatId(-1000 - i64::try_from(number).unwrap())),
            version: Version::stored("v"),
            expires_at: None,
            body: json!({"kind": "forward", "form": 1, "from": null, "to": -5}),
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let mut read_back = Vec::new();
        let at = read(written(2).as_bytes(), |item| {
            read_back.push((item.key, item.body));
            Ok(())
        });
        assert_eq!(at.unwrap(), "now");
        assert_eq!(read_back, [0, 1].map(|number| (item(number).key, item(number).body)));
        assert_eq!(check(written(2).as_bytes()).unwrap().items, 2);
    }

    #[test]
    fn what_is_not_whole_or_not_a_map_is_refused_and_not_quoted() {
        let whole = written(2);
        let lines: Vec<&str> = whole.lines().collect();
        let delivery = r#"{"pk":"tg#1#2","sk":"3","record":{"kind":"delivery","form":1}}"#;
        let newer = lines[1].replace("\"form\":1", "\"form\":9");
        for (file, problem) in [
            (String::new(), "empty"),
            ("hush".into(), "no export"),
            (lines[0].replace("\"bridge_map\":1", "\"bridge_map\":9"), "form 9"),
            (lines[..2].join("\n"), "end is missing"),
            (
                [lines[0], lines[1], lines[3]].join("\n"),
                "2 items were written, 1 are there",
            ),
            ([lines[0], "hush", lines[3]].join("\n"), "line 2 is no item"),
            ([lines[0], delivery, lines[3]].join("\n"), "not of the map"),
            ([lines[0], &newer, lines[3]].join("\n"), "form 9"),
        ] {
            let error = format!("{:#}", check(file.as_bytes()).unwrap_err());
            assert!(error.contains(problem), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
