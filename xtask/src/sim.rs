//! `cargo xtask sim`: the simulated cluster of one seed, with all that happened, or of many in search of one that breaks a rule.

use ottla_sim::{Counts, Options, Outcome};

use crate::Failure;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many; of more than one only what broke a rule is told
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Only lines that contain this
    #[arg(long)]
    grep: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { seed, count, grep } = arguments;
    let mut counts = Counts::default();
    let mut broken = Vec::new();
    for seed in *seed..seed + count {
        let outcome = ottla_sim::run(seed, &Options { keep_trace: *count == 1, ..Options::of(seed) });
        counts.merge(&outcome.counts);
        tell(&outcome, grep.as_deref(), *count == 1);
        if !outcome.violations.is_empty() {
            broken.push(seed);
        }
    }
    say(&counts.to_string());
    if broken.is_empty() { Ok(()) } else { Err(format!("seeds that break a rule: {broken:?}").into()) }
}

fn tell(outcome: &Outcome, grep: Option<&str>, summary: bool) {
    let wanted = |line: &&String| grep.is_none_or(|part| line.contains(part));
    outcome.trace.iter().filter(wanted).for_each(|line| say(line));
    for violation in &outcome.violations {
        say(&format!("seed {}: {}: {}", outcome.seed, violation.rule, violation.message));
    }
    if summary {
        let Outcome { events, faults, hash, .. } = outcome;
        say(&format!("{events} events, {faults} faults, trace {hash:016x}"));
    }
}

#[expect(clippy::print_stdout, reason = "the trace is what this command is for")]
fn say(line: &str) {
    println!("{line}");
}
