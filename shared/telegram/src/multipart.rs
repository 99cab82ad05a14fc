//! Forms as Telegram takes files: <https://core.telegram.org/bots/api#sending-files>.

use bridge::ports::Upload;
use reqwest::{
    Body,
    multipart::{Form, Part},
};

/// What a file without any name is called: a part without one would be taken for a field.
const NAMELESS: &str = "file";

/// A form of fields and files, each by its name in the form.
pub fn form<'f>(
    fields: impl IntoIterator<Item = (String, String)>,
    files: impl IntoIterator<Item = (String, &'f Upload)>,
) -> Form {
    let fields = fields.into_iter();
    let form = fields.fold(Form::new(), |form, (name, value)| form.text(name, value));
    let files = files.into_iter();
    files.fold(form, |form, (name, file)| form.part(name, part(file)))
}

/// The type is told only if it is one; a file without it is a file all the same.
fn part(file: &Upload) -> Part {
    let part = || Part::stream_with_length(Body::from(file.bytes.clone()), file.bytes.len() as u64);
    let part = part().mime_str(&file.content_type).unwrap_or_else(|_| part());
    part.file_name(plain_name(&file.name))
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
