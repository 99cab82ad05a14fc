//! What is tried of Intercom's API.

use super::{
    bench::{Bench, failed, said},
    report::Outcome,
};
use bridge::{
    failure::HelpdeskError,
    files::MOST_BYTES,
    intercom_message::{AuthorKind, Conversation, Part, PartKind},
    ports::{Helpdesk as _, Reply, Upload},
    rich_text::{Block, RichText, Run},
};
use mapping::{AdminId, ContactId, ConversationId};

/// The version of the API that is newer than the one that the bridge names.
const NEWEST: &str = "2.17";

/// For how many seconds of Intercom's a workflow may think.
const WORKFLOW: u32 = 60;

/// What looks like a tag and is none. Where plain text is read, no reader could tell a known tag that somebody wrote from one that is meant.
pub(super) const NO_TAG: &str = "<your name>";

/// A text with what is easily lost: signs that HTML knows, what may look like a tag, a line break, a second paragraph, something bold.
pub(super) fn tricky(words: &str, tag: &str) -> RichText {
    let first = format!("{words}: 1 < 2 & {tag}\nsecond line ");
    RichText(vec![
        Block::paragraph(vec![Run::plain(first), Run::bold("bold")]),
        Block::paragraph(vec![Run::plain("second paragraph")]),
    ])
}

