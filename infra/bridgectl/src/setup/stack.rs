//! Secrets and settings of a stack.

use super::{person::Person, plan::Change};
use crate::{
    aws::{Stack, refusal},
    install::{parameter, secret},
};
use anyhow::Context as _;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// How often `CloudFormation` is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Writes the secrets that change into the stack's secret; its other keys stay.
pub(super) async fn write_secrets(stack: &Stack, changes: &[Change<'_>]) -> anyhow::Result<()> {
    let mut keys = secret(stack).await?;
    for (variable, secrets) in changes {
        let texts: Vec<Value> = secrets.iter().map(|secret| secret.expose().into()).collect();
        let (key, value) = match *variable {
            "TELEGRAM_BOT_TOKEN" => ("telegram_bot_token", texts.into_iter().next().unwrap_or_default()),
            "INTERCOM_ACCESS_TOKEN" => ("intercom_access_token", texts.into_iter().next().unwrap_or_default()),
            "TELEGRAM_WEBHOOK_SECRET" => ("telegram_webhook_secrets", texts.into()),
            _ => ("intercom_client_secrets", texts.into()),
        };
        keys.insert(key.into(), value);
    }
    let text = Value::Object(keys).to_string();
    let put = stack
        .secrets_manager()
        .put_secret_value()
        .secret_id(&stack.parts.secret)
        .secret_string(text);
    let put = put.send().await.map_err(refusal);
    put.context("the stack's secret cannot be written").map(drop)
}

/// Changes parameters of the stack, and nothing else of it.
pub(super) async fn write_settings(
    stack: &Stack,
    settings: &BTreeMap<&'static str, String>,
    person: &mut dyn Person,
) -> anyhow::Result<()> {
    let changes: BTreeMap<String, &String> = settings.iter().map(|(name, value)| (parameter(name), value)).collect();
    let parameters = stack
        .parameters
        .keys()
        .chain(changes.keys().filter(|key| !stack.parameters.contains_key(*key)));
    let parameters = parameters.map(|key| {
        let parameter = Parameter::builder().parameter_key(key);
        match changes.get(key) {
            Some(value) => parameter.parameter_value(*value),
            None => parameter.use_previous_value(true),
        }
        .build()
    });
    let update = stack
        .cloudformation()
        .update_stack()
        .stack_name(&stack.name)
        .use_previous_template(true);
    let update = update
        .set_parameters(Some(parameters.collect()))
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand);
    update
        .send()
        .await
        .map_err(refusal)
        .context("the stack's parameters cannot be changed")?;
    finished(stack).await?;
    let overrides: Vec<String> = changes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    person.tell(&format!(
        "  if you deploy with a samconfig.toml, write the same into its parameter_overrides: {}",
        overrides.join(" ")
    ));
    Ok(())
}

async fn finished(stack: &Stack) -> anyhow::Result<()> {
    loop {
        let described = stack
            .cloudformation()
            .describe_stacks()
            .stack_name(&stack.name)
            .send()
            .await;
        let described = described.map_err(refusal)?;
        let status = described.stacks().first().and_then(|stack| stack.stack_status());
        match status.map_or("gone", |status| status.as_str()) {
            "UPDATE_COMPLETE" => return Ok(()),
            status if status.ends_with("_IN_PROGRESS") => tokio::time::sleep(LOOK_EVERY).await,
            status => anyhow::bail!("the stack is {status}; its events in the CloudFormation console say why"),
        }
    }
}
