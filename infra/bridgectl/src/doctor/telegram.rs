//! Telegram: the token, the webhook, the bot's rights in each chat.

use super::Look;
use crate::{findings::Findings, install::NO_CHATS};
use bridge::{config::GeneralTopic, failure::MessengerError, telegram_message::ChatKind};
use mapping::{ChatId, Timestamp};
use std::time::Duration;
use telegram::{ALLOWED_UPDATES, BotAccount, ChatInfo, Standing, WebhookInfo};

/// How long a failed delivery is news: Telegram tries again within two minutes.
const NEWS: Duration = Duration::from_mins(10);

/// More updates than this do not wait while all goes well.
const BACKLOG: u64 = 50;

/// What the webhook's path is.
pub(crate) const PATH: &str = "/telegram-webhook";

/// Looks at Telegram; gives the URL that is registered with it, without the path.
pub(super) async fn examine(look: &Look<'_>, found: &mut Findings) -> Option<String> {
    look.install.secrets.bot_token.as_ref()?;
    let bot = token(look, found).await?;
    let webhook = match look.telegram.webhook_info().await {
        Ok(info) => {
            webhook(look, &info, found);
            info.url.strip_suffix(PATH).map(str::to_owned)
        }
        Err(error) => {
            unreachable("telegram.webhook", &error, found);
            None
        }
    };
    for chat in &look.config.chats {
        if chat.to_string() != NO_CHATS {
            look_into(look, &bot, *chat, found).await;
        }
    }
    webhook
}

fn unreachable(check: &'static str, error: &MessengerError, found: &mut Findings) {
    found.unchecked(
        check,
        format!("failed to {error}"),
        "see whether this machine reaches the Bot API, then run the doctor again",
    );
}

async fn token(look: &Look<'_>, found: &mut Findings) -> Option<BotAccount> {
    let check = "telegram.token";
    match look.telegram.account().await {
        Ok(bot) => {
            found.ok(
                check,
                format!("The bot token is that of @{} ({})", bot.username, bot.name),
            );
            Some(bot)
        }
        Err(MessengerError::Unauthorized { reason }) => {
            let place = look.install.where_secrets_are();
            found.broken(
                check,
                format!("Telegram refuses the bot token: {reason}"),
                format!("copy it from @BotFather (/mybots, API Token) into {place}: bridgectl setup asks for it"),
            );
            None
        }
        Err(error) => {
            unreachable(check, &error, found);
            None
        }
    }
}

fn webhook(look: &Look<'_>, info: &WebhookInfo, found: &mut Findings) {
    let check = "telegram.webhook";
    let expected = look.install.public_url().map(|url| format!("{url}{PATH}"));
    let mend = "bridgectl setup registers it";
    if info.url.is_empty() {
        found.broken(check, "No webhook is registered with Telegram", mend);
        return;
    }
    if expected.as_ref().is_some_and(|expected| *expected != info.url) {
        let found_url = format!("Telegram delivers to {}, not to this bridge", info.url);
        found.broken(
            check,
            found_url,
            format!("{mend}, if no other installation uses this bot"),
        );
        return;
    }
    let missing = |kind: &&str| !info.allowed_updates.iter().any(|allowed| allowed == kind);
    let missing: Vec<&str> = ALLOWED_UPDATES.into_iter().filter(|kind| missing(kind)).collect();
    if missing.is_empty() {
        found.ok(check, format!("Telegram delivers to {}", info.url));
    } else {
        found.broken(
            check,
            format!("Telegram does not deliver updates of the kind {}", missing.join(", ")),
            mend,
        );
    }
    deliveries(info, look.now, found);
}

/// The last error stays until the webhook is registered again, so it counts only while it is new.
fn deliveries(info: &WebhookInfo, now: Timestamp, found: &mut Findings) {
    let check = "telegram.deliveries";
    let waiting = format!("{} updates wait", info.pending_updates);
    let mend =
        "what is said below of the Telegram webhook's URL tells why; Telegram tries again by itself for 24 hours";
    let ago = info.last_error_at.map(|at| now.since(at));
    let error = info.last_error.as_deref().unwrap_or("an error without words");
    match ago {
        Some(ago) if ago < NEWS && info.pending_updates > 0 => {
            let when = minutes(ago);
            found.broken(
                check,
                format!("A delivery failed {when} ago, and {waiting}: {error}"),
                mend,
            );
        }
        Some(ago) if ago < NEWS => found.warning(
            check,
            format!(
                "A delivery failed {} ago, and nothing waits any more: {error}",
                minutes(ago)
            ),
            "nothing, unless it comes again",
        ),
        Some(_) | None if info.pending_updates > BACKLOG => {
            found.warning(check, format!("{waiting} at Telegram"), mend);
        }
        Some(_) | None => found.ok(check, format!("{waiting} at Telegram, and none failed lately")),
    }
}

fn minutes(time: Duration) -> String {
    match time.as_secs() / 60 {
        0 => "less than a minute".into(),
        1 => "1 minute".into(),
        minutes => format!("{minutes} minutes"),
    }
}

