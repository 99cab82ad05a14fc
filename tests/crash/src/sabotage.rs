//! The bridge broken on purpose, from outside, one rule at a time: the suite is worth what it finds here.

use bridgectl::stage::Ports;

/// One rule that is broken.
pub struct Sabotage {
    /// Which.
    pub name: &'static str,
    pub(crate) wrap: fn(Ports) -> Ports,
}

/// All of them.
pub const SABOTAGES: &[Sabotage] = &[];
