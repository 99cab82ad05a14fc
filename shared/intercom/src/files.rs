//! Files in a call: `attachment_files`, their bytes as base64.
//! <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/replyconversation>

use base64::{Engine as _, encoded_len, engine::general_purpose::STANDARD};
use bridge::ports::Upload;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// So many bytes are encoded at a time: a multiple of three, so that there is no padding in between.
const AT_ONCE: usize = 3 << 14;

/// An object of JSON with files. They are encoded while they are sent: of memory, nothing but the files themselves is taken.
pub(crate) struct JsonWithFiles(VecDeque<Piece>);

#[derive(Clone)]
enum Piece {
    Json(Bytes),
    Base64(Bytes),
}

impl JsonWithFiles {
    pub(crate) fn new(body: &Value, files: &[Upload]) -> Self {
        let mut json = body.to_string();
        if files.is_empty() || json.pop() != Some('}') {
            return Self(VecDeque::from([Piece::Json(body.to_string().into())]));
        }
        let mut pieces = VecDeque::new();
        json.push_str(",\"attachment_files\":[");
        for (at, file) in files.iter().enumerate() {
            let head = json!({"content_type": file.content_type, "name": file.name}).to_string();
            let between = if at == 0 { "" } else { "\"}," };
            json.extend([between, head.trim_end_matches('}'), ",\"data\":\""]);
            pieces.push_back(Piece::Json(std::mem::take(&mut json).into()));
            if !file.bytes.is_empty() {
                pieces.push_back(Piece::Base64(file.bytes.clone()));
            }
        }
        pieces.push_back(Piece::Json(Bytes::from_static(b"\"}]}")));
        Self(pieces)
    }

    /// The whole from its beginning, as often as it has to be sent.
    pub(crate) fn encoded(&self) -> Encoded {
        Encoded(self.0.clone())
    }
}

/// What is still to be sent.
pub(crate) struct Encoded(VecDeque<Piece>);

impl Iterator for Encoded {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self.0.pop_front()? {
            Piece::Json(json) => Some(json),
            Piece::Base64(mut bytes) => {
                let some = bytes.split_to(bytes.len().min(AT_ONCE));
                if !bytes.is_empty() {
                    self.0.push_front(Piece::Base64(bytes));
                }
                Some(STANDARD.encode(some).into())
            }
        }
    }
}

impl http_body::Body for Encoded {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    /// Known to the byte, so that the call has a length rather than chunks.
    fn size_hint(&self) -> SizeHint {
        let length = |piece: &Piece| match piece {
            Piece::Json(json) => json.len(),
            Piece::Base64(bytes) => encoded_len(bytes.len(), true).unwrap_or_default(),
        };
        let whole = self.0.iter().map(length).sum::<usize>();
        SizeHint::with_exact(u64::try_from(whole).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(name: &str, bytes: Vec<u8>) -> Upload {
        Upload {
            name: name.into(),
            content_type: "image/png".into(),
            bytes: Bytes::from(bytes),
        }
    }

    fn whole(body: &JsonWithFiles) -> Vec<u8> {
        let whole = body.encoded().collect::<Vec<_>>().concat();
        let announced = http_body::Body::size_hint(&body.encoded()).exact();
        assert_eq!(announced, Some(whole.len() as u64));
        whole
    }

    #[test]
    fn a_body_holds_its_files_as_base64() {
        let long: Vec<u8> = (0..=255).cycle().take(3 * AT_ONCE + 2).collect();
        let files = [
            upload("a \"b\\}\".png", long),
            upload("b.png", vec![]),
            upload("c.png", vec![7]),
        ];
        let body = JsonWithFiles::new(&json!({"body": "x"}), &files);
        let read: Value = serde_json::from_slice(&whole(&body)).unwrap();
        assert_eq!(read["body"], "x");
        let sent = read["attachment_files"].as_array().unwrap();
        for (sent, file) in sent.iter().zip(&files) {
            assert_eq!(sent["name"], *file.name);
            assert_eq!(sent["content_type"], "image/png");
            assert_eq!(STANDARD.decode(sent["data"].as_str().unwrap()).unwrap(), file.bytes);
        }
        assert_eq!(sent.len(), 3);
        assert!(body.encoded().all(|piece| piece.len() <= AT_ONCE / 3 * 4));
    }

    #[test]
    fn a_body_without_files_is_as_it_was() {
        let body = JsonWithFiles::new(&json!({"body": "}"}), &[]);
        assert_eq!(whole(&body), br#"{"body":"}"}"#);
    }
}
