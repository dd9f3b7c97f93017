//! What can go wrong: each fault has a name, whom it hits, what begins and what ends it.

use std::time::Duration;

use crate::Failure;
use crate::cluster::Cluster;
use crate::network::Place;

/// Whom a fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victims {
    /// Any node.
    One,
    /// The node that is the active controller.
    ActiveController,
    /// Any two nodes.
    Two,
    /// As many as leave a majority.
    Minority,
    /// All nodes.
    All,
}

/// A kind of fault.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) victims: Victims,
    /// How much more often than others it is drawn.
    pub(crate) weight: u64,
    /// For how long it lasts: at least, and at most.
    pub(crate) lasts: (Duration, Duration),
    pub(crate) begin: fn(&mut Cluster, &[i32]) -> Result<(), Failure>,
    pub(crate) end: fn(&mut Cluster, &[i32]) -> Result<(), Failure>,
}

const fn ms(least: u64, most: u64) -> (Duration, Duration) {
    (Duration::from_millis(least), Duration::from_millis(most))
}

/// All of them.
pub(crate) const FAULTS: [Fault; 14] = [
    Fault {
        // Nobody hears it, and it hears nobody.
        name: "isolate",
        victims: Victims::Minority,
        weight: 2,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, isolation(cluster, ids, true), true),
        end: |cluster, ids| change(cluster, isolation(cluster, ids, true), false),
    },
    Fault {
        // Clients still reach both sides.
        name: "split",
        victims: Victims::Minority,
        weight: 2,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, isolation(cluster, ids, false), true),
        end: |cluster, ids| change(cluster, isolation(cluster, ids, false), false),
    },
    Fault {
        name: "isolate-controller",
        victims: Victims::ActiveController,
        weight: 1,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, isolation(cluster, ids, false), true),
        end: |cluster, ids| change(cluster, isolation(cluster, ids, false), false),
    },
    Fault {
        // Others hear it, it does not hear them.
        name: "deaf",
        victims: Victims::One,
        weight: 2,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, one_way(cluster, ids, true), true),
        end: |cluster, ids| change(cluster, one_way(cluster, ids, true), false),
    },
    Fault {
        // It hears others, they do not hear it.
        name: "mute",
        victims: Victims::One,
        weight: 2,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, one_way(cluster, ids, false), true),
        end: |cluster, ids| change(cluster, one_way(cluster, ids, false), false),
    },
    Fault {
        // Two nodes lose each other, and both keep the rest.
        name: "bridge",
        victims: Victims::Two,
        weight: 1,
        lasts: ms(2_000, 8_000),
        begin: |cluster, ids| change(cluster, bridge(ids), true),
        end: |cluster, ids| change(cluster, bridge(ids), false),
    },
    Fault {
        name: "pause",
        victims: Victims::One,
        weight: 3,
        lasts: ms(1_000, 8_000),
        begin: |cluster, ids| act(cluster, ids, |cluster, ids| cluster.each(ids, crate::node::Node::pause)),
        end: |cluster, ids| act(cluster, ids, |cluster, ids| cluster.each(ids, crate::node::Node::resume)),
    },
    Fault {
        name: "pause-controller",
        victims: Victims::ActiveController,
        weight: 1,
        lasts: ms(1_000, 8_000),
        begin: |cluster, ids| act(cluster, ids, |cluster, ids| cluster.each(ids, crate::node::Node::pause)),
        end: |cluster, ids| act(cluster, ids, |cluster, ids| cluster.each(ids, crate::node::Node::resume)),
    },
    Fault {
        name: "kill",
        victims: Victims::One,
        weight: 4,
        lasts: ms(0, 3_000),
        begin: |cluster, ids| act(cluster, ids, Cluster::kill),
        end: Cluster::start,
    },
    Fault {
        name: "kill-controller",
        victims: Victims::ActiveController,
        weight: 2,
        lasts: ms(0, 3_000),
        begin: |cluster, ids| act(cluster, ids, Cluster::kill),
        end: Cluster::start,
    },
    Fault {
        name: "kill-two",
        victims: Victims::Two,
        weight: 2,
        lasts: ms(0, 2_000),
        begin: |cluster, ids| act(cluster, ids, Cluster::kill),
        end: Cluster::start,
    },
    Fault {
        name: "stop",
        victims: Victims::One,
        weight: 2,
        lasts: ms(0, 3_000),
        begin: |cluster, ids| act(cluster, ids, Cluster::stop),
        end: Cluster::start,
    },
    Fault {
        name: "slow-disk",
        victims: Victims::One,
        weight: 1,
        lasts: ms(1_000, 5_000),
        begin: |cluster, ids| {
            act(cluster, ids, |cluster, ids| {
                cluster.each(ids, |node| node.disk.slow_down(Duration::from_millis(150)));
            })
        },
        end: |cluster, ids| {
            act(cluster, ids, |cluster, ids| cluster.each(ids, |node| node.disk.slow_down(Duration::ZERO)))
        },
    },
    Fault {
        name: "power-loss",
        victims: Victims::All,
        weight: 3,
        lasts: ms(0, 500),
        begin: |cluster, ids| act(cluster, ids, Cluster::lose_power),
        end: Cluster::start,
    },
];

fn act(cluster: &mut Cluster, ids: &[i32], act: fn(&mut Cluster, &[i32])) -> Result<(), Failure> {
    act(cluster, ids);
    Ok(())
}

type Directions = Vec<(Place, Place)>;

/// Between `ids` and the other nodes, both ways; and between them and clients.
fn isolation(cluster: &Cluster, ids: &[i32], clients_too: bool) -> Directions {
    let others = cluster.nodes.keys().filter(|id| !ids.contains(id)).map(|id| Place::Node(*id));
    let others: Vec<_> = others.chain(clients_too.then_some(Place::Clients)).collect();
    let pair = |id: &i32, other: &Place| [(Place::Node(*id), *other), (*other, Place::Node(*id))];
    ids.iter().flat_map(|id| others.iter().flat_map(move |other| pair(id, other))).collect()
}

/// From the other nodes to `ids`, or the other way.
fn one_way(cluster: &Cluster, ids: &[i32], inwards: bool) -> Directions {
    let all = isolation(cluster, ids, false);
    let is_wanted = |to: Place| ids.iter().any(|id| to == Place::Node(*id)) == inwards;
    all.into_iter().filter(|(_, to)| is_wanted(*to)).collect()
}

fn bridge(ids: &[i32]) -> Directions {
    let [a, b] = *ids else { return Vec::new() };
    vec![(Place::Node(a), Place::Node(b)), (Place::Node(b), Place::Node(a))]
}

fn change(cluster: &mut Cluster, directions: Directions, cut: bool) -> Result<(), Failure> {
    for (from, to) in directions {
        if cut { cluster.network.cut(from, to)? } else { cluster.network.heal(from, to)? }
    }
    cluster.look();
    Ok(())
}