async fn look_into(look: &Look<'_>, bot: &BotAccount, chat: ChatId, found: &mut Findings) {
    let check = "telegram.chat";
    let seen = async {
        let info = look.telegram.chat(chat).await?;
        Ok((look.telegram.standing(bot.id, chat).await?, info))
    };
    let list = look.install.where_setting_is("TELEGRAM_CHATS");
    match seen.await {
        Ok((standing, info)) => rights(look, bot, &standing, &info, found),
        Err(MessengerError::Migrated { to }) => found.warning(
            check,
            format!("Chat {chat} became a supergroup, and is {to} now; its messages are carried"),
            format!("write {to} in the place of {chat} into {list}"),
        ),
        Err(MessengerError::NoRights { reason } | MessengerError::Refused { reason }) => found.broken(
            check,
            format!("Chat {chat} is out of the bot's reach: {reason}"),
            format!(
                "add @{} to the group and make it an administrator, or take {chat} off {list}",
                bot.username
            ),
        ),
        Err(error) => unreachable(check, &error, found),
    }
}

fn rights(look: &Look<'_>, bot: &BotAccount, standing: &Standing, info: &ChatInfo, found: &mut Findings) {
    let check = "telegram.chat";
    let chat = named(info);
    let promote = format!("make @{} an administrator of the group", bot.username);
    match standing {
        Standing::Administrator(rights) => {
            let missing = missing_rights(*rights, info.kind);
            if missing.is_empty() {
                found.ok(check, format!("{chat}: {}", standing_words(standing, info.kind)));
            } else {
                let (rights, without): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
                found.warning(
                    check,
                    format!("{chat}: the bot lacks {}: {}", rights.join(" and "), without.join("; ")),
                    "the group's settings, Administrators, give the bot what it lacks",
                );
            }
        }
        Standing::Member if info.kind == ChatKind::Private => found.ok(check, chat.clone()),
        Standing::Member if bot.reads_all => found.warning(
            check,
            format!("{chat}: the bot is no administrator; it reads all, and cannot create topics or take part in closed ones"),
            promote,
        ),
        Standing::Member => found.broken(
            check,
            format!("{chat}: the bot is no administrator, so it reads next to nothing of what customers write"),
            promote,
        ),
        Standing::Restricted => found.broken(check, format!("{chat}: the bot may not write"), promote),
        Standing::Absent | Standing::Banned => found.broken(
            check,
            format!("{chat}: the bot is not in the group"),
            format!("add it, and {promote}"),
        ),
        Standing::Other(status) => found.warning(check, format!("{chat}: the bot is a {status:?} there"), promote),
    }
    if info.kind == ChatKind::Group && look.config.general_topic == GeneralTopic::Off {
        found.broken(
            check,
            format!("{chat} has no topics, and GENERAL_TOPIC=off: nothing of it is carried"),
            "switch topics on in the group's settings, or choose another GENERAL_TOPIC",
        );
    }
}

/// A chat as people know it.
pub(crate) fn named(info: &ChatInfo) -> String {
    let kind = match info.kind {
        ChatKind::Forum => "with topics",
        ChatKind::Group => "without topics",
        ChatKind::Private => "a private chat",
        ChatKind::Channel => "a channel, which is not bridged",
    };
    format!("{} ({}), {kind}", info.title, info.id)
}

/// What the bot is there, for somebody who chooses chats.
pub(crate) fn standing_words(standing: &Standing, kind: ChatKind) -> String {
    match standing {
        Standing::Administrator(rights) => {
            let missing = missing_rights(*rights, kind);
            if missing.is_empty() {
                return "the bot is an administrator with all the rights it needs".into();
            }
            let names: Vec<_> = missing.into_iter().map(|(name, _)| name).collect();
            format!("the bot is an administrator, and lacks {}", names.join(" and "))
        }
        Standing::Member => "the bot is no administrator yet".into(),
        Standing::Restricted => "the bot may not write".into(),
        Standing::Absent | Standing::Banned => "the bot is not in the group".into(),
        Standing::Other(status) => format!("the bot is a {status:?}"),
    }
}

/// Rights that an administrator lacks, and what does not work without each.
fn missing_rights(rights: telegram::Rights, kind: ChatKind) -> Vec<(&'static str, &'static str)> {
    let mut missing = Vec::new();
    if kind == ChatKind::Forum && !rights.manage_topics {
        missing.push((
            "the right to manage topics",
            "a topic that somebody deleted cannot be made anew, and replies in closed topics wait",
        ));
    }
    if !rights.delete_messages {
        missing.push((
            "the right to delete messages",
            "a reply that is redacted in Intercom after two days stays readable",
        ));
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Level;

    fn judged(pending: u64, failed: Option<Duration>) -> (Level, String) {
        let now = Timestamp::from_seconds(1_800_000_000);
        let info = WebhookInfo {
            pending_updates: pending,
            last_error_at: failed.map(|ago| now - ago),
            last_error: failed.map(|_| "Wrong response from the webhook: 503 Service Unavailable".into()),
            ..WebhookInfo::default()
        };
        let mut found = Findings::default();
        deliveries(&info, now, &mut found);
        let finding = found.iter().next().unwrap();
        (finding.level, finding.found.clone())
    }

    #[test]
    fn an_old_error_is_no_news() {
        let day = Duration::from_hours(24);
        assert_eq!(judged(0, Some(day)).0, Level::Ok);
        assert_eq!(judged(51, Some(day)).0, Level::Warning);
        assert_eq!(judged(0, Some(Duration::from_mins(3))).0, Level::Warning);
        let (level, found) = judged(4, Some(Duration::from_mins(3)));
        assert_eq!(level, Level::Broken);
        let words = "A delivery failed 3 minutes ago, and 4 updates wait: Wrong response from the webhook: 503 Service Unavailable";
        assert_eq!(found, words);
    }
}