/// What a text says, without what paragraphs are apart.
pub(super) fn lines(text: &RichText) -> Vec<String> {
    let plain = text.to_plain();
    let lines = plain.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// The part that has these words, as it is read.
pub(super) fn part_with(conversation: Conversation, words: &str) -> Option<Part> {
    let mut parts = conversation.parts.into_iter();
    parts.find(|part| part.body.to_plain().contains(words))
}

fn has_bold(text: &RichText) -> bool {
    let is_bold =
        |block: &Block| matches!(block, Block::Paragraph { runs, .. } if runs.iter().any(|run| run.style.bold));
    text.0.iter().any(is_bold)
}

async fn read(bench: &Bench<'_>, conversation: &ConversationId) -> anyhow::Result<Conversation> {
    bench.helpdesk()?.0.conversation(conversation).await.map_err(failed)
}

/// Writes for the contact; how Intercom took it.
async fn write(
    bench: &Bench<'_>,
    (conversation, contact): (&ConversationId, &ContactId),
    reply: &Reply,
) -> anyhow::Result<Result<(), HelpdeskError>> {
    let done = bench.helpdesk()?.0.reply_as_contact(conversation, contact, reply).await;
    Ok(done.map(drop))
}

/// What a refusal means, where one would be the other answer.
fn refused(error: HelpdeskError, differs: impl FnOnce(&str) -> String) -> anyhow::Result<Outcome> {
    match &error {
        HelpdeskError::Refused { reason } | HelpdeskError::NotFound { reason } => Ok(Outcome::Differs(differs(reason))),
        HelpdeskError::Transient { .. } | HelpdeskError::Unknown { .. } | HelpdeskError::Unauthorized { .. } => {
            Err(failed(error))
        }
    }
}

pub(super) async fn reply_html(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (conversation, contact) = (bench.conversation().await?, bench.contact().await?);
    let words = bench.words("formatted");
    let text = tricky(&words, "<b>no tag</b>");
    write(bench, (&conversation, &contact), &said(text.clone()))
        .await?
        .map_err(failed)?;
    let part = part_with(read(bench, &conversation).await?, &words);
    Ok(match part {
        None => Outcome::Differs("the reply is there, and its words are not".into()),
        Some(part) if lines(&part.body) == lines(&text) => Outcome::Holds("it reads as it was written".into()),
        Some(part) => Outcome::Differs(format!("it reads {:?}", part.body.to_plain())),
    })
}

pub(super) async fn read_html(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let conversation = bench.conversation().await?;
    let words = bench.words("formatted");
    let (client, admin) = bench.helpdesk()?;
    let text = said(tricky(&words, NO_TAG));
    client
        .reply_as_admin(&conversation, &admin, &text)
        .await
        .map_err(failed)?;
    let part = part_with(read(bench, &conversation).await?, &words);
    Ok(match part {
        Some(part) if !part.body_is_plain && has_bold(&part.body) => {
            Outcome::Holds("what is bold is read as bold".into())
        }
        Some(_) => Outcome::Differs("the formatting is lost: plain text is read".into()),
        None => Outcome::Differs("the reply is there, and its words are not".into()),
    })
}

pub(super) async fn newest_version(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let conversation = bench.conversation().await?;
    let words = bench.words("versions");
    let (client, admin) = bench.helpdesk()?;
    let note = said(RichText::plain(words));
    client.add_note(&conversation, &admin, &note).await.map_err(failed)?;
    let ours = read(bench, &conversation).await?;
    match client.conversation_as_of(NEWEST, &conversation).await {
        Ok(newest) if newest == ours => Ok(Outcome::Holds(format!("both are alike, {} parts", ours.parts.len()))),
        Ok(newest) => Ok(Outcome::Differs(format!(
            "{NEWEST} shows {} of {} parts, or shows them otherwise",
            newest.parts.len(),
            ours.parts.len()
        ))),
        Err(error) => refused(error, |reason| format!("{NEWEST} is refused: {reason}")),
    }
}

pub(super) async fn outsider_reply(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let conversation = bench.conversation().await?;
    let outsider = bench.new_contact("outsider").await?;
    let words = bench.words("from outside");
    let done = write(bench, (&conversation, &outsider), &said(RichText::plain(words))).await?;
    match done {
        Ok(()) => Ok(Outcome::Differs("the reply is taken".into())),
        Err(HelpdeskError::NotFound { reason } | HelpdeskError::Refused { reason }) => {
            Ok(Outcome::Holds(format!("it is refused: {reason}")))
        }
        Err(error) => Err(failed(error)),
    }
}

pub(super) async fn attachment_size(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (conversation, contact) = (bench.new_conversation().await?, bench.contact().await?);
    let mut reply = said(RichText::plain(bench.words("with a file")));
    reply.files.push(Upload {
        name: "blank.txt".into(),
        content_type: "text/plain".into(),
        bytes: vec![b' '; usize::try_from(MOST_BYTES)?].into(),
    });
    match write(bench, (&conversation, &contact), &reply).await? {
        Ok(()) => Ok(Outcome::Holds(format!("{MOST_BYTES} bytes are taken"))),
        Err(error) => refused(error, |reason| format!("{MOST_BYTES} bytes are refused: {reason}")),
    }
}

pub(super) async fn many_parts(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    let (conversation, contact) = (bench.new_conversation().await?, bench.contact().await?);
    let many = bench.rhythm.parts;
    for number in 1..=many {
        let note = said(RichText::plain(format!("part {number}")));
        if let Err(error) = add_note(bench, &conversation, &note).await {
            return refused(error, |reason| format!("part {number} is refused: {reason}"));
        }
    }
    let reply = said(RichText::plain(bench.words("one more")));
    match write(bench, (&conversation, &contact), &reply).await? {
        Ok(()) => Ok(Outcome::Holds(format!("a reply is taken above {many} parts"))),
        Err(error) => refused(error, |reason| {
            format!("a reply above {many} parts is refused: {reason}")
        }),
    }
}

/// A note, after a wait where Intercom asks for one.
async fn add_note(bench: &Bench<'_>, conversation: &ConversationId, note: &Reply) -> Result<(), HelpdeskError> {
    let unauthorized = |error: anyhow::Error| HelpdeskError::Unauthorized {
        reason: error.to_string(),
    };
    let (client, admin): (_, AdminId) = bench.helpdesk().map_err(unauthorized)?;
    match client.add_note(conversation, &admin, note).await {
        Err(HelpdeskError::Transient { after, .. }) => {
            tokio::time::sleep(after.unwrap_or(bench.rhythm.seconds(10))).await;
            client.add_note(conversation, &admin, note).await.map(drop)
        }
        done => done.map(drop),
    }
}

pub(super) async fn workflows(bench: &mut Bench<'_>) -> anyhow::Result<Outcome> {
    if !bench.has_workflow {
        return Ok(Outcome::Untried(
            "make a workflow in the workspace that begins with a new conversation and assigns or answers, set it live, then run this \
             again with --workflow"
                .into(),
        ));
    }
    let conversation = bench.new_conversation().await?;
    for _ in 0..WORKFLOW / 5 {
        let parts = read(bench, &conversation).await?.parts;
        if let Some(part) = parts.iter().find(|part| is_of_a_workflow(part)) {
            return Ok(Outcome::Differs(format!(
                "a workflow acted: {:?} by {:?}",
                part.kind, part.author.kind
            )));
        }
        tokio::time::sleep(bench.rhythm.seconds(5)).await;
    }
    Ok(Outcome::Holds(format!("nothing happened in it within {WORKFLOW} s")))
}

/// Nobody else does anything in a conversation that was made a moment ago.
fn is_of_a_workflow(part: &Part) -> bool {
    part.author.kind != AuthorKind::Contact || part.kind != PartKind::Comment
}
