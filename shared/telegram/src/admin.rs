//! What an operator's tool asks of Telegram: which bot this is, which chats it is in, what it may do there.

use crate::{
    classify::Effect,
    client::{ALLOWED_UPDATES, TelegramClient},
    wire::Json,
};
use bridge::{failure::MessengerError, telegram_message::ChatKind};
use mapping::{BotId, ChatId, UpdateId};
use serde_json::{Value, json};

/// The bot that the token belongs to: <https://core.telegram.org/bots/api#getme>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotAccount {
    /// Its id.
    pub id: BotId,
    /// Its name, as people see it.
    pub name: String,
    /// Its @name, without the @.
    pub username: String,
    /// Whether it reads everything that is written in groups where it is no administrator: its privacy mode is off.
    pub reads_all: bool,
}

/// A chat: <https://core.telegram.org/bots/api#chatfullinfo>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatInfo {
    /// Its id.
    pub id: ChatId,
    /// What kind of chat it is.
    pub kind: ChatKind,
    /// Its title; of a private chat, the person's first name.
    pub title: String,
}

/// What the bot is in a chat: <https://core.telegram.org/bots/api#chatmember>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An administrator.
    Administrator(Rights),
    /// A member like any other.
    Member,
    /// A member that may not write.
    Restricted,
    /// It was never there, or has left.
    Absent,
    /// It was thrown out.
    Banned,
    /// Something that Telegram did not have when this was written.
    Other(String),
}

/// What an administrator may do, as far as the bridge needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// To create, close and reopen topics.
    pub manage_topics: bool,
    /// To delete what others wrote, and what the bot wrote long ago.
    pub delete_messages: bool,
}

/// An update that waits to be fetched, as far as it tells of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The update.
    pub update: UpdateId,
    /// Where it happened.
    pub chat: Option<ChatId>,
}

/// The most updates that Telegram gives at a time.
pub const UPDATES_AT_A_TIME: usize = 100;

impl TelegramClient {
    /// The bot that the token belongs to.
    pub async fn account(&self) -> Result<BotAccount, MessengerError> {
        let me = self.request("getMe", Effect::Repeatable, &json!({})).await?;
        let me = Json::new(&me);
        Ok(BotAccount {
            id: BotId(me.integer("id").unwrap_or_default()),
            name: me.text("first_name").unwrap_or_default().to_owned(),
            username: me.text("username").unwrap_or_default().to_owned(),
            reads_all: me.is("can_read_all_group_messages"),
        })
    }

    /// A chat that the bot can reach.
    pub async fn chat(&self, chat: ChatId) -> Result<ChatInfo, MessengerError> {
        let info = self
            .request("getChat", Effect::Repeatable, &json!({"chat_id": chat}))
            .await?;
        let info = Json::new(&info);
        Ok(ChatInfo {
            id: info.integer("id").map_or(chat, ChatId),
            kind: match info.text("type") {
                Some("private") => ChatKind::Private,
                Some("channel") => ChatKind::Channel,
                _ if info.is("is_forum") => ChatKind::Forum,
                _ => ChatKind::Group,
            },
            title: info
                .text("title")
                .or(info.text("first_name"))
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// What the bot itself is in a chat.
    pub async fn standing(&self, bot: BotId, chat: ChatId) -> Result<Standing, MessengerError> {
        let body = json!({"chat_id": chat, "user_id": bot.0});
        let member = self.request("getChatMember", Effect::Repeatable, &body).await?;
        Ok(standing(Json::new(&member)))
    }

    /// Calls any method, for a trial of what no description says. A call whose answer was lost is not made again, as with whatever
    /// people would see twice.
    pub async fn call_method(&self, method: &str, body: &Value) -> Result<Value, MessengerError> {
        self.request(method, Effect::Once, body).await
    }

    /// The updates that wait, oldest first, at most [`UPDATES_AT_A_TIME`]. They go on waiting: whoever gets them next, by webhook or
    /// otherwise, gets them all. Telegram refuses while a webhook is registered.
    pub async fn waiting(&self) -> Result<Vec<Sighting>, MessengerError> {
        let body = json!({"limit": UPDATES_AT_A_TIME, "timeout": 0, "allowed_updates": ALLOWED_UPDATES});
        let updates = self.request("getUpdates", Effect::Repeatable, &body).await?;
        Ok(Json::new(&updates).entries().filter_map(sighting).collect())
    }
}

fn standing(member: Json<'_>) -> Standing {
    match member.text("status").unwrap_or_default() {
        "creator" => Standing::Administrator(Rights {
            manage_topics: true,
            delete_messages: true,
        }),
        "administrator" => Standing::Administrator(Rights {
            manage_topics: member.is("can_manage_topics"),
            delete_messages: member.is("can_delete_messages"),
        }),
        "member" => Standing::Member,
        "restricted" if member.is("can_send_messages") => Standing::Member,
        "restricted" => Standing::Restricted,
        "left" => Standing::Absent,
        "kicked" => Standing::Banned,
        other => Standing::Other(other.to_owned()),
    }
}

fn sighting(update: Json<'_>) -> Option<Sighting> {
    let chat = update
        .keys()
        .find_map(|kind| update.get(kind)?.get("chat")?.integer("id"));
    Some(Sighting {
        update: UpdateId(update.integer("update_id")?),
        chat: chat.map(ChatId),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_bot_is_in_a_chat() {
        let all = Rights {
            manage_topics: true,
            delete_messages: true,
        };
        let rows = [
            (json!({"status": "creator"}), Standing::Administrator(all)),
            (
                json!({"status": "administrator", "can_delete_messages": true}),
                Standing::Administrator(Rights {
                    manage_topics: false,
                    ..all
                }),
            ),
            (json!({"status": "member"}), Standing::Member),
            (
                json!({"status": "restricted", "can_send_messages": true}),
                Standing::Member,
            ),
            (
                json!({"status": "restricted", "can_send_messages": false}),
                Standing::Restricted,
            ),
            (json!({"status": "left"}), Standing::Absent),
            (json!({"status": "kicked"}), Standing::Banned),
            (json!({"status": "guest"}), Standing::Other("guest".into())),
        ];
        for (member, expected) in rows {
            assert_eq!(standing(Json::new(&member)), expected, "{member}");
        }
    }

    #[test]
    fn an_update_of_any_kind_tells_of_its_chat() {
        let update = json!({"update_id": 7, "a_new_kind": {"chat": {"id": -1001}}});
        let seen = sighting(Json::new(&update)).unwrap();
        assert_eq!((seen.update, seen.chat), (UpdateId(7), Some(ChatId(-1001))));
        assert_eq!(
            sighting(Json::new(&json!({"update_id": 8, "poll": {}}))).unwrap().chat,
            None
        );
    }
}
