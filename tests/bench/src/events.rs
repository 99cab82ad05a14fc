//! What the functions are asked: requests as an HTTP API brings them, signed as the vendors sign.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;

pub(crate) const CHAT: i64 = -1_001_000_000_001;
const HOOK_SECRET: &str = "hook";
const CLIENT_SECRET: &str = "client";

/// What the functions prove their callers with.
pub(crate) fn secret() -> Value {
    json!({
        "telegram_bot_token": format!("1000001:{}", "a".repeat(35)),
        "telegram_webhook_secrets": [HOOK_SECRET],
        "intercom_access_token": "token",
        "intercom_client_secrets": [CLIENT_SECRET],
    })
}

/// A customer's message.
pub(crate) fn telegram(count: usize) -> Value {
    let message = json!({
        "message_id": count,
        "date": 1_770_000_000,
        "message_thread_id": 7,
        "is_topic_message": true,
        "chat": {"id": CHAT, "type": "supergroup", "title": "Example Customers", "is_forum": true},
        "from": {"id": 4_000_001, "is_bot": false, "first_name": "Ada"},
        "text": "where is my parcel?",
    });
    let body = json!({"update_id": count, "message": message}).to_string();
    let headers = json!({"x-telegram-bot-api-secret-token": HOOK_SECRET});
    request("POST", "/telegram-webhook", &headers, &body)
}

/// An agent's reply.
pub(crate) fn intercom(count: usize) -> Value {
    let part = json!({
        "type": "conversation_part",
        "id": count.to_string(),
        "part_type": "comment",
        "body": "<p>it is in the van</p>",
        "created_at": 1_770_000_000,
        "author": {"type": "admin", "id": "7", "name": "Grace"},
        "attachments": [],
    });
    let parts = json!({"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1});
    let item = json!({"type": "conversation", "id": "300000000000001", "conversation_parts": parts});
    let notification = json!({
        "type": "notification_event",
        "app_id": "workspace",
        "id": format!("notif_{count}"),
        "topic": "conversation.admin.replied",
        "data": {"type": "notification_event_data", "item": item},
    });
    let body = notification.to_string();
    let headers = json!({"x-hub-signature": signature(&body)});
    request("POST", "/intercom-webhook", &headers, &body)
}

fn signature(body: &str) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(CLIENT_SECRET.as_bytes());
    let signed = mac.map(|mac| hex::encode(mac.chain_update(body).finalize().into_bytes()));
    format!("sha1={}", signed.unwrap_or_default())
}

/// A request in payload format 2.0: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.
pub(crate) fn request(method: &str, path: &str, headers: &Value, body: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"},
            "requestId": "id",
            "stage": "$default",
            "timeEpoch": 1_770_000_000_000_i64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
