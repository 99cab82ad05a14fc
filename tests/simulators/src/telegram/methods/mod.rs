//! The methods of the Bot API that this server knows.

mod chats;
mod edit;
mod media;
mod send;
mod topics;
mod updates;

use serde_json::Value;

use super::{
    args::Args,
    call::Success,
    people::{Right, Status},
    refusal::Refusal,
    world::{ChatKind, World},
};

type Answer = Result<Value, Refusal>;

/// Whether a method makes or changes a topic.
pub(crate) fn is_about_topics(method: &str) -> bool {
    matches!(method, "createForumTopic" | "editForumTopic")
}

/// What a method works on.
pub(crate) struct Context<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) bot: i64,
    pub(crate) args: &'a Args,
    pub(crate) now_ms: i64,
}

pub(crate) fn run(mut context: Context<'_>, method: &str) -> Result<Success, Refusal> {
    let context = &mut context;
    if context.world.unsettled.counts(method) {
        let chat = context.chat()?;
        context.keep_pace(chat, 1)?;
    }
    match method {
        "setWebhook" => return updates::set_webhook(context),
        "deleteWebhook" => return updates::delete_webhook(context),
        _ => {}
    }
    let answer = match method {
        "getMe" => Ok(chats::me(context)),
        "getWebhookInfo" => updates::webhook_info(context),
        "getUpdates" => updates::poll(context),
        "getFile" => media::link(context),
        "getChat" => chats::chat(context),
        "getChatMember" => chats::member(context),
        "getChatAdministrators" => chats::administrators(context),
        "getChatMemberCount" => chats::count(context),
        "sendMessage" => send::message(context),
        "sendChatAction" => send::action(context),
        "copyMessage" => send::copy(context),
        "sendMediaGroup" => media::album(context),
        "editMessageText" => edit::text(context),
        "deleteMessage" => edit::delete(context),
        "deleteMessages" => edit::delete_all(context),
        "setMessageReaction" => edit::react(context),
        "createForumTopic" => topics::create(context),
        "editForumTopic" => topics::edit(context),
        "closeForumTopic" => topics::set_closed(context, true),
        "reopenForumTopic" => topics::set_closed(context, false),
        "deleteForumTopic" => topics::delete(context),
        "closeGeneralForumTopic" => topics::set_general_closed(context, true),
        "reopenGeneralForumTopic" => topics::set_general_closed(context, false),
        _ => media::send(context, method),
    };
    answer.map(Success::from)
}

impl Context<'_> {
    /// The chat that a parameter names, if the bot can reach it.
    fn chat_in(&self, parameter: &str) -> Result<i64, Refusal> {
        let value = self.args.get(parameter).unwrap_or(&Value::Null);
        let id = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let chat = id
            .and_then(|id| self.world.chats.get(&id))
            .ok_or_else(|| Refusal::bad("chat not found"))?;
        if let Some(to) = chat.migrated_to {
            return Err(Refusal::migrated(to));
        }
        let status = chat.members.get(&self.bot).map(|member| member.status);
        match (status, chat.kind) {
            (None, _) => Err(Refusal::bad("chat not found")),
            (Some(Status::Kicked), ChatKind::Private) => Err(Refusal::forbidden("bot was blocked by the user")),
            (Some(Status::Kicked), _) => Err(Refusal::forbidden(format!("bot was kicked from the {}", chat.word()))),
            (Some(Status::Left), _) => Err(Refusal::forbidden(format!(
                "bot is not a member of the {}",
                chat.word()
            ))),
            (Some(_), _) => Ok(chat.id),
        }
    }

    fn chat(&self) -> Result<i64, Refusal> {
        self.chat_in("chat_id")
    }

    fn may(&self, chat: i64, right: Right) -> bool {
        self.world.chat(chat).may(self.bot, right)
    }

    /// The refusal of what the bot lacks a right for. To do what it was never allowed to is a mistake of the client's.
    fn lacks(&self, chat: i64, right: Right, words: &str) -> Refusal {
        let member = self.world.chat(chat).members.get(&self.bot);
        if member.is_some_and(|member| member.had.has(right)) {
            Refusal::bad(words)
        } else {
            Refusal::wrong(words)
        }
    }

    fn int(&self, parameter: &str) -> i64 {
        self.args.int(parameter).unwrap_or_default()
    }
}
