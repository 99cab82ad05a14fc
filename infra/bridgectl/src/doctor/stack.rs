//! The stack in AWS: the table and its backups, the queues and what was given up, the functions.

use crate::{
    aws::{Function, Stack, refusal},
    findings::Findings,
};
use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TimeToLiveStatus};
use aws_sdk_lambda::{operation::get_function_configuration::GetFunctionConfigurationOutput, types::State};
use aws_sdk_scheduler::{operation::get_schedule::GetScheduleOutput, types::ScheduleState};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

/// The attribute by which records expire.
const EXPIRES: &str = "expires_at";

/// What to do when AWS says no.
const ASK: &str = "act as somebody who may read the stack's parts, then run the doctor again";

/// Looks at every part.
pub(super) async fn examine(stack: &Stack, found: &mut Findings) {
    status(stack, found);
    table(stack, found).await;
    queues(stack, found).await;
    functions(stack, found).await;
    triggers(stack, found).await;
    schedules(stack, found).await;
}

fn status(stack: &Stack, found: &mut Findings) {
    let (check, words) = ("stack", format!("The stack {} is {}", stack.name, stack.status));
    match stack.status.as_str() {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => found.ok(check, words),
        status if status.ends_with("_IN_PROGRESS") => found.warning(check, words, "wait until it is done"),
        _ => found.broken(
            check,
            words,
            "the stack's events in the CloudFormation console say why; deploy again",
        ),
    }
}

async fn table(stack: &Stack, found: &mut Findings) {
    let (client, table) = (stack.dynamodb(), &stack.parts.table);
    let described = client.describe_table().table_name(table).send().await;
    let backups = client.describe_continuous_backups().table_name(table).send().await;
    let expiry = client.describe_time_to_live().table_name(table).send().await;
    match described {
        Ok(described) => {
            let protected = described
                .table()
                .is_some_and(|table| table.deletion_protection_enabled() == Some(true));
            if protected {
                found.ok(
                    "table",
                    format!("The table {table} is there, and protected from deletion"),
                );
            } else {
                found.warning(
                    "table",
                    format!("The table {table} is not protected from deletion"),
                    "DynamoDB console, the table, Additional settings, Deletion protection: turn it on",
                );
            }
        }
        Err(error) => return found.unchecked("table", format!("{:#}", refusal(error)), ASK),
    }
    match backups {
        Ok(backups) => {
            let recovery = backups.continuous_backups_description();
            let recovery = recovery.and_then(|backups| backups.point_in_time_recovery_description());
            let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status());
            if status == Some(&PointInTimeRecoveryStatus::Enabled) {
                found.ok("table.backup", "Point-in-time recovery is on");
            } else {
                found.broken(
                    "table.backup",
                    "Point-in-time recovery is off: what is lost in the table cannot be brought back",
                    "DynamoDB console, the table, Backups, Point-in-time recovery: turn it on; or deploy the template again",
                );
            }
        }
        Err(error) => found.unchecked("table.backup", format!("{:#}", refusal(error)), ASK),
    }
    match expiry {
        Ok(expiry) => {
            let expiry = expiry.time_to_live_description();
            let by = expiry.and_then(|expiry| expiry.attribute_name());
            let status = expiry.and_then(|expiry| expiry.time_to_live_status());
            if by == Some(EXPIRES) && status == Some(&TimeToLiveStatus::Enabled) {
                found.ok("table.expiry", "Finished records expire");
            } else {
                found.warning(
                    "table.expiry",
                    "Finished records do not expire: the table only grows",
                    format!("DynamoDB console, the table, Additional settings, Time to Live: turn it on for {EXPIRES}"),
                );
            }
        }
        Err(error) => found.unchecked("table.expiry", format!("{:#}", refusal(error)), ASK),
    }
}

