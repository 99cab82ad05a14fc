//! Intercom: the token, the workspace and its region, who is named in the settings, what the app may do.

use super::Look;
use crate::{
    findings::Findings,
    region::{self, Region},
};
use bridge::{failure::HelpdeskError, ports::Assignee};
use intercom::{Named, Scope};
use mapping::AdminId;
use std::time::{Duration, SystemTime};

/// How far clocks may be apart: an opening is looked for by its time.
const SKEW: Duration = Duration::from_secs(30);

/// Looks at Intercom.
pub(super) async fn examine(look: &Look<'_>, found: &mut Findings) {
    if look.install.secrets.access_token.is_none() {
        return;
    }
    if token(look, found).await {
        people(look, found).await;
        scopes(look, found).await;
    }
    clock(look, found).await;
}

fn unreachable(check: &'static str, error: &HelpdeskError, found: &mut Findings) {
    found.unchecked(
        check,
        format!("failed to {error}"),
        "see whether this machine reaches Intercom's API, then run the doctor again",
    );
}

/// Whether the token is good.
async fn token(look: &Look<'_>, found: &mut Findings) -> bool {
    let check = "intercom.token";
    match look.intercom.workspace().await {
        Ok(workspace) => {
            let region = workspace.region.as_deref().unwrap_or("unknown");
            found.ok(
                check,
                format!(
                    "The access token is that of {} in the workspace {} ({}), region {region}",
                    workspace.admin.name, workspace.name, workspace.id
                ),
            );
            true
        }
        Err(HelpdeskError::Unauthorized { reason }) => {
            refused(look, &reason, found).await;
            false
        }
        Err(error) => {
            unreachable(check, &error, found);
            false
        }
    }
}

/// A token is refused by every region but its own.
async fn refused(look: &Look<'_>, reason: &str, found: &mut Findings) {
    let check = "intercom.token";
    let elsewhere = match look.install.setting("INTERCOM_API_URL") {
        Some(_) => None,
        None => region::find(&look.install.secrets, &Region::all())
            .await
            .ok()
            .and_then(region::Search::found),
    };
    match elsewhere {
        Some((region, workspace)) => found.broken(
            check,
            format!(
                "The access token is for another region: {} is in {}",
                workspace.name, region.name
            ),
            format!(
                "set {} to {}",
                look.install.where_setting_is("INTERCOM_REGION"),
                region.name
            ),
        ),
        None => found.broken(
            check,
            format!("Intercom refuses the access token in every region: {reason}"),
            format!(
                "copy it from the Developer Hub (your app, Authentication) into {}: bridgectl setup asks for it",
                look.install.where_secrets_are()
            ),
        ),
    }
}

/// Whether everybody whom the settings name is there.
async fn people(look: &Look<'_>, found: &mut Findings) {
    let mut admins: Vec<(&'static str, AdminId)> = Vec::new();
    admins.extend(
        look.config
            .intercom_admin
            .clone()
            .map(|admin| ("INTERCOM_ADMIN_ID", admin)),
    );
    admins.extend(
        look.config
            .staff
            .values()
            .flatten()
            .map(|admin| ("STAFF", admin.clone())),
    );
    let mut teams = Vec::new();
    for assignee in assignees(look) {
        match assignee {
            Assignee::Admin(admin) => admins.push(("INTERCOM_ASSIGNEE", admin)),
            Assignee::Team(team) => teams.push(team),
        }
    }
    for (setting, admin) in admins {
        let is_there = look.intercom.admin(&admin).await;
        present(look, setting, &format!("admin {admin}"), is_there, found);
    }
    if teams.is_empty() {
        return;
    }
    let known = look.intercom.teams().await;
    for id in teams {
        let team = known.clone().map(|teams| teams.into_iter().find(|team| team.id == id));
        present(look, "INTERCOM_ASSIGNEE", &format!("team {id}"), team, found);
    }
}

fn assignees(look: &Look<'_>) -> Vec<Assignee> {
    let mut all: Vec<Assignee> = Vec::new();
    for chat in &look.config.chats {
        let one = look.config.assignees.of(*chat).cloned();
        all.extend(one.filter(|one| !all.contains(one)));
    }
    all
}

fn present(
    look: &Look<'_>,
    setting: &str,
    who: &str,
    is_there: Result<Option<Named>, HelpdeskError>,
    found: &mut Findings,
) {
    let check = "intercom.people";
    match is_there {
        Ok(Some(named)) => found.ok(check, format!("{setting}: {who} is {}", named.name)),
        Ok(None) => found.broken(
            check,
            format!("{setting}: there is no {who} in this workspace"),
            format!(
                "change {}; the number at the end of their page's URL in Intercom is the id",
                look.install.where_setting_is(setting)
            ),
        ),
        Err(error) => unreachable(check, &error, found),
    }
}

pub(super) async fn scopes(look: &Look<'_>, found: &mut Findings) {
    let check = "intercom.permissions";
    let mut missing = Vec::new();
    for scope in Scope::ALL {
        match look.intercom.has(scope).await {
            Ok(true) => {}
            Ok(false) => missing.push(scope.name()),
            Err(error) => return unreachable(check, &error, found),
        }
    }
    if missing.is_empty() {
        found.ok(
            check,
            "The app may read what it needs; that it may write shows with the first message, for nothing is written to try",
        );
    } else {
        found.broken(
            check,
            format!("The app lacks the permission: {}", missing.join(", ")),
            "tick it in the Developer Hub (your app, Authentication, Edit); Intercom may give the app another access token then",
        );
    }
}

/// The clock of this machine against Intercom's.
async fn clock(look: &Look<'_>, found: &mut Findings) {
    let check = "clock";
    let date = look.intercom.date().await.ok().flatten();
    let date = date.and_then(|date| httpdate::parse_http_date(&date).ok());
    match date.map(|date| apart(date, SystemTime::now())) {
        Some(apart) if apart <= SKEW => found.ok(check, "This machine's clock agrees with Intercom's"),
        Some(apart) => found.broken(
            check,
            format!("This machine's clock and Intercom's are {} s apart", apart.as_secs()),
            "let the machine get its time from the network (timedatectl set-ntp true)",
        ),
        None => found.unchecked(
            check,
            "Intercom did not say what time it is",
            "see whether this machine reaches Intercom's API",
        ),
    }
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|error| error.duration())
}
