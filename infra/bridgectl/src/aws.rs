//! A stack in an AWS account: its parts, and the clients that look into them.
//!
//! AWS is called over the same HTTP client as everything else. Who calls, and where, is found as the AWS command line finds it: the
//! environment, a profile, the machine's role.

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudformation::{
    error::{ProvideErrorMetadata, SdkError},
    types::Stack as Description,
};
use std::collections::BTreeMap;

/// Which stack.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct StackArgs {
    /// The name of the bridge's stack in AWS.
    #[arg(long)]
    pub stack: Option<String>,
    /// The AWS region of the stack; that of the environment or the profile without it.
    #[arg(long, requires = "stack")]
    pub region: Option<String>,
    /// The profile of the AWS command line to act as.
    #[arg(long, requires = "stack")]
    pub profile: Option<String>,
}

/// A stack that was made from this project's template.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    /// Its status, such as `UPDATE_COMPLETE`.
    pub status: String,
    /// What it is made of.
    pub parts: Parts,
    /// Its parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs, by name.
    pub outputs: BTreeMap<String, String>,
    config: SdkConfig,
}

/// The parts of a stack, under the names by which AWS knows them.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The table's name.
    pub table: String,
    /// The secret's ARN.
    pub secret: String,
    /// The URL of the queue towards Intercom.
    pub inbound_queue: String,
    /// The URL of the queue towards Telegram.
    pub outbound_queue: String,
    /// The URL of what was given up towards Intercom.
    pub inbound_dead: String,
    /// The URL of what was given up towards Telegram.
    pub outbound_dead: String,
    /// The function that Telegram calls.
    pub telegram_webhook: Function,
    /// The function that carries to Intercom.
    pub inbound_worker: Function,
    /// The function that Intercom calls.
    pub intercom_webhook: Function,
    /// The function that carries to Telegram.
    pub outbound_worker: Function,
    /// What calls that one regularly, each with the task that it names.
    pub schedules: Vec<(String, &'static str)>,
}

/// A function and where it logs.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The name of its log group.
    pub log: String,
}

