//! What lies in the queues: envelopes of ASCII JSON, with the time at which the webhook took what is in them.

use crate::notices::Notice;
use mapping::{AlbumKey, ConversationId, PartId, Timestamp, WorkspaceId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Write as _;

/// What lies in the inbound queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboundEnvelope {
    /// When the webhook took it, or when it was put behind what is to be flushed.
    pub received_at: Timestamp,
    /// What is to be done.
    #[serde(flatten)]
    pub errand: InboundErrand,
}

/// What an inbound worker is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboundErrand {
    /// Carry an update, as Telegram sent it.
    Update(Value),
    /// Carry an album, unless more of it comes.
    Flush(AlbumKey),
}

/// What lies in the outbound queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboundEnvelope {
    /// When the webhook took it, or when it was found.
    pub received_at: Timestamp,
    /// What is to be done.
    #[serde(flatten)]
    pub errand: Errand,
}

/// What an outbound worker is to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "errand", rename_all = "snake_case")]
pub enum Errand {
    /// Carry what a notification brings.
    Notification {
        /// The notification, as Intercom sent it.
        notification: Value,
    },
    /// Read a conversation and carry what of it has no record.
    Conversation {
        /// Its workspace.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
        /// Only these parts; all if there are none.
        parts: Vec<PartId>,
    },
    /// Look whether a conversation's topic is closed if the conversation is, and open if it is not.
    TopicState {
        /// Its workspace.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
    },
    /// Tell a waiting human.
    Notice {
        /// Whom, and what.
        notice: Notice,
    },
}

/// The envelope as ASCII JSON: SQS refuses some characters that JSON allows.
pub fn to_ascii_json(envelope: &impl Serialize) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(envelope)?;
    if json.is_ascii() {
        return Ok(json);
    }
    let mut ascii = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            // Outside ASCII, JSON has nothing but the insides of strings.
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    Ok(ascii)
}

/// Reads an envelope. The error says where, never what.
pub fn from_json<T: DeserializeOwned>(body: &str) -> Result<T, crate::ports::Unreadable> {
    serde_json::from_str(body).map_err(|error| {
        crate::ports::Unreadable(format!(
            "{:?} at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mapping::{AlbumId, BotId, ChatId};
    use serde_json::json;

    #[test]
    fn an_envelope_is_ascii_and_comes_back_whole() {
        let update = json!({"text": "Grüße 👍 \u{0} \u{ffff} \u{7f} \\ \"", "ключ": 1});
        let envelope = InboundEnvelope {
            received_at: Timestamp::from_millis(5),
            errand: InboundErrand::Update(update),
        };
        let body = to_ascii_json(&envelope).unwrap();
        assert!(body.bytes().all(|byte| (0x20..0x80).contains(&byte)), "{body}");
        assert_eq!(from_json::<InboundEnvelope>(&body).unwrap(), envelope);
    }

    /// What waits in a queue while the bridge is deployed is read by the next version.
    #[test]
    fn envelopes_keep_their_form() {
        let album = AlbumKey {
            bot: BotId(7),
            chat: ChatId(-5),
            album: AlbumId::new("12"),
        };
        let forms = [
            (
                InboundErrand::Update(json!({"update_id": 1})),
                json!({"received_at": 5, "update": {"update_id": 1}}),
            ),
            (
                InboundErrand::Flush(album),
                json!({"received_at": 5, "flush": {"bot": 7, "chat": -5, "album": "12"}}),
            ),
        ];
        for (errand, form) in forms {
            let received_at = Timestamp::from_millis(5);
            let envelope = InboundEnvelope { received_at, errand };
            assert_eq!(serde_json::to_value(&envelope).unwrap(), form);
            assert_eq!(from_json::<InboundEnvelope>(&form.to_string()).unwrap(), envelope);
        }
        assert!(from_json::<InboundEnvelope>(r#"{"received_at": 5, "hologram": {}}"#).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = from_json::<InboundEnvelope>("{\"secret text").unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
