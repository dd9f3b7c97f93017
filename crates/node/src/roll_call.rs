//! What the other voters that this node names say while it waits for them: it tells who does not answer, and whose voters are
//! others. A quorum without this node never calls it.

use std::convert::Infallible;
use std::fmt;

use ottla_config::{BrokerConfig, Voter};
use ottla_controller::Controller;

use crate::controllers::{self, Told};
use crate::lobby::TELL_EVERY;

/// The answers.
#[derive(Debug)]
pub(crate) struct RollCall {
    me: i32,
    /// As `controller.quorum.voters` of this node names them.
    named: Vec<i32>,
    silent: Vec<i32>,
    /// Who has other voters, and which.
    differing: Vec<(i32, Vec<i32>)>,
}

impl RollCall {
    /// Before anybody was asked.
    pub(crate) fn new(config: &BrokerConfig) -> Self {
        let named = sorted(config.quorum.voters.iter().map(|voter| voter.id).collect());
        Self { me: config.node.node_id.0, named, silent: Vec::new(), differing: Vec::new() }
    }

    /// After all were asked.
    pub(crate) async fn of(config: &BrokerConfig) -> Self {
        let mut called = Self::new(config);
        for voter in called.others(config) {
            let told = controllers::ask(&voter.endpoint.to_string()).await;
            called.note(voter.id, &told);
        }
        called
    }

    /// Whom to ask.
    pub(crate) fn others<'a>(&self, config: &'a BrokerConfig) -> impl Iterator<Item = &'a Voter> + use<'a> {
        let me = self.me;
        config.quorum.voters.iter().filter(move |voter| voter.id != me)
    }

    /// What a voter said.
    pub(crate) fn note(&mut self, voter: i32, told: &Told) {
        match told {
            Told::Nothing => self.silent.push(voter),
            Told::Cluster(_, voters) | Told::KnowsNone(voters) => {
                let voters = sorted(voters.clone());
                // One that knows of none is about to join a quorum.
                if !voters.is_empty() && voters != self.named {
                    self.differing.push((voter, voters));
                }
            }
        }
    }

    /// Whether everybody answered, and means the same voters: where they do not, two might each begin a cluster.
    pub(crate) const fn is_complete(&self) -> bool {
        self.silent.is_empty() && self.differing.is_empty()
    }
}

impl fmt::Display for RollCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let silent = self.silent.iter().map(|voter| format!("voter {voter} does not answer"));
        let differing = self.differing.iter().map(|(voter, voters)| {
            format!(
                "voter {voter} has the voters {}, but controller.quorum.voters of this node names {}: make them the same on \
                 all nodes",
                list(voters),
                list(&self.named)
            )
        });
        let what: Vec<String> = silent.chain(differing).collect();
        match what.is_empty() {
            true => f.write_str("all voters answer, the one with the lowest node.id begins"),
            false => f.write_str(&what.join("; ")),
        }
    }
}

/// Tells it every ten seconds, while the log of this node does not name the voters.
pub(crate) async fn keep_telling(config: &BrokerConfig, controller: &Controller) -> Infallible {
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        if controller.quorum_state().voters.is_empty() {
            let called = RollCall::of(config).await;
            tracing::warn!("the metadata quorum has not called this voter yet: {called}");
        }
    }
}

fn sorted(mut ids: Vec<i32>) -> Vec<i32> {
    ids.sort_unstable();
    ids
}

fn list(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
