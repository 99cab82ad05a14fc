//! What has to hold on any machine. What a busy machine changes has some room.

use crate::figures::Figures;

/// What a zip may have, in bytes.
const ZIPPED: usize = 3_000_000;

/// What a first answer may take, by that of the bare runtime: three times, and room for a machine that does something else.
const FIRST_ANSWER: f64 = 3.0 * 1.4;

/// What a million messages may cost, in US dollars.
const MILLION: f64 = 6.0;

/// What does not hold, in words.
pub(crate) fn exceeded(figures: &Figures) -> Vec<String> {
    let mut exceeded = Vec::new();
    for build in figures.builds.iter().filter(|build| build.zipped > ZIPPED) {
        exceeded.push(format!(
            "{} has {} bytes zipped, {ZIPPED} are allowed",
            build.function, build.zipped
        ));
    }
    for start in figures.cold_starts.iter().filter(|start| start.ratio > FIRST_ANSWER) {
        let (function, ratio) = (&start.function, start.ratio);
        exceeded.push(format!(
            "{function} takes {ratio:.1} times as long as the bare runtime, {FIRST_ANSWER} are allowed"
        ));
    }
    let total: f64 = figures.bill.iter().map(|line| line.both).sum();
    if total > MILLION {
        exceeded.push(format!(
            "a million messages cost {total:.2} dollars, {MILLION} are allowed"
        ));
    }
    exceeded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        figures::{Build, ColdStart},
        price::Line,
    };

    fn figures(zipped: usize, ratio: f64, dollars: f64) -> Figures {
        let function = "one".to_owned();
        Figures {
            builds: vec![Build {
                function: function.clone(),
                bytes: 1,
                zipped,
            }],
            cold_starts: vec![ColdStart {
                function,
                ratio,
                ..ColdStart::default()
            }],
            bill: vec![Line {
                item: "all",
                inbound: 0.0,
                outbound: 0.0,
                both: dollars,
            }],
            ..Figures::default()
        }
    }

    #[test]
    fn each_limit_is_watched() {
        assert!(exceeded(&figures(3_000_000, 4.0, 6.0)).is_empty());
        for beyond in [
            figures(3_000_001, 4.0, 6.0),
            figures(1, 4.3, 6.0),
            figures(1, 4.0, 6.01),
        ] {
            assert_eq!(exceeded(&beyond).len(), 1, "{beyond:?}");
        }
    }
}
