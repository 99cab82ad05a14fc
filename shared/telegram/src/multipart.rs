//! Files as Telegram takes them: <https://core.telegram.org/bots/api#sending-files>.

use bytes::Bytes;
use reqwest::multipart::{Form, Part};

/// What every file may be said to be.
const ANY_TYPE: &str = "application/octet-stream";

/// What a file without any name is called: one without would be taken for a field.
const NAMELESS: &str = "file";

/// A file in a form.
#[derive(Clone)]
pub struct FormFile {
    /// The field that it is.
    pub field: String,
    /// What it is called.
    pub name: String,
    /// Its media type; what is none becomes `application/octet-stream`.
    pub content_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// A form of fields and files.
pub fn form(fields: impl IntoIterator<Item = (String, String)>, files: impl IntoIterator<Item = FormFile>) -> Form {
    let form = fields
        .into_iter()
        .fold(Form::new(), |form, (name, value)| form.text(name, value));
    files.into_iter().fold(form, |form, file| {
        let field = file.field.clone();
        form.part(field, part(file))
    })
}

fn part(file: FormFile) -> Part {
    let FormFile {
        name,
        content_type,
        bytes,
        ..
    } = file;
    let part = || Part::stream(bytes.clone()).file_name(plain_name(&name));
    part()
        .mime_str(&content_type)
        .or_else(|_| part().mime_str(ANY_TYPE))
        .unwrap_or_else(|_| part())
}

/// The name as it can stand in a header. Telegram ends it at a semicolon, even within quotes, and knows no escapes; and a line break
/// would begin a header of the sender's choice.
pub fn plain_name(name: &str) -> String {
    let plain = name.trim().chars().map(|c| match c {
        '"' | ';' | '\\' => '_',
        c if c.is_control() => '_',
        c => c,
    });
    let plain: String = plain.collect();
    if plain.is_empty() { NAMELESS.to_owned() } else { plain }
}
