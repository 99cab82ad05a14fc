//! Files in a call: `attachment_files`, their bytes as base64.
//! <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations/replyconversation>

use base64::{Engine as _, encoded_len, engine::general_purpose::STANDARD};
use bridge::ports::Upload;
use bytes::Bytes;
use serde_json::Value;

/// An object of JSON with files. Each file is encoded once, right to where it is sent from: besides the file itself, its base64 is all
/// that it takes of memory.
pub(crate) fn body(body: &Value, files: &[Upload]) -> Bytes {
    let mut json = body.to_string().into_bytes();
    if files.is_empty() || json.pop() != Some(b'}') {
        return Bytes::from(body.to_string());
    }
    let encoded = files.iter().map(|file| length(file) + file.name.len() * 6 + 512);
    json.reserve_exact(encoded.sum());
    for (at, file) in files.iter().enumerate() {
        let head = serde_json::json!({"content_type": file.content_type, "name": file.name}).to_string();
        json.extend_from_slice(if at == 0 { b",\"attachment_files\":[" } else { b"," });
        json.extend_from_slice(head.trim_end_matches('}').as_bytes());
        json.extend_from_slice(b",\"data\":\"");
        append(&file.bytes, &mut json);
        json.extend_from_slice(b"\"}");
    }
    json.extend_from_slice(b"]}");
    Bytes::from(json)
}

fn length(file: &Upload) -> usize {
    encoded_len(file.bytes.len(), true).unwrap_or_default()
}

/// So many bytes are encoded at a time: a multiple of three, so that there is no padding in between.
const AT_ONCE: usize = 3 << 12;

fn append(bytes: &[u8], json: &mut Vec<u8>) {
    let mut piece = String::with_capacity(4 << 12);
    for some in bytes.chunks(AT_ONCE) {
        piece.clear();
        STANDARD.encode_string(some, &mut piece);
        json.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn upload(name: &str, bytes: Vec<u8>) -> Upload {
        Upload {
            name: name.into(),
            content_type: "image/png".into(),
            bytes: Bytes::from(bytes),
        }
    }

    #[test]
    fn a_body_holds_its_files_as_base64() {
        let long: Vec<u8> = (0..=255).cycle().take(3 * AT_ONCE + 2).collect();
        let files = [
            upload("a \"b\\}\".png", long.clone()),
            upload("b.png", vec![]),
            upload("c.png", vec![7]),
        ];
        let whole = body(&json!({"body": "x"}), &files);
        let read: Value = serde_json::from_slice(&whole).unwrap();
        assert_eq!(read["body"], "x");
        let sent = read["attachment_files"].as_array().unwrap();
        for (sent, file) in sent.iter().zip(&files) {
            assert_eq!(sent["name"], *file.name);
            assert_eq!(sent["content_type"], "image/png");
            assert_eq!(STANDARD.decode(sent["data"].as_str().unwrap()).unwrap(), file.bytes);
        }
        assert_eq!(sent.len(), 3);
    }

    #[test]
    fn a_body_without_files_is_as_it_was() {
        assert_eq!(body(&json!({"body": "}"}), &[]), r#"{"body":"}"}"#);
    }
}
