use ottla_types::{ByteString, NodeId, TopicId};

use super::*;
use crate::image::{ELR_VERSION, LOST_DIRECTORY};
use crate::plan::*;
use crate::testing::*;

const KEY: &str = MIN_INSYNC_REPLICAS;

/// A cluster as it is formed, with eligible leader replicas on, whose controller was started with `configured`.
fn formed(configured: &[&str], brokers: i32) -> Cluster {
    let mut cluster = Cluster::new(0);
    cluster.image = MetadataImage::empty();
    cluster.configure(configured);
    cluster.take(plan_bootstrap(&cluster.image, &cluster.settings));
    for id in 1..=brokers {
        cluster.start(id);
    }
    cluster
}

fn turn(cluster: &mut Cluster, level: i16) {
    let update_type = Some(if level > 0 { UpdateType::Upgrade } else { UpdateType::UnsafeDowngrade });
    let update = FeatureUpdate { name: ELR_VERSION.into(), level, update_type };
    cluster
        .take(plan_update_features(&cluster.image, &cluster.settings, NodeId(1), &[], &[update], false))
        .unwrap();
}

fn alter(cluster: &mut Cluster, resource: &ConfigResource, op: ConfigOp) -> Result<(), String> {
    let changes = [IncrementalChange { resource: resource.clone(), ops: vec![(KEY.into(), op)] }];
    let decision = plan_incremental_alter_configs(&cluster.image, &cluster.settings, &changes);
    cluster.take(decision).remove(0).1.map_err(|error| error.to_string())
}

fn set(value: &str) -> ConfigOp {
    ConfigOp::Set(Some(value.into()))
}

/// The old way: these are all dynamic settings of `resource`.
fn replace(cluster: &mut Cluster, resource: &ConfigResource, configs: &[(&str, &str)]) -> Result<(), String> {
    let configs =
        configs.iter().map(|(key, value)| (ByteString::from(*key), Some((*value).into()))).collect();
    let change = ReplaceConfigs { resource: resource.clone(), configs };
    let decision = plan_alter_configs(&cluster.image, &cluster.settings, &[change]);
    cluster.take(decision).remove(0).1.map_err(|error| error.to_string())
}

fn value(cluster: &Cluster, resource: &ConfigResource) -> Option<String> {
    cluster.image.configs.value(resource, KEY).map(ToString::to_string)
}

fn of_all(cluster: &Cluster) -> Option<String> {
    value(cluster, &ConfigResource::default_broker())
}

/// What the controller counts for `t`.
fn counted(cluster: &Cluster) -> usize {
    let defaults = cluster.settings.topic_defaults(&cluster.image);
    defaults.min_insync_replicas(&cluster.image, "t", 9)
}

#[test]
fn what_the_controllers_file_says_is_in_the_metadata_from_the_first_record_on() {
    let mut cluster = formed(&["min.insync.replicas=1"], 3);
    assert_eq!(of_all(&cluster).as_deref(), Some("1"), "as the file says, whatever the number of brokers");
    cluster.configure(&["min.insync.replicas=3"]);
    let again = plan_bootstrap(&cluster.image, &cluster.settings);
    assert_eq!(again.records, [], "another active controller has another file");
    assert_eq!(counted(&cluster), 1, "which does not count");
}

#[test]
fn the_third_broker_raises_what_nobody_has_chosen() {
    let mut cluster = formed(&[], 2);
    assert_eq!((of_all(&cluster), counted(&cluster)), (None, 1));
    let registered =
        plan_register_broker(&cluster.image, &cluster.settings, CLUSTER, &registration(3, 1), false);
    let (image, _) = cluster.image.apply(&registered.records).unwrap();
    assert_eq!(
        image.configs.value(&ConfigResource::default_broker(), KEY).map(|value| &**value),
        Some("2"),
        "together with the registration"
    );
    assert_eq!(image.brokers.get(NodeId(3)).unwrap().epoch, registered.answer.unwrap());
    cluster.start(3);
    cluster.take(plan_unregister_broker(&cluster.image, &cluster.settings, NodeId(3))).unwrap();
    assert_eq!(counted(&cluster), 2, "it never falls by itself");
}

#[test]
fn what_somebody_has_chosen_stays_when_brokers_come() {
    let mut cluster = formed(&[], 2);
    alter(&mut cluster, &ConfigResource::default_broker(), set("1")).unwrap();
    cluster.start(3);
    assert_eq!(of_all(&cluster).as_deref(), Some("1"));
}

#[test]
fn a_cluster_of_an_earlier_build_counts_alike_from_the_next_decision_on() {
    let mut cluster = Cluster::new(3);
    let broker = ConfigResource::broker(NodeId(1));
    alter(&mut cluster, &broker, set("1")).unwrap();
    // Turned on without what comes with it now.
    let record = ottla_protocol::records::metadata::FeatureLevelRecord {
        name: ELR_VERSION.into(),
        feature_level: 1,
        ..Default::default()
    };
    cluster.apply(&[record.into()]);
    assert_eq!(value(&cluster, &broker).as_deref(), Some("1"));
    cluster.take(plan_bootstrap(&cluster.image, &cluster.settings));
    assert_eq!((of_all(&cluster).as_deref(), value(&cluster, &broker)), (Some("2"), None));
    assert_eq!(plan_bootstrap(&cluster.image, &cluster.settings).records, []);
}

