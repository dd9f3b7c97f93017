//! Voters that come and go, in several processes.

use std::collections::BTreeMap;

use ottla_testkit::{BrokerProcess, ErrorCode, JoiningNode, Members, TopicSpec, eventually, joining_nodes};

use crate::cluster::{Cluster, stop};
use crate::support::Home;

/// Nodes that may join, and where they live.
struct Joining {
    nodes: Vec<JoiningNode>,
    homes: BTreeMap<i32, Home>,
    running: BTreeMap<i32, BrokerProcess>,
}

impl Joining {
    /// `count` nodes, the first of which runs.
    fn of(count: i32, more: &str) -> Self {
        let nodes = joining_nodes(count);
        let home = |node: &JoiningNode| (node.id, Home::bare().config(&format!("{}{more}", node.properties)));
        let homes = nodes.iter().map(home).collect();
        let mut joining = Self { nodes, homes, running: BTreeMap::new() };
        joining.start(1);
        joining
    }

    fn start(&mut self, id: i32) {
        self.running.insert(id, self.homes[&id].start());
    }

    fn kill(&mut self, id: i32) {
        self.running.remove(&id).expect("it runs").kill();
    }

    fn lose_directory(&self, id: i32) {
        std::fs::remove_dir_all(self.homes[&id].dir.path().join("data")).expect("its data");
    }

    /// The members, as node `id` finds them out, once they are as wanted.
    fn members(&self, id: i32, what: &str, wanted: impl Fn(&Members) -> bool) -> Members {
        let mut client = self.running[&id].client();
        eventually(what, || client.members().filter(|members| wanted(members)))
    }

    /// Has the observer `id` vote; asked through a broker.
    fn add(&self, through: i32, id: i32) {
        let what = format!("{id} does not observe");
        let members = self.members(through, &what, |members| members.observers.contains_key(&id));
        let port = self.nodes.iter().find(|node| node.id == id).expect("a node").port;
        let added = self.running[&through].client().add_voter(id, members.observers[&id], port);
        assert_eq!(added.0, ErrorCode::NONE, "{added:?}");
    }

    fn create(&self, through: i32, topic: &str) {
        let created = self.running[&through].client().try_create(&TopicSpec::new(topic));
        assert_eq!(created.error_code, ErrorCode::NONE, "{created:?}");
    }
}

#[test]
fn controllers_join_are_added_and_outlive_the_one_that_was_there_first() {
    let mut cluster = Joining::of(4, "");
    cluster.create(1, "alone");
    for id in 2..=4 {
        cluster.start(id);
        let members = cluster.members(id, "it does not observe", |m| m.observers.contains_key(&id));
        assert!(!members.voters.contains_key(&id), "{members:?}");
        cluster.add(if id == 4 { 2 } else { 1 }, id);
    }
    let members = cluster.members(1, "not all vote", |m| m.voter_ids() == [1, 2, 3, 4]);
    assert!(members.observers.is_empty(), "{members:?}");
    let removed = cluster.running[&2].client().remove_voter(4, members.voters[&4]);
    assert_eq!(removed.0, ErrorCode::NONE, "{removed:?}");
    let again = cluster.running[&2].client().remove_voter(4, members.voters[&4]);
    assert_eq!(again.0, ErrorCode::VOTER_NOT_FOUND, "{again:?}");
    cluster.members(3, "it does not observe", |m| m.observer_ids() == [4] && m.voter_ids() == [1, 2, 3]);

    // Nodes 2 to 4 know only node 1 by their configuration.
    cluster.kill(1);
    for id in 2..=4 {
        cluster.create(id, &format!("through-{id}"));
    }
    // Its directory is lost: it is another controller from now on.
    cluster.lose_directory(1);
    let gone = members.voters[&1];
    let client = || cluster.running[&3].client();
    let unknown = client().add_voter(9, gone, 1);
    assert_eq!(unknown.0, ErrorCode::REQUEST_TIMED_OUT, "{unknown:?}");
    let removed = client().remove_voter(1, gone);
    assert_eq!(removed.0, ErrorCode::NONE, "{removed:?}");
    cluster.create(4, "two-voters");

    // All others stop and start: who votes is in the log.
    stop(std::mem::take(&mut cluster.running));
    let started = std::thread::scope(|scope| {
        let homes = &cluster.homes;
        let starting = [2, 3, 4].map(|id| (id, scope.spawn(move || homes[&id].start())));
        starting.map(|(id, node)| (id, node.join().expect("a node")))
    });
    cluster.running.extend(started);
    cluster.members(4, "it has changed", |m| m.voter_ids() == [2, 3]);
    for topic in ["alone", "through-4", "two-voters"] {
        let mut client = cluster.running[&4].client();
        eventually("a topic is lost", || (client.topic(topic).error_code == ErrorCode::NONE).then_some(()));
    }
    stop(cluster.running);
}

