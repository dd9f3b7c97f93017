//! Draws faults from the seed: one or two at a time, then a while in which everything heals.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_env::{Rng, SeededRng};

use crate::Failure;
use crate::cluster::Cluster;
use crate::faults::{FAULTS, Fault, Victims};
use crate::journal::Journal;
use crate::quorum::active_controller;

/// How long everything heals, at least and at most.
const REST: (Duration, Duration) = (Duration::from_millis(1000), Duration::from_millis(4000));
/// One in so many times two faults at once.
const TWO_IN: u64 = 3;

/// A fault that was: which, whom it hit, from when to when.
pub(crate) struct Past {
    pub(crate) name: &'static str,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

pub(crate) struct Nemesis {
    rng: SeededRng,
    faults: Vec<&'static Fault>,
    journal: Journal,
    pub(crate) past: Vec<Past>,
}

impl Nemesis {
    /// Draws from all faults, or from those that are named.
    pub(crate) fn new(seed: u64, only: &[String], journal: Journal) -> Result<Self, Failure> {
        let known: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
        if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("there is no fault {unknown}; there are {}", known.join(", ")).into());
        }
        let wanted = |fault: &&Fault| only.is_empty() || only.iter().any(|name| name == fault.name);
        let faults = FAULTS.iter().filter(wanted).collect();
        Ok(Self { rng: SeededRng::new(seed), faults, journal, past: Vec::new() })
    }

    /// One or two faults, from their beginning to their end, and a rest.
    pub(crate) fn strike(&mut self, cluster: &mut Cluster) -> Result<(), Failure> {
        let mut under_way = vec![self.begin(cluster, &[])?];
        if self.rng.below(TWO_IN) == 0 && under_way.iter().all(|(fault, ..)| fault.victims != Victims::All) {
            let wait = self.between((Duration::ZERO, Duration::from_secs(2)));
            cluster.pass(wait);
            let hit: Vec<i32> = under_way.iter().flat_map(|(_, ids, _)| ids.clone()).collect();
            under_way.push(self.begin(cluster, &hit)?);
        }
        let longest = under_way.iter().map(|(fault, ..)| fault.lasts).max().unwrap_or_default();
        let lasts = self.between(longest);
        cluster.pass(lasts);
        // The one that began first does not always end last.
        if under_way.len() > 1 && self.rng.below(2) == 0 {
            under_way.reverse();
        }
        for (fault, ids, from) in under_way {
            (fault.end)(cluster, &ids)?;
            cluster.tell(format_args!("{} of {ids:?} ends", fault.name));
            self.past.push(Past { name: fault.name, from, to: self.journal.now() });
            let between = self.between((Duration::ZERO, Duration::from_millis(500)));
            cluster.pass(between);
        }
        let rest = self.between(REST);
        cluster.pass(rest);
        Ok(())
    }

    /// Begins a fault that hits others than `spared`, if it can be.
    fn begin(
        &mut self,
        cluster: &mut Cluster,
        spared: &[i32],
    ) -> Result<(&'static Fault, Vec<i32>, Duration), Failure> {
        let fault = self.draw(!spared.is_empty());
        let ids = self.victims(cluster, fault.victims, spared);
        let from = self.journal.now();
        cluster.tell(format_args!("{} of {ids:?} begins", fault.name));
        (fault.begin)(cluster, &ids)?;
        Ok((fault, ids, from))
    }

    /// By weight; what hits all nodes at once is not drawn as a second.
    fn draw(&mut self, second: bool) -> &'static Fault {
        let fits = |fault: &&&'static Fault| !second || fault.victims != Victims::All;
        let total: u64 = self.faults.iter().filter(fits).map(|fault| fault.weight).sum();
        let mut at = self.rng.below(total);
        for fault in self.faults.iter().filter(fits) {
            if at < fault.weight {
                return fault;
            }
            at -= fault.weight;
        }
        // Only if none of the wanted ones fits as a second.
        self.faults.first().copied().unwrap_or(&FAULTS[0])
    }

    fn victims(&mut self, cluster: &Cluster, whom: Victims, spared: &[i32]) -> Vec<i32> {
        let all: Vec<i32> = cluster.nodes.keys().copied().collect();
        // Drawn whether it is needed or not, so that the seed gives the same whoever leads.
        let mut shuffled: BTreeMap<u64, i32> = BTreeMap::new();
        for id in &all {
            shuffled.insert(self.rng.next_u64(), *id);
        }
        let order: Vec<i32> = shuffled.into_values().collect();
        let some = |count: usize| {
            let preferred = order.iter().filter(|id| !spared.contains(id));
            preferred.chain(order.iter().filter(|id| spared.contains(id))).copied().take(count).collect()
        };
        match whom {
            Victims::One => some(1),
            Victims::Two => some(2),
            Victims::Minority => some((all.len() - 1) / 2),
            Victims::All => all,
            Victims::ActiveController => {
                let mut asked =
                    order.iter().filter(|id| cluster.nodes.get(id).is_some_and(crate::node::Node::serves));
                asked.find_map(|id| active_controller(*id)).map_or_else(|| some(1), |id| vec![id])
            }
        }
    }

    fn between(&mut self, (least, most): (Duration, Duration)) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(0);
        least + Duration::from_millis(self.rng.below(span + 1))
    }
}
