//! Intercom's Developer Hub, step by step: none of it can be done through an API, and most of it can be checked.

use super::{Patience, person::Person, ping};
use crate::{
    doctor::{self, INTERCOM_PATH},
    findings::{Findings, Level},
    install::Install,
};
use local::SystemClock;
use mapping::Clock as _;
use std::time::{Duration, Instant};

/// The events that the bridge listens to. What the seed of the idea called `conversation.contact.created` is `conversation.user.created`.
pub const EVENTS: [&str; 10] = [
    "conversation.user.created",
    "conversation.admin.replied",
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.open.assigned",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.admin.assigned",
    "conversation.operator.replied",
    "conversation_part.redacted",
];

/// The permissions that the app needs, as the Developer Hub calls them.
pub const PERMISSIONS: [&str; 7] = [
    "Read conversations",
    "Write conversations",
    "Read and list users and companies",
    "Write users and companies",
    "Read admins",
    "Read tags",
    "Write tags",
];

/// How long a changed secret may take to be in use where none was before, and somebody to start a program.
const TAKES_EFFECT: Duration = Duration::from_mins(1);

const DONE: &str = "Enter when it is done";

/// Goes through the steps.
pub(super) async fn walk_through(install: &Install, patience: Patience, person: &mut dyn Person) -> anyhow::Result<()> {
    person.tell("\nIn Intercom's Developer Hub (https://app.intercom.com/a/apps/_/developer-hub):");
    person.tell("  1. Your app: one of your own, made in this workspace and used for nothing else (New app, Internal integration).");
    person.tell(&format!("  2. Authentication, Edit: tick {}.", PERMISSIONS.join(", ")));
    person.does(DONE)?;
    check(&doctor::permissions(install).await?, person);
    person.tell(
        "  3. Basic information: the client secret is the one that you have given; only a notification can prove it.",
    );
    person.tell("  4. API version (Settings of the app): any from 2.14 on; what the bridge asks for names its own.");
    let Some(url) = install.public_url() else {
        person.tell("  5. Webhooks: run setup again with --public-url https://… when the bridge can be reached; serve prints the URL to enter.");
        return Ok(());
    };
    person.tell(&format!("  5. Webhooks: the endpoint URL is {url}{INTERCOM_PATH}"));
    let reached = reached(install, patience, person).await?;
    check(&reached, person);
    if reached.worst() != Level::Ok {
        person.tell("     Intercom asks for this URL when it is saved, and refuses it while it is not answered. Mend that first, then run setup again.");
        return Ok(());
    }
    person.tell(&format!("     Tick {}, then save.", EVENTS.join(", ")));
    if patience.in_all == Duration::ZERO {
        return Ok(());
    }
    wait_for_ping(install, patience, person).await
}

/// Looks at the webhooks until they are as they should be: functions take a secret that was just written within moments, and somebody
/// may have to start the bridge.
async fn reached(install: &Install, patience: Patience, person: &mut dyn Person) -> anyhow::Result<Findings> {
    let give_up = Instant::now() + patience.in_all.min(TAKES_EFFECT);
    let mut is_told = false;
    loop {
        let found = doctor::webhooks(install).await?;
        if found.worst() == Level::Ok || Instant::now() >= give_up {
            return Ok(found);
        }
        if !is_told {
            person.tell("     The bridge does not answer there as it should, yet. If it is not running, start it now. Waiting for a minute …");
            is_told = true;
        }
        tokio::time::sleep(patience.look_every).await;
    }
}

async fn wait_for_ping(install: &Install, patience: Patience, person: &mut dyn Person) -> anyhow::Result<()> {
    let since = SystemClock.now();
    person.tell("     Intercom sends a signed ping when it saves. Waiting for it …");
    if ping::came(install, since, patience).await? {
        person.tell("     ok: it came, so the URL, the events and the client secret are right");
    } else {
        person.tell(
            "     no ping came. If it was saved before, save it again; if Intercom refuses to save, the client secret or the URL is not the app's.",
        );
    }
    Ok(())
}

/// Tells what was found, indented.
fn check(found: &Findings, person: &mut dyn Person) {
    for line in found.lines() {
        person.tell(&format!("     {line}"));
    }
}
