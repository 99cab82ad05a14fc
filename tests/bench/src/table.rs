//! The figures as tables in Markdown.

use crate::{
    figures::Figures,
    price::{BY_THE_MONTH, waiting},
};
use std::fmt;

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cold(f)?;
        self.warm(f)?;
        self.usage(f)?;
        self.price(f)?;
        self.served(f)
    }
}

/// The heading of a table, if it has rows.
fn head<T>(f: &mut fmt::Formatter<'_>, rows: &[T], columns: &[&str]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let rule = vec!["---"; columns.len()].join(" | ");
    writeln!(f, "\n| {} |\n| {rule} |", columns.join(" | "))
}

impl Figures {
    fn cold(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, &self.builds, &["function", "bytes", "zipped"])?;
        for build in &self.builds {
            writeln!(f, "| {} | {} | {} |", build.function, build.bytes, build.zipped)?;
        }
        let columns = [
            "start to first answer",
            "AWS over",
            "share of a processor",
            "ms",
            "× bare",
            "CPU ms",
            "× bare",
            "most MB",
        ];
        head(f, &self.cold_starts, &columns)?;
        for start in &self.cold_starts {
            let over = if start.tls { "TLS" } else { "plain" };
            let share = start
                .memory_mb
                .map_or_else(|| "whole".to_owned(), |memory| format!("of {memory} MB"));
            write!(
                f,
                "| {} | {over} | {share} | {:.1} ",
                start.function, start.first_answer_ms
            )?;
            write!(
                f,
                "| {:.2} | {:.1} | {:.2} ",
                start.ratio, start.cpu_ms, start.cpu_ratio
            )?;
            writeln!(f, "| {:.1} |", start.peak_mb)?;
        }
        Ok(())
    }

    fn warm(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        head(f, &self.warm, &["awake", "p50 ms", "p99 ms", "× SendMessage", "CPU ms"])?;
        for warm in &self.warm {
            write!(f, "| {} | {:.2} | {:.2} ", warm.what, warm.p50_ms, warm.p99_ms)?;
            writeln!(f, "| {:.2} | {:.2} |", warm.ratio, warm.cpu_ms)?;
        }
        Ok(())
    }

    fn usage(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [
            "a message uses",
            "vendor calls",
            "invocations",
            "ms webhook",
            "ms worker",
            "GB-s",
            "write units",
            "read units",
            "SQS requests",
            "log bytes",
            "lines that count",
        ];
        head(f, &self.usages, &columns)?;
        for usage in &self.usages {
            write!(
                f,
                "| {} | {:.2} | {:.2} ",
                usage.direction, usage.vendor_calls, usage.invocations
            )?;
            write!(
                f,
                "| {:.0} | {:.0} | {:.4} ",
                usage.webhook_ms, usage.worker_ms, usage.gb_seconds
            )?;
            write!(
                f,
                "| {:.2} | {:.2} | {:.2} ",
                usage.write_units, usage.read_units, usage.queue_requests
            )?;
            writeln!(f, "| {:.0} | {:.2} |", usage.log_bytes, usage.metric_lines)?;
        }
        Ok(())
    }

    fn price(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bill.is_empty() {
            return Ok(());
        }
        head(
            f,
            &self.bill,
            &[
                "a million messages, US dollars",
                "to Intercom",
                "to Telegram",
                "half each",
            ],
        )?;
        for line in &self.bill {
            writeln!(
                f,
                "| {} | {:.2} | {:.2} | {:.2} |",
                line.item, line.inbound, line.outbound, line.both
            )?;
        }
        let sum = |each: fn(&crate::price::Line) -> f64| self.bill.iter().map(each).sum::<f64>();
        let (inbound, outbound) = (sum(|line| line.inbound), sum(|line| line.outbound));
        writeln!(
            f,
            "| **together** | {inbound:.2} | {outbound:.2} | **{:.2}** |",
            sum(|line| line.both)
        )?;
        if let Some(waiting) = self.usages.first().map(waiting) {
            writeln!(
                f,
                "\nThe vendors answer at once here; each 0.1 s that they take adds {waiting:.2}."
            )?;
        }
        write!(
            f,
            "\nA month, however many there are ({} metrics counted):",
            self.metrics
        )?;
        for (item, dollars) in BY_THE_MONTH {
            write!(f, " {item} {dollars:.2};")?;
        }
        writeln!(f)
    }

    fn served(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [
            "`serve`, links",
            "direction",
            "messages",
            "messages a second",
            "CPU ms each",
            "of the others",
            "most MB",
            "file MB",
        ];
        head(f, &self.served, &columns)?;
        for served in &self.served {
            write!(f, "| {} | {} | {} ", served.links, served.direction, served.messages)?;
            write!(
                f,
                "| {:.0} | {:.2} | {:.2} ",
                served.messages_a_second, served.cpu_ms, served.others_cpu_ms
            )?;
            writeln!(f, "| {} | {} |", served.peak_mb, served.file_mb)?;
        }
        Ok(())
    }
}
