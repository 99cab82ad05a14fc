//! Files on their way to Telegram.

use crate::Target;
use bridge::ports::Upload;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt as _, executor::block_on, stream};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use telegram::multipart::{form, plain_name};

/// What the client sends as a form is read back the same.
pub struct Multipart;

/// A message with files, as a form.
#[derive(Clone, Debug)]
pub struct Sent {
    caption: String,
    files: Vec<File>,
}

/// A file in it.
#[derive(Clone, Debug)]
struct File {
    name: String,
    content_type: String,
    bytes: Vec<u8>,
}

/// A field or a file, as a parser finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    field: String,
    file: Option<(String, String)>,
    bytes: Vec<u8>,
}

impl Target for Multipart {
    type Input = Sent;

    const NAME: &'static str = "multipart";

    fn inputs() -> BoxedStrategy<Sent> {
        let name = prop_oneof![
            4 => "[a-z ._-]{0,12}(\\.pdf)?",
            3 => "[\"';\\\\\\r\\n\\t/:=%\u{0}a\u{202e}é👍]{0,12}",
            1 => Just("a\"\r\nContent-Type: text/html\r\n\r\n--x".to_owned()),
            1 => any::<String>(),
        ];
        let content_type = prop_oneof![
            4 => "(image|video|application)/[a-z0-9.+-]{1,10}",
            1 => "text/plain; charset=utf-8",
            1 => any::<String>(),
        ];
        let bytes = prop_oneof![4 => vec(any::<u8>(), 0..60), 1 => Just(b"\r\n--\r\n\r\n--".to_vec())];
        let file = (name, content_type, bytes).prop_map(|(name, content_type, bytes)| File {
            name,
            content_type,
            bytes,
        });
        let caption = prop_oneof![3 => "[a-z\\r\\n\"é👍-]{0,20}", 1 => any::<String>()];
        (caption, vec(file, 1..4))
            .prop_map(|(caption, files)| Sent { caption, files })
            .boxed()
    }

    /// A caption, and of each file name, type and content.
    fn read(bytes: &[u8]) -> Option<Sent> {
        let parts: Vec<&[u8]> = crate::parts(bytes).collect();
        let (caption, files) = parts.split_first()?;
        let file = |file: &[&[u8]]| match file {
            [name, content_type, bytes] => Some(File {
                name: crate::text(name),
                content_type: crate::text(content_type),
                bytes: bytes.to_vec(),
            }),
            _ => None,
        };
        Some(Sent {
            caption: crate::text(caption),
            files: files.chunks(3).filter_map(file).collect(),
        })
    }

    fn check(sent: &Sent) -> Result<(), TestCaseError> {
        let uploads = uploads(sent);
        let files = uploads.iter().enumerate().map(|(at, file)| (format!("file{at}"), file));
        let form = form([("caption".to_owned(), sent.caption.clone())], files);
        let boundary = form.boundary().to_owned();
        let body = block_on(collected(form.into_stream()))?;
        let found = block_on(strictly(body.clone(), &boundary))?;
        let Some((caption, files)) = found.split_first() else {
            return Err(TestCaseError::fail("nothing is found in the form"));
        };
        prop_assert_eq!(
            caption,
            &Found {
                field: "caption".into(),
                file: None,
                bytes: sent.caption.clone().into()
            }
        );
        prop_assert_eq!(files.len(), sent.files.len());
        for (at, (found, file)) in files.iter().zip(&sent.files).enumerate() {
            check_file(at, found, file)?;
        }
        prop_assert_eq!(
            as_telegram_does(&body, &boundary),
            found.iter().map(names).collect::<Vec<_>>()
        );
        Ok(())
    }
}

fn uploads(sent: &Sent) -> Vec<Upload> {
    let upload = |file: &File| Upload {
        name: file.name.clone(),
        content_type: file.content_type.clone(),
        bytes: Bytes::copy_from_slice(&file.bytes),
    };
    sent.files.iter().map(upload).collect()
}

fn check_file(at: usize, found: &Found, sent: &File) -> Result<(), TestCaseError> {
    prop_assert_eq!(&found.field, &format!("file{at}"));
    prop_assert_eq!(&found.bytes, &sent.bytes);
    let Some((name, content_type)) = &found.file else {
        return Err(TestCaseError::fail("a file became a field"));
    };
    prop_assert_eq!(name, &plain_name(&sent.name));
    // A name in which nothing has a meaning is as it was.
    let is_plain =
        |name: &str| !name.trim().is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._- ".contains(c));
    if is_plain(&sent.name) {
        prop_assert_eq!(name, sent.name.trim());
    }
    let is_type = |given: &str| {
        given
            .split_once('/')
            .is_some_and(|(_, of)| of.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    if is_type(&sent.content_type) && sent.content_type.starts_with("image/") {
        prop_assert_eq!(content_type, &sent.content_type);
    }
    Ok(())
}

async fn collected(
    body: impl futures::Stream<Item = Result<Bytes, impl std::error::Error>>,
) -> Result<Bytes, TestCaseError> {
    let mut body = std::pin::pin!(body);
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        whole.extend_from_slice(&chunk.map_err(failed)?);
    }
    Ok(whole.freeze())
}

/// What a strict parser finds.
async fn strictly(body: Bytes, boundary: &str) -> Result<Vec<Found>, TestCaseError> {
    let chunks = stream::iter([Ok::<_, std::io::Error>(body)]);
    let mut form = multer::Multipart::new(chunks, boundary);
    let mut found = Vec::new();
    while let Some(field) = form.next_field().await.map_err(failed)? {
        let file = field.file_name().map(|name| {
            let content_type = field.content_type().map(ToString::to_string);
            (name.to_owned(), content_type.unwrap_or_default())
        });
        found.push(Found {
            field: field.name().unwrap_or_default().to_owned(),
            file,
            bytes: field.bytes().await.map_err(failed)?.to_vec(),
        });
    }
    Ok(found)
}

fn failed(error: impl std::error::Error) -> TestCaseError {
    TestCaseError::fail(error.to_string())
}

fn names(found: &Found) -> (String, Option<String>) {
    let file = found.file.as_ref().map(|(name, _)| name.clone());
    (found.field.clone(), file)
}

/// Which fields and file names Telegram's server finds: it ends a value at the next semicolon, takes one pair of quotes away, and knows
/// no escapes.
fn as_telegram_does(body: &[u8], boundary: &str) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = body;
    let begin = format!("--{boundary}\r\n");
    while let Some(at) = position(rest, begin.as_bytes()) {
        rest = rest.get(at + begin.len()..).unwrap_or_default();
        let end = position(rest, b"\r\n\r\n").unwrap_or(rest.len());
        let head = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        found.push((value(&head, "name").unwrap_or_default(), value(&head, "filename")));
    }
    found
}

fn value(head: &str, key: &str) -> Option<String> {
    let line = head
        .split("\r\n")
        .find(|line| line.starts_with("Content-Disposition: form-data;"))?;
    let mut pairs = line.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == key)?;
    let bare = value.trim();
    let quoted = bare.strip_prefix('"').and_then(|bare| bare.strip_suffix('"'));
    Some(quoted.unwrap_or(bare).to_owned())
}

fn position(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}
