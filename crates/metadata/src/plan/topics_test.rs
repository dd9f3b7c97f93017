use ottla_types::{NodeId, PartitionIndex};

use crate::image::ConfigResource;
use crate::plan::*;
use crate::testing::*;

fn refused(cluster: &mut Cluster, topic: NewTopic) -> String {
    cluster.create(topic).unwrap_err().to_string()
}

fn with_config(name: &str, key: &str, value: Option<&str>) -> NewTopic {
    NewTopic { configs: vec![(key.into(), value.map(Into::into))], ..new_topic(name, 1, 1) }
}

fn assigned(name: &str, assignments: &[(i32, &[i32])]) -> NewTopic {
    let assignments = assignments.iter().map(|(index, ids)| ((*index).into(), nodes(ids))).collect();
    NewTopic { assignments, ..new_topic(name, -1, -1) }
}

#[test]
fn a_topic_gets_its_partitions_and_configs() {
    let mut cluster = Cluster::new(1);
    let wish = NewTopic { partitions: 3, ..with_config("t", "retention.ms", Some("5")) };
    let created = cluster.create(wish).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (3, 1));
    let topic = cluster.image.topics.by_name("t").unwrap();
    assert_eq!((topic.id, topic.partition_count()), (created.id, 3));
    for (_, partition) in topic.partitions() {
        assert_eq!((partition.leader, &*partition.isr), (NodeId(1), &[NodeId(1)][..]));
        assert_eq!(*partition.directories, [uuid(77_001)], "a broker with one directory: that one");
        assert_eq!((partition.leader_epoch.0, partition.partition_epoch.0), (0, 0));
    }
    assert_eq!(cluster.image.configs.value(&ConfigResource::topic("t"), "retention.ms").unwrap(), "5");
    assert_eq!(cluster.image.topics.partition_count(), 3);
}

#[test]
fn defaults_come_from_settings_and_the_size_of_the_cluster() {
    let mut cluster = Cluster::new(1);
    cluster.configure(&["num.partitions=2"]);
    let created = cluster.create(new_topic("a", -1, -1)).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (2, 1));
    let mut cluster = Cluster::new(3);
    assert_eq!(cluster.create(new_topic("a", -1, -1)).unwrap().replication_factor, 3);
    cluster.configure(&["default.replication.factor=2"]);
    assert_eq!(cluster.create(new_topic("b", -1, -1)).unwrap().replication_factor, 2);
}

#[test]
fn topics_that_cannot_be() {
    let mut cluster = Cluster::new(1);
    cluster.create(new_topic("a.b", 1, 1)).unwrap();
    let c = &mut cluster;
    assert_eq!(refused(c, new_topic("a.b", 1, 1)), "Topic 'a.b' already exists.");
    assert_eq!(refused(c, new_topic("a_b", 1, 1)), "Topic 'a_b' collides with existing topic: a.b");
    assert!(refused(c, new_topic("a/b", 1, 1)).contains("'/'"));
    assert!(refused(c, new_topic("__cluster_metadata", 1, 1)).contains("prohibited"));
    assert!(
        refused(c, new_topic("x", 1, 3)).contains("Replication factor: 3 larger than available brokers: 1.")
    );
    assert!(refused(c, new_topic("x", 1, 0)).contains("larger than 0, or -1"));
    assert!(refused(c, new_topic("x", 0, 1)).contains("non-positive"));
    assert!(refused(c, new_topic("x", i32::MAX, 1)).contains("Excessively large"));
    assert!(
        refused(c, with_config("x", "no.such.key", Some("1")))
            .contains("Unknown topic config name: no.such.key")
    );
    assert!(refused(c, with_config("x", "retention.ms", Some("soon"))).contains("retention.ms"));
    assert!(refused(c, with_config("x", "retention.ms", None)).contains("Null value not supported"));
    c.fence(1);
    assert!(refused(c, new_topic("x", 1, 1)).contains("All brokers are currently fenced"));
    assert_eq!(c.image.topics.len(), 1);
}

