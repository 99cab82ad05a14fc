//! Sending files by their bytes, one by itself or several as an album.
//! <https://core.telegram.org/bots/api#sending-files>, <https://core.telegram.org/bots/api#sendmediagroup>

use crate::{
    classify::{self, Broken, Effect},
    client::{TelegramClient, entities, to},
    multipart,
    wire::Json,
};
use bridge::{
    failure::MessengerError,
    media::{Media, MediaKind},
    ports::{FlatText, Place, Upload},
};
use mapping::MessageId;
use reqwest::{RequestBuilder, multipart::Form};
use serde_json::{Value, json};
use tokio::time::Instant;

impl TelegramClient {
    pub(crate) async fn upload(
        &self,
        place: Place,
        media: &[Media],
        caption: Option<&FlatText>,
    ) -> Result<Vec<MessageId>, MessengerError> {
        let deadline = Instant::now() + self.timeouts.file;
        let sent = match self.upload_by(deadline, &Call::new(place, media, caption)).await {
            Err(MessengerError::MessageGone { .. }) if place.reply_to.is_some() => {
                let call = Call::new(place.answering_nothing(), media, caption);
                self.upload_by(deadline, &call).await?
            }
            sent => sent?,
        };
        let ids = messages(&sent);
        if ids.len() == media.len() {
            Ok(ids)
        } else {
            let reason = "not one message_id for each file in the answer";
            Err(classify::broken(Effect::Once, Broken::Underway, reason))
        }
    }

    async fn upload_by(&self, deadline: Instant, call: &Call<'_>) -> Result<Value, MessengerError> {
        // A form can be sent only once; its files are shared, not copied.
        let body = |request: RequestBuilder| request.multipart(call.form());
        self.request_with(call.method, Effect::Once, deadline, body).await
    }
}

/// A call with files.
struct Call<'m> {
    method: &'static str,
    fields: Value,
    /// Each file by the name of its part.
    files: Vec<(String, &'m Upload)>,
}

impl<'m> Call<'m> {
    fn new(place: Place, media: &'m [Media], caption: Option<&FlatText>) -> Self {
        match media {
            [only] => Self::one(place, only, caption),
            several => Self::album(place, several, caption),
        }
    }

    fn one(place: Place, media: &'m Media, caption: Option<&FlatText>) -> Self {
        let (method, field) = words(media.kind);
        let mut fields = to(place);
        add_caption(&mut fields, caption);
        Self {
            method,
            fields,
            files: vec![(field.to_owned(), &media.file)],
        }
    }

    fn album(place: Place, media: &'m [Media], caption: Option<&FlatText>) -> Self {
        let name = |at: usize| format!("file{at}");
        let item = |(at, media): (usize, &Media)| {
            let (_, field) = words(media.kind);
            let mut item = json!({"type": field, "media": format!("attach://{}", name(at))});
            add_caption(&mut item, caption.filter(|_| at == 0));
            item
        };
        let mut fields = to(place);
        fields["media"] = media.iter().enumerate().map(item).collect();
        let file = |(at, media): (usize, &'m Media)| (name(at), &media.file);
        Self {
            method: "sendMediaGroup",
            fields,
            files: media.iter().enumerate().map(file).collect(),
        }
    }

    fn form(&self) -> Form {
        let fields = self.fields.as_object().into_iter().flatten();
        let fields = fields.map(|(name, value)| (name.clone(), plain(value)));
        multipart::form(fields, self.files.iter().cloned())
    }
}

/// The method that sends a file of this kind, and the field that holds it.
fn words(kind: MediaKind) -> (&'static str, &'static str) {
    match kind {
        MediaKind::Photo => ("sendPhoto", "photo"),
        MediaKind::Video => ("sendVideo", "video"),
        MediaKind::Animation => ("sendAnimation", "animation"),
        MediaKind::Audio => ("sendAudio", "audio"),
        MediaKind::Voice => ("sendVoice", "voice"),
        MediaKind::Document => ("sendDocument", "document"),
    }
}

fn add_caption(fields: &mut Value, caption: Option<&FlatText>) {
    let Some(caption) = caption else { return };
    fields["caption"] = json!(caption.text);
    if !caption.spans.is_empty() {
        fields["caption_entities"] = entities(caption);
    }
}

/// A form knows only text: objects and lists are written as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The messages that were sent: one, or a list.
fn messages(sent: &Value) -> Vec<MessageId> {
    let id = |message: Json<'_>| message.integer("message_id").map(MessageId);
    let sent = Json::new(sent);
    if sent.is_list() {
        sent.entries().filter_map(id).collect()
    } else {
        id(sent).into_iter().collect()
    }
}
