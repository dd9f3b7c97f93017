use std::time::Duration;

use crate::{Counts, Options, run};

/// A number from the environment, for longer runs.
fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

/// Runs seeds until `enough` of them have broken a rule; tells how to see again what went wrong.
fn run_seeds(seeds: impl Iterator<Item = u64>, enough: usize) -> Counts {
    let mut counts = Counts::default();
    let mut broken = Vec::new();
    for seed in seeds {
        let outcome = run(seed, &Options::of(seed));
        if !outcome.violations.is_empty() {
            broken.push(format!("cargo xtask sim --seed {seed}: {:?}", outcome.violations));
        }
        if broken.len() == enough {
            break;
        }
        let (events, faults) = (outcome.events, outcome.faults);
        assert!(
            events >= 1000 && faults >= 3,
            "seed {seed} saw too little: {events} events, {faults} faults"
        );
        counts.merge(&outcome.counts);
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    counts
}

#[test]
fn the_cluster_keeps_its_promises_whatever_fails() {
    let count = from_env("OTTLA_SIM_SEEDS").unwrap_or(2000);
    let first = from_env("OTTLA_SIM_FIRST").unwrap_or(0);
    let counts = run_seeds(first..first + count, 20);
    println!("{counts}");
    assert_eq!(counts.missing(), Vec::<&str>::new(), "{counts}");
}

/// What planted bugs have to fail.
#[test]
fn the_first_seeds_keep_every_promise() {
    run_seeds(0..600, 1);
}

/// Brokers pull metadata from any controller, also from one that has not heard of their registration.
#[test]
fn a_restarted_broker_does_not_lead_in_an_epoch_of_its_former_process() {
    run_seeds(0..200, 1);
}

/// Its heartbeats come through, and its metadata does not.
#[test]
fn a_leader_that_does_not_hear_of_its_successor_stops_when_its_lease_ends() {
    let counts = run_seeds(0..200, 1);
    assert!(counts.of("leases not prolonged") > 0, "{counts}");
}

/// Replicas on three of four or five nodes; nothing fails.
#[test]
fn a_cluster_that_nothing_happens_to_ends_balanced() {
    for seed in 0..24 {
        let options = Options {
            nodes: 4 + (seed % 2) as i32,
            balance: true,
            faults_for: Duration::ZERO,
            ..Options::of(seed)
        };
        let outcome = run(seed, &options);
        assert_eq!(outcome.violations, [], "seed {seed}");
        let (moves, ended) =
            (outcome.counts.of("balancer moves"), outcome.counts.of("reassignments completed"));
        assert!(moves >= ended && ended >= 3, "seed {seed}: {moves} moves, {ended} ended");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..8 {
        let options = Options::of(seed);
        assert_eq!(run(seed, &options).hash, run(seed, &options).hash);
        assert_eq!(run(seed, &options).hash, run(seed, &Options { keep_trace: true, ..options }).hash);
    }
    assert_ne!(run(1, &Options::of(1)).hash, run(2, &Options::of(1)).hash);
}
