//! What the template says of a function.

use crate::function::Deployed;
use anyhow::Context as _;
use std::{path::Path, time::Duration};

/// The template, as text.
pub(crate) struct Template(String);

impl Template {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self(text))
    }

    /// How a function is deployed.
    pub(crate) fn function(&self, resource: &str) -> anyhow::Result<Deployed> {
        let number = |property: &str| -> anyhow::Result<u32> {
            let value = self.property(resource, property);
            let value = value.with_context(|| format!("the template gives {resource} no {property}"))?;
            Ok(value.parse()?)
        };
        Ok(Deployed {
            memory: number("MemorySize")?,
            timeout: Duration::from_secs(number("Timeout")?.into()),
        })
    }

    /// Whether Lambda writes three lines of its own into a function's log at each invocation.
    pub(crate) fn tells_of_each_invocation(&self, resource: &str) -> bool {
        let logging = self.property(resource, "LoggingConfig");
        !logging.is_some_and(|logging| logging.contains("SystemLogLevel: WARN"))
    }

    /// A property of a resource that stands on one line.
    fn property(&self, resource: &str, property: &str) -> Option<&str> {
        let heading = format!("\n  {resource}:\n");
        let (_, rest) = self.0.split_once(&heading)?;
        let mut inside = rest
            .lines()
            .take_while(|line| line.starts_with("    ") || line.trim().is_empty());
        let name = format!("      {property}: ");
        inside.find_map(|line| line.strip_prefix(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deployed_is_read_from_the_template() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let template = Template::read(Path::new(path)).unwrap();
        for resource in ["TelegramWebhook", "InboundWorker", "IntercomWebhook", "OutboundWorker"] {
            let deployed = template.function(resource).unwrap();
            assert!((128..=1024).contains(&deployed.memory), "{resource}: {deployed:?}");
        }
        assert_eq!(
            template.function("TelegramWebhook").unwrap().timeout,
            Duration::from_secs(5)
        );
        assert!(template.function("Table").is_err());
    }
}