#[test]
fn replicas_that_the_user_chose() {
    let mut cluster = Cluster::new(3);
    let created = cluster.create(assigned("t", &[(1, &[3, 1]), (0, &[1, 2])])).unwrap();
    assert_eq!((created.partitions, created.replication_factor), (2, 2));
    let second = cluster.image.topics.partition(created.id, PartitionIndex(1)).unwrap();
    assert_eq!(*second.replicas, *nodes(&[3, 1]));
    let c = &mut cluster;
    assert!(refused(c, assigned("x", &[(0, &[])])).contains("empty replica list"));
    assert!(refused(c, assigned("x", &[(0, &[9])])).contains("no such broker"));
    assert!(refused(c, assigned("x", &[(0, &[1, 1])])).contains("more than once"));
    assert!(refused(c, assigned("x", &[(0, &[1]), (0, &[1])])).contains("multiple manual"));
    assert!(refused(c, assigned("x", &[(0, &[1]), (2, &[1])])).contains("consecutive 0-based"));
    assert!(refused(c, assigned("x", &[(0, &[1]), (1, &[1, 2])])).contains("not consistent"));
    assert!(refused(c, NewTopic { partitions: 1, ..assigned("x", &[(0, &[1])]) }).contains("numPartitions"));
    assert!(
        refused(c, NewTopic { replication_factor: 1, ..assigned("x", &[(0, &[1])]) })
            .contains("replication factor was not set to -1")
    );
    c.fence(1);
    assert!(refused(c, assigned("x", &[(0, &[1])])).contains("fenced or in controlled shutdown"));
}

#[test]
fn one_request_may_name_a_topic_once() {
    let cluster = Cluster::new(1);
    let topics = [new_topic("a", 1, 1), new_topic("b", 1, 1), new_topic("a", 1, 1)];
    let decision = plan_create_topics(&cluster.image, &cluster.settings, &topics, false, &mut || 0x4000);
    let outcomes: Vec<_> = decision.answer.iter().map(|(_, outcome)| outcome.is_ok()).collect();
    assert_eq!(outcomes, [false, true, false]);
}

#[test]
fn validating_changes_nothing() {
    let cluster = Cluster::new(1);
    let decision =
        plan_create_topics(&cluster.image, &cluster.settings, &[new_topic("a", 1, 1)], true, &mut || 0x4000);
    assert!(decision.records.is_empty() && decision.answer[0].1.is_ok());
}

#[test]
fn a_deleted_topic_takes_its_configs_along() {
    let mut cluster = Cluster::new(1);
    let id = cluster.create(with_config("t", "retention.ms", Some("5"))).unwrap().id;
    cluster.create(new_topic("u", 1, 1)).unwrap();
    let delete = |cluster: &mut Cluster, wishes: &[TopicRef]| -> Vec<_> {
        let answer = cluster.take(plan_delete_topics(&cluster.image, wishes));
        answer.into_iter().map(|(_, outcome)| outcome.map(|topic| topic.id)).collect()
    };
    let name = |name: &str| TopicRef::Name(name.into());
    assert_eq!(
        delete(&mut cluster, &[name("t"), TopicRef::Id(id), name("gone"), TopicRef::Id(uuid(3))]),
        [
            Err(DeleteTopicError::Duplicate),
            Err(DeleteTopicError::Duplicate),
            Err(DeleteTopicError::UnknownName),
            Err(DeleteTopicError::UnknownId)
        ]
    );
    assert!(cluster.image.topics.by_name("t").is_some(), "named twice");
    assert_eq!(delete(&mut cluster, &[TopicRef::Id(id)]), [Ok(id)]);
    assert!(cluster.image.topics.by_name("t").is_none());
    assert!(cluster.image.configs.get(&ConfigResource::topic("t")).is_none());
    assert_eq!(cluster.image.topics.partition_count(), 1);
    let again = cluster.create(new_topic("t", 1, 1)).unwrap();
    assert_ne!(again.id, id, "another topic under the old name");
}

