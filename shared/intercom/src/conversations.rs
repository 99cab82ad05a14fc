//! Conversations: <https://developers.intercom.com/docs/references/rest-api/api.intercom.io/conversations>.

use crate::{
    api::{Call, unreadable},
    client::IntercomClient,
    decode, receipt, render, wire,
};
use bridge::{
    failure::HelpdeskError,
    intercom_message::Conversation,
    ports::{HelpdeskIdentity, Reply},
    rich_text::RichText,
};
use mapping::{AdminId, ContactId, ConversationId, PartId, Timestamp, WorkspaceId};
use serde_json::{Value, json};

impl IntercomClient {
    pub(crate) async fn me(&self) -> Result<HelpdeskIdentity, HelpdeskError> {
        let call = Call::get(&["me"]);
        let me: wire::Me = self.api.ask(&call).await?;
        let app = me.app.unwrap_or_default();
        match (app.id_code, me.id) {
            (Some(workspace), Some(admin)) => Ok(HelpdeskIdentity {
                workspace: WorkspaceId::new(workspace),
                admin: AdminId::new(admin),
                region: app.region,
            }),
            _ => Err(unreadable(&call)),
        }
    }

    pub(crate) async fn create_conversation(
        &self,
        contact: &ContactId,
        message: &Reply,
    ) -> Result<ConversationId, HelpdeskError> {
        let from = json!({"type": "user", "id": contact.as_str()});
        let body = json!({"from": from, "body": render::opening(&message.body)});
        let call = Call::once(&["conversations"], written_at(body, message.created_at));
        let opened: wire::Opened = self.api.ask(&call).await?;
        let id = opened.conversation_id;
        id.map(ConversationId::new).ok_or_else(|| unreadable(&call))
    }

    pub(crate) async fn read_conversation(&self, conversation: &ConversationId) -> Result<Conversation, HelpdeskError> {
        let path = ["conversations", conversation.as_str()];
        let call = Call::get(&path);
        let wire: wire::Conversation = self.api.ask(&call).await?;
        decode::conversation(wire).ok_or_else(|| unreadable(&call))
    }

    pub(crate) async fn contact_reply(
        &self,
        conversation: &ConversationId,
        contact: &ContactId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        // The type is `user` for leads as well.
        let body = json!({
            "message_type": "comment",
            "type": "user",
            "intercom_user_id": contact.as_str(),
            "body": render::contact_reply(&reply.body),
        });
        let wanted = receipt::Wanted {
            author: contact.as_str(),
            reply,
            is_note: false,
        };
        self.reply(conversation, written_at(body, reply.created_at), &wanted)
            .await
    }

    pub(crate) async fn admin_reply(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        reply: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        let body = by_admin("comment", admin, &reply.body);
        let wanted = receipt::Wanted {
            author: admin.as_str(),
            reply,
            is_note: false,
        };
        self.reply(conversation, written_at(body, reply.created_at), &wanted)
            .await
    }

    pub(crate) async fn note(
        &self,
        conversation: &ConversationId,
        admin: &AdminId,
        note: &Reply,
    ) -> Result<PartId, HelpdeskError> {
        let wanted = receipt::Wanted {
            author: admin.as_str(),
            reply: note,
            is_note: true,
        };
        self.reply(conversation, by_admin("note", admin, &note.body), &wanted)
            .await
    }

    /// The answer is the whole conversation, and does not say which part the call made.
    async fn reply(
        &self,
        conversation: &ConversationId,
        body: Value,
        wanted: &receipt::Wanted<'_>,
    ) -> Result<PartId, HelpdeskError> {
        let path = ["conversations", conversation.as_str(), "reply"];
        let call = match wanted.reply.files.as_slice() {
            [] => Call::once(&path, body),
            files => Call::once_with_files(&path, &body, files),
        };
        let wire: wire::Conversation = self.api.ask(&call).await?;
        let unreadable = || HelpdeskError::Unknown {
            reason: "answer without a conversation".into(),
        };
        let answer = decode::conversation(wire).ok_or_else(unreadable)?;
        // The call did succeed: it must not be repeated because its part cannot be told, as after a merge of its author.
        Ok(wanted.find(&answer.parts).unwrap_or_else(|| PartId::new(UNIDENTIFIED)))
    }
}

/// Stands for a part that is there and that cannot be told from others.
const UNIDENTIFIED: &str = "unidentified";

fn by_admin(kind: &str, admin: &AdminId, text: &RichText) -> Value {
    json!({
        "message_type": kind,
        "type": "admin",
        "admin_id": admin.as_str(),
        "body": render::admin_reply(text),
    })
}

fn written_at(mut body: Value, time: Option<Timestamp>) -> Value {
    if let (Some(time), Value::Object(fields)) = (time, &mut body) {
        fields.insert("created_at".into(), time.as_seconds().into());
    }
    body
}