#[test]
fn turning_eligible_leader_replicas_on_makes_all_count_alike() {
    let mut cluster = Cluster::new(3);
    cluster.configure(&["min.insync.replicas=3"]);
    let broker = ConfigResource::broker(NodeId(1));
    alter(&mut cluster, &broker, set("1")).unwrap();
    turn(&mut cluster, 1);
    assert_eq!((of_all(&cluster).as_deref(), value(&cluster, &broker)), (Some("3"), None));
    turn(&mut cluster, 0);
    alter(&mut cluster, &ConfigResource::default_broker(), ConfigOp::Delete).unwrap();
    alter(&mut cluster, &broker, set("1")).unwrap();
}

#[test]
fn neither_a_brokers_own_value_nor_the_removal_of_the_common_one_is_accepted() {
    let mut cluster = formed(&[], 3);
    let (broker, all) = (ConfigResource::broker(NodeId(1)), ConfigResource::default_broker());
    let own = "Broker-level min.insync.replicas cannot be altered while ELR is enabled.";
    let removed = "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.";
    for op in [set("1"), ConfigOp::Delete] {
        assert_eq!(alter(&mut cluster, &broker, op).unwrap_err(), own);
    }
    assert_eq!(replace(&mut cluster, &broker, &[(KEY, "1")]).unwrap_err(), own);
    assert_eq!(alter(&mut cluster, &all, ConfigOp::Delete).unwrap_err(), removed);
    assert_eq!(replace(&mut cluster, &all, &[("log.retention.ms", "5")]).unwrap_err(), removed);
    replace(&mut cluster, &all, &[("log.retention.ms", "5"), (KEY, "3")]).unwrap();
    replace(&mut cluster, &broker, &[("log.retention.ms", "5")]).unwrap();
    assert_eq!(counted(&cluster), 3);
}

/// Broker 2 has left while two had to be in sync; 1 leads alone.
fn one_is_eligible() -> (Cluster, TopicId) {
    let mut cluster = formed(&[], 3);
    let topic = cluster.topic("t", &[1, 2]);
    cluster.fence(2);
    assert_eq!(cluster.state(topic), (1, vec![1], vec![2]));
    (cluster, topic)
}

#[test]
fn who_was_eligible_is_not_any_more_where_less_is_asked_for() {
    for resource in [ConfigResource::topic("t"), ConfigResource::default_broker()] {
        let (mut cluster, topic) = one_is_eligible();
        alter(&mut cluster, &resource, set("1")).unwrap();
        assert_eq!(cluster.state(topic), (1, vec![1], vec![]), "1 acknowledges alone from now on");
        cluster.fence(1);
        cluster.start(2);
        assert_eq!(cluster.state(topic).0, -1, "2 lacks what 1 acknowledged");
    }
    let (mut cluster, topic) = one_is_eligible();
    let own = ConfigResource::topic("t");
    alter(&mut cluster, &own, set("3")).unwrap();
    alter(&mut cluster, &ConfigResource::default_broker(), set("2")).unwrap();
    assert_eq!(cluster.state(topic), (1, vec![1], vec![2]), "raised, or as it was: 2 lacks nothing");
    replace(&mut cluster, &own, &[]).unwrap();
    assert_eq!(cluster.state(topic), (1, vec![1], vec![]), "from 3 to the 2 of all");
}

#[test]
fn who_was_eligible_is_not_any_more_where_a_leader_went_on_alone() {
    let (mut cluster, topic) = one_is_eligible();
    turn(&mut cluster, 0);
    cluster.fence(1);
    cluster.start(2);
    assert_eq!(cluster.state(topic).0, -1, "without eligible leader replicas 1 may have acknowledged alone");
    let (mut cluster, topic) = one_is_eligible();
    turn(&mut cluster, 0);
    turn(&mut cluster, 1);
    assert_eq!(cluster.state(topic), (1, vec![1], vec![]), "nor when they are back");
}

#[test]
fn a_lost_replica_is_not_eligible_unless_nobody_else_has_the_records() {
    let mut cluster = formed(&[], 3);
    let shared = cluster.topic("shared", &[1, 2]);
    let alone = cluster.topic("alone", &[2]);
    let epoch = cluster.image.brokers.get(NodeId(2)).unwrap().epoch;
    let lost = [shared, alone].map(|topic| DirectoryAssignment {
        topic,
        index: 0.into(),
        directory: LOST_DIRECTORY,
    });
    let decided = plan_assign_replicas_to_dirs(&cluster.image, &cluster.settings, NodeId(2), epoch, &lost);
    cluster.take(decided).unwrap();
    assert_eq!(cluster.state(shared), (1, vec![1], vec![]), "so that it is copied anew");
    assert_eq!(cluster.state(alone), (-1, vec![], vec![2]));
}