#[test]
fn topics_grow_only() {
    let mut cluster = Cluster::new(2);
    cluster.create(new_topic("t", 2, 2)).unwrap();
    let grow = |cluster: &mut Cluster, count, assignments: Option<Vec<Vec<NodeId>>>| {
        let wish = MorePartitions { name: "t".into(), count, assignments };
        let decision = plan_create_partitions(&cluster.image, &cluster.settings, &[wish], false, &mut || 7);
        cluster.take(decision).remove(0).1.map_err(|error| error.to_string())
    };
    let c = &mut cluster;
    assert_eq!(grow(c, 2, None).unwrap_err(), "Topic already has 2 partition(s).");
    assert!(grow(c, 1, None).unwrap_err().contains("would not be an increase"));
    assert!(grow(c, i32::MIN, None).unwrap_err().contains("would not be an increase"));
    assert!(grow(c, i32::MAX, None).unwrap_err().contains("Excessively large"));
    assert!(grow(c, 4, Some(vec![nodes(&[1, 2])])).unwrap_err().contains("only 1 assignment(s)"));
    assert!(grow(c, 3, Some(vec![nodes(&[1])])).unwrap_err().contains("not consistent"));
    grow(c, 3, Some(vec![nodes(&[2, 1])])).unwrap();
    grow(c, 5, None).unwrap();
    let topic = c.image.topics.by_name("t").unwrap();
    assert_eq!(topic.partition_count(), 5);
    assert_eq!(topic.partition(PartitionIndex(2)).unwrap().leader, NodeId(2));
    assert!(topic.partitions().all(|(_, partition)| partition.replicas.len() == 2));
}

#[test]
fn preferred_leaders_take_over_again() {
    let mut cluster = Cluster::new(2);
    let topic = cluster.topic("t", &[1, 2]);
    let wish = |cluster: &Cluster, kind| {
        let partitions = [("t".into(), PartitionIndex(0))];
        plan_elect_leaders(&cluster.image, &cluster.settings, kind, Some(&partitions))
    };
    assert_eq!(wish(&cluster, ElectionType::Preferred).answer[0].2, Err(ElectLeaderError::NotNeeded));
    assert_eq!(wish(&cluster, ElectionType::Unclean).answer[0].2, Err(ElectLeaderError::NotNeeded));
    let unknown = [("nope".into(), PartitionIndex(0)), ("t".into(), PartitionIndex(7))];
    let decided =
        plan_elect_leaders(&cluster.image, &cluster.settings, ElectionType::Preferred, Some(&unknown));
    let refusals: Vec<String> =
        decided.answer.into_iter().map(|one| one.2.unwrap_err().to_string()).collect();
    assert_eq!(refusals, ["No such topic as nope", "No such partition as t-7"]);
    cluster.fence(1);
    assert_eq!(
        wish(&cluster, ElectionType::Preferred).answer[0].2,
        Err(ElectLeaderError::PreferredNotAvailable)
    );
    cluster.start(1);
    join_isr(&mut cluster, topic, 2, &[2, 1]);
    let outcome = plan_elect_leaders(&cluster.image, &cluster.settings, ElectionType::Preferred, None);
    assert_eq!(cluster.take(outcome).len(), 1);
    assert_eq!(cluster.state(topic).0, 1);
}

fn join_isr(cluster: &mut Cluster, topic: ottla_types::TopicId, leader: i32, isr: &[i32]) {
    let partition = cluster.partition(topic);
    let wish = AlterPartition {
        topic,
        index: PartitionIndex(0),
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
        isr: nodes(isr).into_iter().map(|id| (id, cluster.image.brokers.get(id).unwrap().epoch)).collect(),
        recovery: partition.leader_recovery_state,
    };
    let epoch = cluster.image.brokers.get(NodeId(leader)).unwrap().epoch;
    let decision = plan_alter_partition(&cluster.image, &cluster.settings, NodeId(leader), epoch, &[wish]);
    cluster.take(decision).unwrap().remove(0).2.unwrap();
}