#[test]
fn a_controller_that_lost_its_directory_is_refused_as_voter_until_its_former_self_is_removed() {
    let mut cluster = Joining::of(3, "");
    for id in 2..=3 {
        cluster.start(id);
        cluster.add(1, id);
    }
    let before = cluster.members(1, "not all vote", |m| m.voter_ids() == [1, 2, 3]);
    cluster.kill(3);
    cluster.lose_directory(3);
    // It follows, by the log of which it is not the voter that it was.
    cluster.start(3);
    let members = cluster.members(3, "it does not observe", |m| m.observer_ids() == [3]);
    assert_eq!(members.voters, before.voters);
    assert_ne!(members.observers[&3], before.voters[&3]);
    let quorum = ottla_testkit::describe_quorum(&mut cluster.running[&2].client());
    assert_eq!(quorum.nodes.iter().map(|node| node.node_id).collect::<Vec<_>>(), [1, 2, 3]);
    let port = cluster.nodes[2].port;
    let refused = cluster.running[&2].client().add_voter(3, members.observers[&3], port);
    assert_eq!(refused.0, ErrorCode::DUPLICATE_VOTER, "{refused:?}");
    assert!(refused.1.contains("remove that voter first"), "{refused:?}");
    let removed = cluster.running[&2].client().remove_voter(3, before.voters[&3]);
    assert_eq!(removed.0, ErrorCode::NONE, "{removed:?}");
    cluster.add(2, 3);
    cluster.members(3, "it does not vote", |m| m.voters.get(&3) == members.observers.get(&3));
    cluster.create(3, "after");
    stop(cluster.running);
}

#[test]
fn controllers_that_may_join_by_themselves_do_also_after_they_lost_their_directory() {
    let mut cluster = Joining::of(3, "controller.quorum.auto.join.enable=true\n");
    for id in 2..=3 {
        cluster.start(id);
    }
    let before = cluster.members(1, "not all vote", |m| m.voter_ids() == [1, 2, 3]);
    cluster.kill(2);
    cluster.lose_directory(2);
    cluster.start(2);
    cluster.members(3, "it does not vote again", |m| {
        m.voter_ids() == [1, 2, 3] && m.voters[&2] != before.voters[&2] && m.observers.is_empty()
    });
    cluster.create(2, "after");
    // The active controller is taken its vote: another one takes over, and the first goes on as an observer.
    let members = cluster.members(1, "nobody leads", |_| true);
    let first = members.leader;
    let other = cluster.running.keys().copied().find(|id| *id != first).expect("three");
    let removed = cluster.running[&other].client().remove_voter(first, members.voters[&first]);
    // A broker asks again when another controller leads before it has the answer.
    assert!(matches!(removed.0, ErrorCode::NONE | ErrorCode::VOTER_NOT_FOUND), "{removed:?}");
    cluster.members(other, "nobody else leads", |m| m.leader != first);
    cluster.create(first, "through-the-former-leader");
    // It asks for its vote back.
    cluster.members(other, "it does not vote again", |m| m.voter_ids() == [1, 2, 3]);
    stop(cluster.running);
}

#[test]
fn a_quorum_with_fixed_voters_becomes_one_whose_voters_come_and_go() {
    let fixed = Cluster::of(3);
    let nodes = fixed.start();
    let fourth = joining_nodes(4).pop().expect("four");
    let mut client = nodes[&1].client();
    let quorum = ottla_testkit::describe_quorum(&mut client);
    let port = quorum.nodes[0].listeners[0].port;
    // Later lines win.
    let home = Home::bare()
        .config(&format!("{}controller.quorum.bootstrap.servers=127.0.0.1:{port}\n", fourth.properties));
    let node = home.start();
    let observes = |members: &Members| members.observers.contains_key(&4);
    let members = eventually("it does not observe", || client.members().filter(observes));
    let refused = client.add_voter(4, members.observers[&4], fourth.port);
    assert_eq!(refused.0, ErrorCode::UNSUPPORTED_VERSION, "{refused:?}");
    assert!(refused.1.contains("kraft.version"), "{refused:?}");
    assert_eq!(client.upgrade_feature("kraft.version", 1), ErrorCode::NONE);
    let added = client.add_voter(4, members.observers[&4], fourth.port);
    assert_eq!(added.0, ErrorCode::NONE, "{added:?}");
    let all = |members: &Members| members.voter_ids() == [1, 2, 3, 4];
    eventually("it does not vote", || client.members().filter(all));
    stop(nodes);
    node.kill();
}
