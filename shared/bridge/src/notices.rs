//! Notices: what we tell a human who waits. They travel through the outbound queue like everything else and have a delivery of
//! their own, so that they are neither lost nor said twice. At most one an hour is said for a lane and a reason; what is held back is
//! said in one when the hour is over.

use crate::{
    context::Context,
    delivering::Carried,
    envelope::{Errand, OutboundEnvelope, to_ascii_json},
    failure::MessengerError,
    looking::{self, Accounted, Lost},
    ports::{Place, QueueError, QueueMessage, Reply},
    rich_text::RichText,
    sending,
    stop::{FOR_THE_OPERATOR, Received, Stop, Verdict, dedupe, elsewhere},
    words::Sentence,
};
use mapping::{
    Arrival, Begun, BotId, ChatId, Claim, ConversationId, End, Key, MessageId, NoticeSent, Proof, Step, TopicId,
    TopicKey, WorkspaceId, keys,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is told to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Whom.
    pub audience: Audience,
    /// What.
    pub sentence: Sentence,
    /// What it is about: the delivery, and which of its lives.
    pub about: String,
    /// It speaks for those that came too soon after another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held_back: bool,
}

impl Notice {
    /// A notice that is to be said at once.
    pub(crate) fn new(audience: Audience, sentence: Sentence, about: String) -> Self {
        Self {
            audience,
            sentence,
            about,
            held_back: false,
        }
    }

    /// What it is said at most once an hour for.
    fn reason(&self) -> Key {
        keys::notice(&self.audience.lane(), &self.sentence.reason())
    }

    /// Its lane. What is held back holds nothing else up.
    fn lane(&self) -> String {
        let lane = self.audience.lane();
        if self.held_back {
            format!("{lane}:{}", self.sentence.reason())
        } else {
            lane
        }
    }
}

/// Who waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The agents of a conversation: told by a note.
    Agent {
        /// Its workspace.
        workspace: WorkspaceId,
        /// The conversation.
        conversation: ConversationId,
    },
    /// The customers in a topic: told by a line.
    Customer {
        /// The bot that tells them.
        bot: BotId,
        /// The chat.
        chat: ChatId,
        /// The topic.
        topic: Option<TopicId>,
        /// The message that it is about.
        reply_to: Option<MessageId>,
    },
}

impl Audience {
    fn lane(&self) -> String {
        match self {
            // A lane of its own: the replies that it is about hold up theirs.
            Self::Agent {
                workspace,
                conversation,
            } => format!("notice:{workspace}:{conversation}"),
            Self::Customer { chat, topic, .. } => format!("{chat}:{}", topic.map_or(0, |topic| topic.0)),
        }
    }
}

/// At most one notice in so long a time for a lane and a reason.
const NOT_AGAIN_FOR: Duration = Duration::from_hours(1);

/// So long it is known how many were held back.
const COUNTED_FOR: Duration = Duration::from_hours(48);

/// Puts a notice into the outbound queue.
pub(crate) async fn enqueue(context: &Context, notice: Notice) -> Result<(), Stop> {
    let lane = notice.lane();
    let id = dedupe(&format!("notice#{}#{}", notice.sentence.name(), notice.about));
    let envelope = OutboundEnvelope {
        received_at: context.ledger.now(),
        errand: Errand::Notice { notice },
    };
    let body = to_ascii_json(&envelope).map_err(|_| QueueError::Refused("not JSON".into()))?;
    Ok(context
        .queues
        .outbound
        .send(QueueMessage {
            lane,
            dedupe: id,
            body,
            gave_up: None,
        })
        .await?)
}

/// Tells a human.
pub(crate) async fn deliver(
    context: &Context,
    received: &Received,
    arrival: &Arrival,
    notice: &Notice,
) -> Result<Verdict, Stop> {
    let key = delivery_key(notice);
    let existing = context.ledger.find(&key).await?;
    let carried = Carried {
        context,
        received,
        dead_letters: &context.queues.outbound_dead,
        audience: None,
        is_notice: true,
    };
    Ok(match context.ledger.begin(key, existing, arrival).await? {
        Begun::Later(at) => Verdict::Later(at),
        Begun::Finished => Verdict::Done,
        Begun::Poison(claim) => carried.poison(claim).await,
        Begun::Claimed(mut claim) => {
            let told = tell(context, &mut claim, notice).await;
            carried.settle(claim, told).await
        }
    })
}

/// Where the delivery of a notice lies.
pub(crate) fn delivery_key(notice: &Notice) -> Key {
    Key::new(format!("notice#{}", notice.about), notice.sentence.name())
}

