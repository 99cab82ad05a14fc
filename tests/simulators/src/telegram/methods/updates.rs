//! Webhooks and polling.

use serde_json::{Value, json};

use super::{
    super::{
        call::Success,
        refusal::Refusal,
        updates::{Outbox, Webhook},
    },
    Answer, Context,
};

/// Every kind of update that a bot can ask for; unknown names are passed over.
const KINDS: [&str; 27] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "stopped_message_generation",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
];

/// The only ports that webhooks may have.
const PORTS: [u16; 4] = [80, 88, 443, 8443];

pub(super) fn set_webhook(context: &mut Context<'_>) -> Result<Success, Refusal> {
    let url = context.args.text("url").unwrap_or_default().to_owned();
    if url.is_empty() {
        return delete_webhook(context);
    }
    check_url(&url)?;
    let secret = context.args.text("secret_token").unwrap_or_default().to_owned();
    check_secret(&secret)?;
    let max_connections = context.args.int("max_connections").unwrap_or(40).clamp(1, 100);
    let allowed = allowed_updates(context);
    let drops = context.args.flag("drop_pending_updates");
    let outbox = outbox(context)?;
    let webhook = Webhook {
        url,
        secret,
        max_connections,
    };
    let same = outbox.webhook.as_ref() == Some(&webhook) && allowed.as_ref().is_none_or(|list| *list == outbox.allowed);
    if drops {
        outbox.lanes.clear();
    }
    if let Some(allowed) = allowed {
        outbox.allowed = allowed;
    }
    outbox.webhook = Some(webhook);
    outbox.last_error = None;
    let description = if same {
        "Webhook is already set"
    } else {
        "Webhook was set"
    };
    Ok(Success {
        result: true.into(),
        description: Some(description),
    })
}

/// None keeps what was set before; an empty list is the default set.
fn allowed_updates(context: &mut Context<'_>) -> Option<Vec<String>> {
    context.args.get("allowed_updates")?;
    let names: Vec<String> = context
        .args
        .list("allowed_updates")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let (known, unknown): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| KINDS.contains(&name.as_str()));
    for name in unknown {
        context
            .world
            .violation(format!("allowed_updates: unknown kind `{name}`"));
    }
    Some(known)
}

fn check_url(url: &str) -> Result<(), Refusal> {
    let invalid = || Refusal::wrong("invalid webhook URL specified");
    let url = reqwest::Url::parse(url).map_err(|_| invalid())?;
    let host = url.host_str().ok_or_else(invalid)?;
    if is_local(host) {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook"));
    }
    if !url.port_or_known_default().is_some_and(|port| PORTS.contains(&port)) {
        return Err(Refusal::bad(
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ));
    }
    Ok(())
}

/// A server of one's own delivers to hosts beside it without TLS.
fn is_local(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

fn check_secret(secret: &str) -> Result<(), Refusal> {
    if secret.len() > 256 {
        return Err(Refusal::wrong("secret token is too long"));
    }
    if !secret
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        return Err(Refusal::wrong("secret token contains unallowed characters"));
    }
    Ok(())
}

pub(super) fn delete_webhook(context: &mut Context<'_>) -> Result<Success, Refusal> {
    let drops = context.args.flag("drop_pending_updates");
    let outbox = outbox(context)?;
    let was_set = outbox.webhook.take().is_some();
    outbox.last_error = None;
    if drops {
        outbox.lanes.clear();
    }
    let description = if was_set {
        "Webhook was deleted"
    } else {
        "Webhook is already deleted"
    };
    Ok(Success {
        result: true.into(),
        description: Some(description),
    })
}

pub(super) fn webhook_info(context: &mut Context<'_>) -> Answer {
    let outbox = outbox(context)?;
    let url = outbox.webhook.as_ref().map_or("", |webhook| &webhook.url);
    let mut info = json!({ "url": url, "has_custom_certificate": false, "pending_update_count": outbox.pending() });
    if let Some(webhook) = &outbox.webhook {
        info["max_connections"] = webhook.max_connections.into();
        info["ip_address"] = "127.0.0.1".into();
    }
    if !outbox.allowed.is_empty() {
        info["allowed_updates"] = outbox.allowed.clone().into();
    }
    if let Some((date, message)) = &outbox.last_error {
        info["last_error_date"] = (*date).into();
        info["last_error_message"] = message.as_str().into();
    }
    Ok(info)
}

/// Answers at once; `timeout` is not waited for.
pub(super) fn poll(context: &mut Context<'_>) -> Answer {
    if outbox(context)?.webhook.is_some() {
        let words =
            "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
        return Err(Refusal::new(409, format!("Conflict: {words}")));
    }
    if let Some(allowed) = allowed_updates(context) {
        outbox(context)?.allowed = allowed;
    }
    let offset = context.args.int("offset").unwrap_or_default();
    let limit = usize::try_from(context.args.int("limit").unwrap_or(100).clamp(1, 100)).unwrap_or(100);
    let now_ms = context.now_ms;
    let outbox = outbox(context)?;
    outbox.expire(now_ms);
    for lane in outbox.lanes.values_mut() {
        lane.updates.retain(|update| update.id >= offset);
    }
    outbox.lanes.retain(|_, lane| !lane.updates.is_empty());
    let mut waiting: Vec<_> = outbox.lanes.values().flat_map(|lane| &lane.updates).collect();
    waiting.sort_by_key(|update| update.id);
    Ok(waiting
        .into_iter()
        .take(limit)
        .map(super::super::updates::Update::json)
        .collect::<Vec<_>>()
        .into())
}

fn outbox<'a>(context: &'a mut Context<'_>) -> Result<&'a mut Outbox, Refusal> {
    let bot = context.world.bots.get_mut(&context.bot);
    bot.map(|bot| &mut bot.outbox)
        .ok_or_else(|| Refusal::new(401, "Unauthorized"))
}