async fn queues(stack: &Stack, found: &mut Findings) {
    let parts = &stack.parts;
    for (url, towards) in [(&parts.inbound_queue, "Intercom"), (&parts.outbound_queue, "Telegram")] {
        match waiting(stack, url).await {
            Ok(count) => found.ok("queues", format!("{count} messages are on their way to {towards}")),
            Err(problem) => found.unchecked("queues", problem, ASK),
        }
    }
    for (url, towards) in [(&parts.inbound_dead, "Intercom"), (&parts.outbound_dead, "Telegram")] {
        match waiting(stack, url).await {
            Ok(0) => found.ok("dead_letters", format!("Nothing was given up on its way to {towards}")),
            Ok(count) => found.warning(
                "dead_letters",
                format!("{count} messages were given up on their way to {towards}; whoever waited was told"),
                "the saved query \"Given up\" says why; when the cause is mended, start a DLQ redrive of this queue in the SQS console",
            ),
            Err(problem) => found.unchecked("dead_letters", problem, ASK),
        }
    }
}

async fn waiting(stack: &Stack, url: &str) -> Result<u64, String> {
    let counts = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let asked = stack
        .sqs()
        .get_queue_attributes()
        .queue_url(url)
        .set_attribute_names(Some(counts.to_vec()));
    let answer = asked.send().await.map_err(|error| format!("{:#}", refusal(error)))?;
    let attributes = answer.attributes();
    let count = |name| {
        attributes
            .and_then(|all| all.get(name)?.parse::<u64>().ok())
            .unwrap_or_default()
    };
    Ok(counts.iter().map(count).sum())
}

async fn functions(stack: &Stack, found: &mut Findings) {
    let parts = &stack.parts;
    let pairs = [
        ("telegram-ingress", &parts.telegram_webhook, &parts.inbound_worker),
        ("intercom-replies", &parts.intercom_webhook, &parts.outbound_worker),
    ];
    for (package, webhook, worker) in pairs {
        match (configuration(stack, webhook).await, configuration(stack, worker).await) {
            (Ok(webhook), Ok(worker)) => pair(package, &webhook, &worker, found),
            (Err(problem), _) | (_, Err(problem)) => found.unchecked("functions", problem, ASK),
        }
    }
}

async fn configuration(stack: &Stack, function: &Function) -> Result<GetFunctionConfigurationOutput, String> {
    let asked = stack
        .lambda()
        .get_function_configuration()
        .function_name(&function.name);
    asked.send().await.map_err(|error| format!("{:#}", refusal(error)))
}

/// Webhook and worker are one artefact, deployed twice.
fn pair(
    package: &str,
    webhook: &GetFunctionConfigurationOutput,
    worker: &GetFunctionConfigurationOutput,
    found: &mut Findings,
) {
    let check = "functions";
    for one in [webhook, worker] {
        let name = one.function_name().unwrap_or_default();
        if one
            .state()
            .is_some_and(|state| *state != State::Active && *state != State::Inactive)
        {
            let state = one.state().map_or("", State::as_str);
            let why = one.state_reason().unwrap_or("AWS does not say why");
            found.broken(check, format!("The function {name} is {state}: {why}"), "deploy again");
        }
    }
    let code = |one: &GetFunctionConfigurationOutput| {
        one.code_sha256()
            .unwrap_or_default()
            .chars()
            .take(12)
            .collect::<String>()
    };
    let modified = webhook.last_modified().unwrap_or_default();
    if code(webhook) == code(worker) {
        let words = format!(
            "{package} was deployed on {modified}, webhook and worker alike (code {})",
            code(webhook)
        );
        found.ok(check, words);
    } else {
        found.warning(
            check,
            format!(
                "The webhook and the worker of {package} are of different builds ({}, {})",
                code(webhook),
                code(worker)
            ),
            "sam build && sam deploy",
        );
    }
}