async fn tell(context: &Context, claim: &mut Claim, notice: &Notice) -> Result<End, Stop> {
    let begins = claim.delivery.receipts.is_empty() && !claim.may_have_gone_out;
    let messages = not_again_so_soon(context, notice, begins).await?;
    let own_words = match notice.audience {
        Audience::Customer { .. } => context.config.customer_notice.as_deref(),
        Audience::Agent { .. } => None,
    };
    let text = RichText::plain(notice.sentence.text_for(messages, own_words));
    match &notice.audience {
        Audience::Agent {
            workspace,
            conversation,
        } => {
            if context.identity().await?.workspace != *workspace {
                return Err(Stop::Wait {
                    reason: "another workspace",
                    until: context.ledger.now() + FOR_THE_OPERATOR,
                });
            }
            write_note(context, claim, conversation, &text, &Accounted::default()).await?;
        }
        Audience::Customer {
            bot,
            chat,
            topic,
            reply_to,
        } => {
            let (now_at, now_in) = whereabouts(context, *bot, *chat, *topic).await?;
            // Message ids start anew when a chat gets another id, and a topic takes its messages with it.
            let reply_to = reply_to.filter(|_| now_at == *chat && now_in == *topic);
            let place = Place {
                chat: now_at,
                topic: now_in,
                reply_to,
            };
            match sending::send(context, claim, *bot, place, &text).await {
                Err(Stop::Messenger(MessengerError::Migrated { to })) => {
                    context.ledger.record_migration(*bot, now_at, to).await?;
                    return Err(Stop::soon(context, "the chat has another id now"));
                }
                // Nobody reads it there, and for this alone no topic is made anew.
                Err(Stop::Messenger(MessengerError::TopicGone { .. })) => return Err(Stop::Skip("topic gone")),
                sent => sent?,
            }
        }
    }
    Ok(End::Delivered)
}

/// Where a chat and its topic are now.
async fn whereabouts(
    context: &Context,
    bot: BotId,
    chat: ChatId,
    topic: Option<TopicId>,
) -> Result<(ChatId, Option<TopicId>), Stop> {
    let chat = context.ledger.current_id(bot, chat).await?;
    let topic = match topic {
        Some(topic) => Some(context.ledger.current_topic(TopicKey { bot, chat, topic }).await?),
        None => None,
    };
    Ok((chat, topic))
}

/// Writes an internal note, once: after a doubtful call it is looked for first, among what no other delivery accounts for.
pub(crate) async fn write_note(
    context: &Context,
    claim: &mut Claim,
    conversation: &ConversationId,
    text: &RichText,
    accounted: &Accounted,
) -> Result<(), Stop> {
    let admin = context.own_admin().await?;
    let found = if claim.may_have_gone_out {
        looking::is_settled(context, claim)?;
        let lost = Lost::note(conversation, &admin, text, claim.delivery.since);
        looking::find(context, &lost, accounted).await?
    } else {
        None
    };
    let part = match found {
        Some(part) => part,
        None => {
            claim.may_have_gone_out = false;
            let note = Reply {
                body: text.clone(),
                created_at: None,
                files: Vec::new(),
            };
            context.helpdesk.add_note(conversation, &admin, &note).await?
        }
    };
    claim.prove(Step::Note, Proof::Part(part), context.ledger.now());
    Ok(())
}

/// Of how many messages a notice is said; stops where it was said a short while ago. One that may have been said is said as it was.
async fn not_again_so_soon(context: &Context, notice: &Notice, begins: bool) -> Result<u32, Stop> {
    let key = notice.reason();
    let now = context.ledger.now();
    let read = context.ledger.find::<NoticeSent>(&key).await?;
    let version = read.as_ref().map(|sent| sent.version.clone());
    let record = match read.map(|sent| sent.value) {
        Some(sent) if sent.about == notice.about => return Ok(sent.messages),
        _ if !begins => return Ok(1),
        Some(sent) if now.since(sent.at) < NOT_AGAIN_FOR => hold_back(context, notice, sent).await?,
        sent => NoticeSent {
            at: now,
            about: notice.about.clone(),
            messages: sent.map_or(0, |sent| sent.withheld) + u32::from(!notice.held_back),
            withheld: 0,
        },
    };
    let expires_at = Some(record.at + COUNTED_FOR);
    let transaction = context
        .ledger
        .transaction()
        .put_after(key, version.as_ref(), &record, expires_at);
    context
        .ledger
        .commit(transaction)
        .await
        .map_err(|error| elsewhere(context, error))?;
    if record.about == notice.about {
        Ok(record.messages)
    } else {
        Err(Stop::Skip("said with others when the hour is over"))
    }
}

/// Counts a notice that comes too soon after another. The first of them waits for the end of the hour and speaks for all.
async fn hold_back(context: &Context, notice: &Notice, sent: NoticeSent) -> Result<NoticeSent, Stop> {
    if notice.held_back && sent.withheld == 0 {
        return Err(Stop::Skip("said with another"));
    }
    if notice.held_back {
        return Err(Stop::Wait {
            reason: "it was said a short while ago",
            until: sent.at + NOT_AGAIN_FOR,
        });
    }
    if sent.withheld == 0 {
        let for_all = Notice {
            about: format!("{}#held_back", notice.about),
            held_back: true,
            ..notice.clone()
        };
        enqueue(context, for_all).await?;
    }
    Ok(NoticeSent {
        withheld: sent.withheld.saturating_add(1),
        ..sent
    })
}
