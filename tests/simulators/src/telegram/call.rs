//! The record of calls, and how one call is answered.

use serde_json::{Value, json};

use super::{
    args::Raw,
    methods,
    refusal::Refusal,
    sim::Shared,
    table::{self, Checked},
    world::World,
};
use crate::Fault;

/// A call that reached the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method in the vendor's own spelling.
    pub method: String,
    /// What was passed; files by name and size. Never the token.
    pub params: Value,
    /// What came of it at the server, whether or not the caller got to know.
    pub outcome: Outcome,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The fault that struck it.
    pub fault: Option<Fault>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done; this was the `result`.
    Done(Value),
    /// Refused, nothing done.
    Refused {
        /// HTTP status and `error_code`.
        code: u16,
        /// The vendor's words.
        description: String,
    },
    /// A fault kept the server from doing anything.
    Ignored,
}

/// A call that was read and not answered yet.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) token: String,
    pub(crate) method: String,
    pub(crate) raw: Result<Raw, Refusal>,
    pub(crate) fault: Option<Fault>,
}

/// A result with the words that some methods add to it.
pub(crate) struct Success {
    pub(crate) result: Value,
    pub(crate) description: Option<&'static str>,
}

impl From<Value> for Success {
    fn from(result: Value) -> Self {
        Self {
            result,
            description: None,
        }
    }
}

impl Shared {
    /// Does what a call asks for.
    pub(crate) fn perform(&self, call: Pending) -> Result<Value, Refusal> {
        let now_ms = self.clock.now_ms();
        let answered = {
            let mut world = self.world();
            perform(&mut world, call, now_ms)
        };
        self.wake.notify_waiters();
        answered
    }

    /// Keeps a call that a fault took before anything was done.
    pub(crate) fn note_ignored(&self, call: Pending, refusal: Option<&Refusal>) {
        let params = table::check(&call.method, call.raw.unwrap_or_default()).args.summary();
        let outcome = match refusal {
            Some(refusal) => Outcome::Refused {
                code: refusal.code,
                description: refusal.description.clone(),
            },
            None => Outcome::Ignored,
        };
        let at_ms = self.clock.now_ms();
        self.world().calls.push(Call {
            method: call.method,
            params,
            outcome,
            at_ms,
            fault: call.fault,
        });
    }
}

fn perform(world: &mut World, call: Pending, now_ms: i64) -> Result<Value, Refusal> {
    let Some(method) = table::method_name(&call.method) else {
        world.violation(format!("{}: no such method, or not simulated", call.method));
        return Err(Refusal::new(404, "Not Found: method not found"));
    };
    let (params, answered) = match authorised(world, &call.token).and_then(|bot| Ok((bot, call.raw?))) {
        Ok((bot, raw)) => {
            let checked = table::check(method, raw);
            (checked.args.summary(), run(world, bot, method, checked, now_ms))
        }
        Err(refusal) => (Value::Null, Err(refusal)),
    };
    let answered = answered.map_err(|refusal| world.unsettled.worded(refusal));
    let outcome = match &answered {
        Ok(success) => Outcome::Done(success.result.clone()),
        Err(refusal) => Outcome::Refused {
            code: refusal.code,
            description: refusal.description.clone(),
        },
    };
    if let Err(refusal) = &answered
        && refusal.violation
    {
        world.violation(format!("{method}: {}", refusal.description));
    }
    world.calls.push(Call {
        method: method.to_owned(),
        params,
        outcome,
        at_ms: now_ms,
        fault: call.fault,
    });
    answered.map(|success| {
        let mut body = json!({ "ok": true, "result": success.result });
        if let Some(description) = success.description {
            body["description"] = description.into();
        }
        body
    })
}

fn run(world: &mut World, bot: i64, method: &str, checked: Checked, now_ms: i64) -> Result<Success, Refusal> {
    world.violations.extend(checked.violations);
    match checked.refusal {
        Some(refusal) => Err(refusal),
        None => methods::run(
            methods::Context {
                world,
                bot,
                args: &checked.args,
                now_ms,
            },
            method,
        ),
    }
}

/// The bot that a token belongs to.
pub(crate) fn authorised(world: &World, token: &str) -> Result<i64, Refusal> {
    let Some((id, secret)) = token.split_once(':') else {
        return Err(Refusal::new(404, "Not Found"));
    };
    let Ok(id) = id.parse::<i64>() else {
        return Err(Refusal::new(404, "Not Found"));
    };
    if secret.is_empty()
        || !secret
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    {
        return Err(Refusal::new(401, "Unauthorized: invalid token specified"));
    }
    match world.bots.get(&id) {
        Some(bot) if bot.token == token => Ok(id),
        _ => Err(Refusal::new(401, "Unauthorized")),
    }
}
