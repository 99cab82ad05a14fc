//! Files and how messages show them.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{compose::MediaKind, image, post::fields, refusal::Refusal, world::World};

/// What `getFile` gives out at most.
const LARGEST_DOWNLOAD: i64 = 20 << 20;
/// How long a download link is good.
const LINK_MS: i64 = 3_600_000;

#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub(crate) id: String,
    pub(crate) unique_id: String,
    pub(crate) kind: MediaKind,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) bytes: Bytes,
    /// As messages state it; may be larger than what is really there.
    pub(crate) size: i64,
    pub(crate) path: String,
    pub(crate) lost: bool,
    linked_until_ms: Option<i64>,
    /// The small copy of a picture.
    small: Option<String>,
}

impl StoredFile {
    pub(crate) fn is_linked(&self, now_ms: i64) -> bool {
        self.linked_until_ms.is_some_and(|until| now_ms < until)
    }

    fn json(&self) -> Value {
        json!({ "file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size })
    }

    fn picture_json(&self) -> Value {
        let (width, height) = image::dimensions(&self.bytes).unwrap_or((1280, 720));
        let mut json = self.json();
        json["width"] = width.into();
        json["height"] = height.into();
        json
    }
}

/// A file that is about to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    pub(crate) kind: MediaKind,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) bytes: Bytes,
    pub(crate) size: Option<i64>,
}

impl World {
    pub(crate) fn store(&mut self, file: NewFile) -> String {
        let small = (file.kind == MediaKind::Photo).then(|| {
            let bytes = Bytes::from_static(b"\xff\xd8\xff a small copy of a picture");
            self.keep(
                NewFile {
                    bytes,
                    size: None,
                    ..file.clone()
                },
                None,
            )
        });
        self.keep(file, small)
    }

    fn keep(&mut self, file: NewFile, small: Option<String>) -> String {
        let number = self.next();
        let id = format!("{}CAgIAAxk{number:0>40}", file.kind.prefix());
        let named = file.name.as_deref().and_then(|name| name.rsplit_once('.'));
        let extension = file.kind.extension().or(named.map(|(_, end)| end)).unwrap_or("bin");
        let path = format!("{}/file_{number}.{extension}", file.kind.folder());
        let stored = StoredFile {
            id: id.clone(),
            unique_id: format!("AQAD{number:0>11}"),
            kind: file.kind,
            name: file.name,
            mime: file.mime,
            size: file
                .size
                .unwrap_or_else(|| i64::try_from(file.bytes.len()).unwrap_or(i64::MAX)),
            bytes: file.bytes,
            path,
            lost: false,
            linked_until_ms: None,
            small,
        };
        self.files.insert(id.clone(), stored);
        id
    }

    /// The content fields of a message that shows a file.
    pub(crate) fn media_fields(&self, id: &str) -> Map<String, Value> {
        let Some(file) = self.files.get(id) else {
            return Map::new();
        };
        if file.kind == MediaKind::Photo {
            let small = file.small.as_ref().and_then(|small| self.files.get(small));
            let sizes: Vec<Value> = small.map(small_json).into_iter().chain([file.picture_json()]).collect();
            return fields([("photo", sizes.into())]);
        }
        let mut json = file.json();
        if file.kind.has_name()
            && let Some(name) = &file.name
        {
            json["file_name"] = name.as_str().into();
        }
        if file.kind.has_mime()
            && let Some(mime) = &file.mime
        {
            json["mime_type"] = mime.as_str().into();
        }
        let mut shown = fields([(file.kind.field(), json.clone())]);
        if file.kind == MediaKind::Animation {
            shown.insert("document".into(), json);
        }
        if let Some(Value::Object(main)) = shown.get_mut(file.kind.field()) {
            main.extend(file.kind.details());
        }
        shown
    }

    /// Makes a download link.
    pub(crate) fn link(&mut self, id: &str, now_ms: i64) -> Result<Value, Refusal> {
        let file = self.files.get_mut(id).filter(|file| !file.lost);
        let file = file.ok_or_else(|| Refusal::bad("wrong file_id or the file is temporarily unavailable"))?;
        if file.size > LARGEST_DOWNLOAD {
            return Err(Refusal::bad("file is too big"));
        }
        file.linked_until_ms = Some(now_ms + LINK_MS);
        let mut json = file.json();
        json["file_path"] = file.path.as_str().into();
        Ok(json)
    }
}

fn small_json(file: &StoredFile) -> Value {
    let mut json = file.json();
    json["width"] = 90.into();
    json["height"] = 67.into();
    json
}
