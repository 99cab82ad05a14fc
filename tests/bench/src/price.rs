//! What a million messages cost, at list prices without any free allowance.

use crate::usage::Usage;
use serde::Serialize;

/// A list price of us-east-1, x86-64.
struct Price {
    item: &'static str,
    /// US dollars, by so many of its unit.
    dollars: f64,
    by: f64,
    /// How much of it a message uses.
    used: fn(&Usage) -> f64,
}

const GB_SECOND: f64 = 0.000_016_666_7;

/// As of November 2026, from <https://aws.amazon.com/api-gateway/pricing/>, <https://aws.amazon.com/lambda/pricing/>,
/// <https://aws.amazon.com/sqs/pricing/>, <https://aws.amazon.com/dynamodb/pricing/on-demand/>, <https://aws.amazon.com/cloudwatch/pricing/>.
const PRICES: [Price; 7] = [
    Price {
        item: "HTTP API, requests",
        dollars: 1.00,
        by: 1e6,
        used: |usage| usage.api_requests,
    },
    Price {
        item: "Lambda, requests",
        dollars: 0.20,
        by: 1e6,
        used: |usage| usage.invocations,
    },
    Price {
        item: "Lambda, GB-seconds",
        dollars: GB_SECOND,
        by: 1.0,
        used: |usage| usage.gb_seconds,
    },
    Price {
        item: "SQS FIFO, requests",
        dollars: 0.50,
        by: 1e6,
        used: |usage| usage.queue_requests,
    },
    Price {
        item: "DynamoDB, write units",
        dollars: 0.625,
        by: 1e6,
        used: |usage| usage.write_units,
    },
    Price {
        item: "DynamoDB, read units",
        dollars: 0.125,
        by: 1e6,
        used: |usage| usage.read_units,
    },
    Price {
        item: "CloudWatch Logs, bytes taken in",
        dollars: 0.50,
        by: 1e9,
        used: |usage| usage.log_bytes,
    },
];

/// What costs the same however many messages there are, dollars a month.
pub(crate) const BY_THE_MONTH: [(&str, f64); 4] = [
    // Each metric of each function that was counted at least once in an hour; ten an account are free.
    ("a metric", 0.30),
    ("an alarm", 0.10),
    ("the secret", 0.40),
    // Lambda polls each of the two queues with five long polls of 20 s as long as nothing is in them.
    (
        "polls of empty queues",
        0.50 * 2.0 * 5.0 * 3.0 * 60.0 * 24.0 * 30.0 / 1e6,
    ),
];

/// One line of the bill.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    pub(crate) item: &'static str,
    /// US dollars for a million messages: to Intercom, to Telegram, and half of them each.
    pub(crate) inbound: f64,
    pub(crate) outbound: f64,
    pub(crate) both: f64,
}

/// What a tenth of a second adds that a vendor takes to answer the worker, in US dollars for a million messages.
pub(crate) fn waiting(usage: &Usage) -> f64 {
    0.1 * f64::from(usage.worker_mb) / 1024.0 * GB_SECOND * 1e6
}

/// What a million messages cost that use so much each: the first of these is to Intercom, the second to Telegram.
pub(crate) fn bill(usages: &[Usage; 2]) -> Vec<Line> {
    let line = |price: &Price| {
        let million = |usage: &Usage| (price.used)(usage) * 1e6 * price.dollars / price.by;
        let [inbound, outbound] = usages.each_ref().map(million);
        Line {
            item: price.item,
            inbound,
            outbound,
            both: f64::midpoint(inbound, outbound),
        }
    };
    PRICES.iter().map(line).collect()
}
