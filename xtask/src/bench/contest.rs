//! Turns, and the table that comes of them.

use std::time::Duration;

use serde_json::{Value, json};

use super::opponents::Opponent;
use super::process::cpu_seconds;
use crate::Failure;

/// What a table shows: where the figure is in a measurement (a JSON pointer), the heading, and the digits after the point.
pub(super) type Column = (&'static str, &'static str, usize);

/// Has each of `opponents` measured so often, prints the table, and gives the measurements.
#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn contest(
    title: &str,
    columns: &[Column],
    opponents: &[&Opponent],
    rounds: u32,
    mut measure: impl FnMut(&Opponent) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let mut all: Vec<Vec<Value>> = vec![Vec::new(); opponents.len()];
    for round in 0..rounds {
        let mut turns: Vec<usize> = (0..opponents.len()).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for turn in turns {
            settle(opponents)?;
            all[turn].push(measure(opponents[turn])?);
        }
    }
    println!("{}", table(title, columns, opponents, &all));
    let measurements = opponents
        .iter()
        .zip(all)
        .map(|(opponent, rounds)| json!({"scenario": title, "server": opponent.name, "rounds": rounds}));
    Ok(measurements.collect())
}

/// Waits until none of them has anything to do: what a server still compiles, collects or removes would be the next one's
/// cost. Not for ever.
fn settle(opponents: &[&Opponent]) -> Result<(), Failure> {
    const WINDOW: Duration = Duration::from_millis(500);
    /// Of a window that counts as quiet.
    const MOST: f64 = 0.03;
    const WINDOWS: u32 = 40;
    let total =
        || opponents.iter().map(|opponent| cpu_seconds(opponent.pid()?)).sum::<Result<f64, Failure>>();
    let mut before = total()?;
    for _ in 0..WINDOWS {
        std::thread::sleep(WINDOW);
        let now = total()?;
        if now - before <= MOST {
            break;
        }
        before = now;
    }
    Ok(())
}

/// The first opponent's figures, and those of the others with their ratios to it, round by round.
fn table(title: &str, columns: &[Column], opponents: &[&Opponent], rounds: &[Vec<Value>]) -> String {
    let headings: Vec<_> = columns.iter().map(|(_, heading, _)| *heading).collect();
    let mut text =
        format!("## {title}\n\n| | {} |\n|---{}|\n", headings.join(" | "), "|---:".repeat(columns.len()));
    let values = |server: usize, pointer: &str| -> Vec<f64> {
        let value = |round: &Value| round.pointer(pointer).and_then(Value::as_f64);
        rounds[server].iter().map(|round| value(round).unwrap_or(f64::NAN)).collect()
    };
    for (server, opponent) in opponents.iter().enumerate() {
        text += &format!("| {}", opponent.name);
        for (pointer, _, digits) in columns {
            let (median, least, most) = spread(values(server, pointer));
            text += &if median.is_nan() {
                " | –".to_owned()
            } else {
                format!(" | {median:.digits$} [{least:.digits$}–{most:.digits$}]")
            };
        }
        text += " |\n";
        if server == 0 {
            continue;
        }
        text += &format!("| {} ÷ {}", opponents[0].name, opponent.name);
        for (pointer, _, _) in columns {
            let pairs = values(0, pointer).into_iter().zip(values(server, pointer));
            let ratios: Vec<f64> = pairs.map(|(ours, other)| ours / other).collect();
            text += &match interval(&ratios) {
                _ if ratios.iter().all(|ratio| ratio.is_nan()) => " | –".to_owned(),
                Some((low, high)) => format!(" | {:.2} ({low:.2}–{high:.2})", spread(ratios).0),
                None => format!(" | {:.2}", spread(ratios).0),
            };
        }
        text += " |\n";
    }
    text
}

/// Median, least and greatest.
fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 || values.is_empty() {
        at(middle)
    } else {
        f64::midpoint(at(middle - 1), at(middle))
    };
    (median, at(0), at(values.len().saturating_sub(1)))
}

/// Where 95 % of the medians of resampled `values` lie (bootstrap). Of fewer than six it would be no more than their range,
/// which misses the true median too often for that figure.
fn interval(values: &[f64]) -> Option<(f64, f64)> {
    const RESAMPLES: usize = 2000;
    const FEWEST: usize = 6;
    if values.len() < FEWEST {
        return None;
    }
    let mut seed = 1_u64;
    let mut pick = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(seed >> 33) as usize % values.len()]
    };
    let mut medians: Vec<f64> =
        (0..RESAMPLES).map(|_| spread(values.iter().map(|_| pick()).collect()).0).collect();
    medians.sort_by(f64::total_cmp);
    Some((medians[RESAMPLES / 40], medians[RESAMPLES - 1 - RESAMPLES / 40]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_between_least_and_greatest() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(spread(vec![3.0, 1.0]), (2.0, 1.0, 3.0));
        assert!(spread(Vec::new()).0.is_nan());
    }

    #[test]
    fn the_interval_of_equal_values_is_a_point_and_of_others_holds_the_median() {
        assert_eq!(interval(&[2.0; 6]), Some((2.0, 2.0)));
        let (low, high) = interval(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).unwrap();
        assert!(low < 4.0 && 4.0 < high);
        assert_eq!(interval(&[1.0; 5]), None);
    }
}