impl StackArgs {
    /// Finds the stack, if one was named.
    pub async fn find(&self) -> anyhow::Result<Option<Stack>> {
        match &self.stack {
            Some(name) => Stack::find(name, config(self).await?).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Stack {
    /// Finds the stack and its parts.
    pub async fn find(name: &str, config: SdkConfig) -> anyhow::Result<Self> {
        let client = aws_sdk_cloudformation::Client::new(&config);
        let described = client.describe_stacks().stack_name(name).send().await;
        let described = described
            .map_err(refusal)
            .with_context(|| format!("the stack {name} cannot be looked at"))?;
        let stack = described.stacks().first();
        let stack = stack.with_context(|| format!("there is no stack {name}"))?;
        let resources = client.describe_stack_resources().stack_name(name).send().await;
        let resources = resources
            .map_err(refusal)
            .with_context(|| format!("the parts of the stack {name} cannot be looked at"))?;
        let parts = resources.stack_resources().iter().filter_map(|resource| {
            let (logical, physical) = (resource.logical_resource_id()?, resource.physical_resource_id()?);
            Some((logical.to_owned(), physical.to_owned()))
        });
        Ok(Self {
            name: name.to_owned(),
            status: stack
                .stack_status()
                .map_or_else(String::new, |status| status.as_str().into()),
            parts: Parts::of(name, &parts.collect())?,
            parameters: parameters(stack),
            outputs: outputs(stack),
            config,
        })
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> anyhow::Result<&str> {
        let value = self.outputs.get(name).map(String::as_str);
        value.with_context(|| format!("the stack {} has no output {name}", self.name))
    }

    /// A client of `CloudFormation`.
    pub fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        aws_sdk_cloudformation::Client::new(&self.config)
    }

    /// A client of CloudWatch Logs.
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.config)
    }

    /// A client of DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of Lambda.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// A client of Secrets Manager.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// A client of `EventBridge` Scheduler.
    pub fn scheduler(&self) -> aws_sdk_scheduler::Client {
        aws_sdk_scheduler::Client::new(&self.config)
    }

    /// A client of SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }
}

impl Parts {
    fn of(stack: &str, resources: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let part = |logical: &str| {
            let physical = resources.get(logical).filter(|physical| !physical.is_empty()).cloned();
            physical
                .with_context(|| format!("{stack} is not a stack of this bridge, or not whole: it has no {logical}"))
        };
        let function = |logical: &str| {
            anyhow::Ok(Function {
                name: part(logical)?,
                log: part(&format!("{logical}Log"))?,
            })
        };
        Ok(Self {
            table: part("Table")?,
            secret: part("Secret")?,
            inbound_queue: part("InboundQueue")?,
            outbound_queue: part("OutboundQueue")?,
            inbound_dead: part("InboundDeadLetters")?,
            outbound_dead: part("OutboundDeadLetters")?,
            telegram_webhook: function("TelegramWebhook")?,
            inbound_worker: function("InboundWorker")?,
            intercom_webhook: function("IntercomWebhook")?,
            outbound_worker: function("OutboundWorker")?,
            schedules: vec![(part("SweepSchedule")?, "sweep"), (part("WatchSchedule")?, "watch")]
                .into_iter()
                // There only if it is wanted.
                .chain(part("RotationSchedule").ok().map(|name| (name, "rotate")))
                .collect(),
        })
    }
}

fn parameters(stack: &Description) -> BTreeMap<String, String> {
    let pairs = stack.parameters().iter();
    pairs
        .filter_map(|one| Some((one.parameter_key()?.to_owned(), one.parameter_value()?.to_owned())))
        .collect()
}

fn outputs(stack: &Description) -> BTreeMap<String, String> {
    let pairs = stack.outputs().iter();
    pairs
        .filter_map(|one| Some((one.output_key()?.to_owned(), one.output_value()?.to_owned())))
        .collect()
}

/// Who calls AWS, and where.
async fn config(args: &StackArgs) -> anyhow::Result<SdkConfig> {
    let http = host::http_client().context("the HTTP client cannot be made")?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(host::Connector::new(http));
    if let Some(region) = &args.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &args.profile {
        loader = loader.profile_name(profile);
    }
    let config = loader.load().await;
    anyhow::ensure!(
        config.region().is_some(),
        "no AWS region: pass --region, or set AWS_REGION"
    );
    Ok(config)
}

/// What AWS says to a call that it does not carry out, or why it was not reached.
pub fn refusal<E, R>(error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let told = error
        .as_service_error()
        .and_then(|error| error.code().map(|code| (code, error.message().unwrap_or_default())));
    if let Some((code, message)) = told {
        return anyhow::anyhow!("{code}: {message}");
    }
    match error {
        SdkError::DispatchFailure(failure) if !failure.is_io() && !failure.is_timeout() => anyhow::anyhow!(
            "AWS cannot be called: are you signed in? What the AWS command line uses is found in environment and profile; after \
             `aws sso login` or `aws login`, run eval \"$(aws configure export-credentials --format env)\" first"
        ),
        SdkError::DispatchFailure(_) => anyhow::anyhow!("AWS cannot be reached"),
        SdkError::TimeoutError(_) => anyhow::anyhow!("AWS did not answer in time"),
        error => anyhow::Error::from(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in template.yaml: physical ones are as good as any.
    fn resources() -> BTreeMap<String, String> {
        let template = include_str!("../../../template.yaml");
        let (_, resources) = template.split_once("\nResources:\n").unwrap();
        let names = resources
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
        names
            .map(|name| (name.to_owned(), format!("physical-{name}")))
            .collect()
    }

    #[test]
    fn the_parts_are_those_of_the_template() {
        let parts = Parts::of("bridge", &resources()).unwrap();
        assert_eq!(parts.table, "physical-Table");
        assert_eq!(parts.outbound_worker.log, "physical-OutboundWorkerLog");
    }

    #[test]
    fn a_stack_that_is_not_the_bridges_is_told_apart() {
        let mut some = resources();
        some.remove("IntercomWebhook");
        let error = Parts::of("shop", &some).unwrap_err().to_string();
        assert!(error.contains("shop") && error.contains("IntercomWebhook"), "{error}");
    }
}
