//! The arguments of a call, however they were sent: query, JSON, urlencoded or multipart.

use std::collections::BTreeMap;

use axum::{
    Form,
    extract::{FromRequest, Multipart, Query, Request},
    http::header::CONTENT_TYPE,
};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::refusal::Refusal;

/// A file inside a multipart body.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) bytes: Bytes,
}

/// A value as it was sent: everything but JSON knows only strings.
#[derive(Clone, Debug)]
pub(crate) enum RawValue {
    Text(String),
    Json(Value),
}

/// Arguments before they are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) fields: Vec<(String, RawValue)>,
    pub(crate) files: BTreeMap<String, Upload>,
}

impl Raw {
    pub(crate) async fn read(request: Request) -> Result<Self, Refusal> {
        let mut raw = Self::default();
        if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
            raw.fields
                .extend(pairs.into_iter().map(|(name, value)| (name, RawValue::Text(value))));
        }
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        match kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
            .as_str()
        {
            "application/json" => raw.read_json(request).await?,
            "application/x-www-form-urlencoded" => raw.read_form(request).await?,
            "multipart/form-data" => raw.read_multipart(request).await?,
            _ => {}
        }
        Ok(raw)
    }

    pub(crate) fn of_json(object: Map<String, Value>) -> Self {
        let fields = object
            .into_iter()
            .map(|(name, value)| (name, RawValue::Json(value)))
            .collect();
        Self {
            fields,
            files: BTreeMap::new(),
        }
    }

    async fn read_json(&mut self, request: Request) -> Result<(), Refusal> {
        let body = Bytes::from_request(request, &())
            .await
            .map_err(|_| Refusal::too_large())?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => self.fields.extend(Self::of_json(object).fields),
            _ if body.is_empty() => {}
            _ => return Err(Refusal::wrong("can't parse JSON object")),
        }
        Ok(())
    }

    async fn read_form(&mut self, request: Request) -> Result<(), Refusal> {
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let Form(pairs) = form.map_err(|_| Refusal::wrong("can't parse URL-encoded parameters"))?;
        self.fields
            .extend(pairs.into_iter().map(|(name, value)| (name, RawValue::Text(value))));
        Ok(())
    }

    async fn read_multipart(&mut self, request: Request) -> Result<(), Refusal> {
        let unreadable = |_| Refusal::wrong("can't parse multipart body");
        let mut parts = Multipart::from_request(request, &())
            .await
            .map_err(|_| Refusal::wrong("can't parse multipart body"))?;
        while let Some(part) = parts.next_field().await.map_err(unreadable)? {
            let field = part.name().unwrap_or_default().to_owned();
            let name = part.file_name().map(str::to_owned);
            let mime = part.content_type().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|_| Refusal::too_large())?;
            if name.is_some() {
                self.files.insert(field, Upload { name, mime, bytes });
            } else {
                let text = String::from_utf8(bytes.to_vec())
                    .map_err(|_| Refusal::wrong("strings must be encoded in UTF-8"))?;
                self.fields.push((field, RawValue::Text(text)));
            }
        }
        Ok(())
    }
}

/// Arguments after the check against the method's table: each has one of its types.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub(crate) values: Map<String, Value>,
    pub(crate) files: BTreeMap<String, Upload>,
}

impl Args {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The arguments as they are kept in the record of calls: files by name and size.
    pub(crate) fn summary(&self) -> Value {
        let mut summary = self.values.clone();
        for (part, upload) in &self.files {
            let file = serde_json::json!({ "file_name": upload.name, "mime_type": upload.mime, "file_size": upload.bytes.len() });
            summary.insert(part.clone(), file);
        }
        Value::Object(summary)
    }
}
