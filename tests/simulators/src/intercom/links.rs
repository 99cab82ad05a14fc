//! Files behind signed URLs that expire.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{
    answer::{Answer, Refusal},
    model::{Upload, World},
};

/// Where files are served, without any authorisation.
pub(super) const PREFIX: &str = "/downloads/";

const KEY: &[u8] = b"signs the URLs of files and nothing else";

fn hmac_sha1(key: &[u8], data: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(hex::encode(mac.finalize().into_bytes()))
}

/// HMAC-SHA1 in hexadecimal.
pub(super) fn signature(key: &[u8], data: &[u8]) -> String {
    hmac_sha1(key, data).unwrap_or_default()
}

fn path(world: &World, id: u64, upload: &Upload) -> String {
    format!(
        "{PREFIX}i/o/{}/{id}/{}",
        world.workspace.id,
        percent_encoded(&upload.name)
    )
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The URL of a file, good for half an hour from now.
pub(super) fn signed_url(world: &World, id: u64) -> String {
    let Some(upload) = world.uploads.get(&id) else {
        return String::new();
    };
    let lifetime = i64::try_from(world.options.download_lifetime.as_secs()).unwrap_or(i64::MAX);
    let expires = world.clock.now_s().saturating_add(lifetime);
    let path = path(world, id, upload);
    let signature = signature(KEY, format!("{path}:{expires}").as_bytes());
    let host = world.options.download_host.as_ref().unwrap_or(&world.base_url);
    format!("{host}{path}?expires={expires}&signature={signature}&req={id:x}")
}

/// A body whose files are named by URLs that work.
pub(super) fn with_signed_urls(world: &World, body: &str) -> String {
    let mut pieces = body.split("\"upload:");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (id, rest) = piece.split_once('"').unwrap_or((piece, ""));
        let url = id.parse().map_or_else(|_| String::new(), |id| signed_url(world, id));
        whole.extend(["\"", &url.replace('&', "&amp;"), "\"", rest]);
    }
    whole
}

/// The ids of the files inside a body.
pub(super) fn files_inside(body: &str) -> Vec<u64> {
    let pieces = body.split("\"upload:").skip(1);
    pieces
        .filter_map(|piece| piece.split_once('"')?.0.parse().ok())
        .collect()
}

/// Answers a request for a file.
pub(super) fn download(world: &World, path: &str, query: &[(String, String)]) -> Answer {
    let value = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let expires = value("expires")
        .and_then(|text| text.parse::<i64>().ok())
        .unwrap_or_default();
    let id = path
        .rsplit('/')
        .nth(1)
        .and_then(|id| id.parse::<u64>().ok())
        .unwrap_or_default();
    let signed = signature(KEY, format!("{path}:{expires}").as_bytes());
    if value("signature") != Some(&signed) {
        return Refusal::new(403, "forbidden", "Signature does not match").into();
    }
    if world.clock.now_s() >= expires {
        return Refusal::new(403, "forbidden", "The link has expired").into();
    }
    if let Some(to) = &world.options.download_redirect {
        return Answer {
            status: 302,
            headers: vec![("location", to.clone())],
            body: Vec::new(),
        };
    }
    match world.uploads.get(&id) {
        Some(upload) => Answer {
            status: 200,
            headers: vec![("content-type", upload.content_type.clone())],
            body: upload.bytes.clone(),
        },
        None => Refusal::not_found().into(),
    }
}