/// A queue that nobody empties keeps everything to itself.
async fn triggers(stack: &Stack, found: &mut Findings) {
    let parts = &stack.parts;
    for (worker, towards) in [
        (&parts.inbound_worker, "Intercom"),
        (&parts.outbound_worker, "Telegram"),
    ] {
        let asked = stack
            .lambda()
            .list_event_source_mappings()
            .function_name(&worker.name)
            .send()
            .await;
        match asked {
            Ok(list) => {
                let states: Vec<&str> = list
                    .event_source_mappings()
                    .iter()
                    .filter_map(|one| one.state())
                    .collect();
                if states
                    .iter()
                    .any(|state| matches!(*state, "Enabled" | "Enabling" | "Updating" | "Creating"))
                {
                    found.ok("triggers", format!("The queue towards {towards} is read"));
                } else {
                    found.broken(
                        "triggers",
                        format!("Nobody reads the queue towards {towards}"),
                        format!(
                            "Lambda console, {}, Configuration, Triggers: enable the SQS trigger",
                            worker.name
                        ),
                    );
                }
            }
            Err(error) => found.unchecked("triggers", format!("{:#}", refusal(error)), ASK),
        }
    }
}

/// What nobody calls does nothing, and says nothing of it.
async fn schedules(stack: &Stack, found: &mut Findings) {
    let worker = &stack.parts.outbound_worker.name;
    for (name, task) in &stack.parts.schedules {
        match stack.scheduler().get_schedule().name(name).send().await {
            Ok(schedule) => schedule_of(&schedule, (name, task), worker, found),
            Err(error) => found.unchecked("schedules", format!("{:#}", refusal(error)), ASK),
        }
    }
}

fn schedule_of(schedule: &GetScheduleOutput, (name, task): (&str, &str), worker: &str, found: &mut Findings) {
    let check = "schedules";
    let target = schedule.target();
    let arn = target.map_or("", |target| target.arn());
    let input = target.and_then(|target| serde_json::from_str::<Value>(target.input()?).ok());
    let asked = input.as_ref().and_then(|input| input.get("task")?.as_str());
    let rate = schedule.schedule_expression().unwrap_or("an unknown rate");
    if schedule.state() != Some(&ScheduleState::Enabled) {
        found.broken(
            check,
            format!("The schedule {name} is off: nothing calls the task {task}"),
            format!("EventBridge console, Scheduler, Schedules, {name}: enable it"),
        );
    } else if arn.rsplit(':').next() != Some(worker) || asked != Some(task) {
        found.broken(
            check,
            format!("The schedule {name} does not call the task {task} of {worker}"),
            "deploy again",
        );
    } else {
        found.ok(check, format!("The task {task} is called by schedule, {rate}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Level;
    use aws_sdk_scheduler::types::Target;

    fn judged(state: ScheduleState, arn: &str, input: &str) -> (Level, String) {
        let target = Target::builder()
            .arn(arn)
            .role_arn("arn:aws:iam::1:role/schedule")
            .input(input);
        let schedule = GetScheduleOutput::builder()
            .state(state)
            .schedule_expression("rate(5 minutes)")
            .target(target.build().unwrap())
            .build();
        let mut found = Findings::default();
        schedule_of(
            &schedule,
            ("bridge-Sweep-1", "sweep"),
            "bridge-OutboundWorker-1",
            &mut found,
        );
        let finding = found.iter().next().unwrap();
        (finding.level, finding.found.clone())
    }

    #[test]
    fn a_schedule_that_is_off_or_calls_something_else_is_broken() {
        let (worker, task) = (
            "arn:aws:lambda:us-east-1:1:function:bridge-OutboundWorker-1",
            r#"{"task":"sweep"}"#,
        );
        let well = judged(ScheduleState::Enabled, worker, task);
        assert_eq!(
            well,
            (
                Level::Ok,
                "The task sweep is called by schedule, rate(5 minutes)".into()
            )
        );
        assert_eq!(judged(ScheduleState::Disabled, worker, task).0, Level::Broken);
        assert_eq!(
            judged(ScheduleState::Enabled, worker, r#"{"task":"watch"}"#).0,
            Level::Broken
        );
        let other = "arn:aws:lambda:us-east-1:1:function:another";
        assert_eq!(judged(ScheduleState::Enabled, other, task).0, Level::Broken);
    }
}
