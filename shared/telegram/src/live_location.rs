//! Where somebody is while they share it: their app changes the message every few seconds, and once more when that ends.
//!
//! <https://core.telegram.org/bots/api#location>: `live_period` is there for active live locations only.

use crate::{
    content,
    fields::{Shape, shape},
    message::Message,
};
use bridge::rich_text::{Block, RichText};

/// What a step is called that is not carried.
pub(crate) const STEP: &str = "live_location";

/// What a changed message is to a live location.
pub(crate) enum LiveLocation {
    /// Nothing: it is another message.
    None,
    /// A step of somebody's walk.
    Step,
    /// Where it ended, in words.
    End(RichText),
}

/// What a changed message is to a live location. No other place can be changed.
pub(crate) fn of(message: Message<'_>) -> LiveLocation {
    if shape(message.0) != Shape::Content("location") {
        return LiveLocation::None;
    }
    let Some(location) = message.0.get("location") else {
        return LiveLocation::None;
    };
    if location.integer("live_period").is_some() {
        return LiveLocation::Step;
    }
    LiveLocation::End(RichText(vec![Block::paragraph(vec![content::last_place(location)])]))
}
