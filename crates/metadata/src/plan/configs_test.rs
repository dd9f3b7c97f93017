use crate::image::{ConfigResource, ResourceKind};
use crate::plan::*;
use crate::testing::*;
use ottla_types::{ByteString, NodeId};

fn set(value: &str) -> ConfigOp {
    ConfigOp::Set(Some(value.into()))
}

fn change(cluster: &mut Cluster, resource: &ConfigResource, ops: &[(&str, ConfigOp)]) -> Result<(), String> {
    let ops = ops.iter().map(|(key, op)| (ByteString::from(*key), op.clone())).collect();
    let changes = [IncrementalChange { resource: resource.clone(), ops }];
    let decision = plan_incremental_alter_configs(&cluster.image, &cluster.settings, &changes);
    cluster.take(decision).remove(0).1.map_err(|error| error.to_string())
}

fn value(cluster: &Cluster, resource: &ConfigResource, key: &str) -> Option<String> {
    cluster.image.configs.value(resource, key).map(ToString::to_string)
}

fn cluster_with_topic() -> (Cluster, ConfigResource) {
    let mut cluster = Cluster::new(1);
    cluster.create(new_topic("t", 1, 1)).unwrap();
    (cluster, ConfigResource::topic("t"))
}

#[test]
fn keys_are_set_deleted_and_lists_changed() {
    let (mut c, t) = cluster_with_topic();
    change(&mut c, &t, &[("retention.ms", set("5")), ("segment.ms", set("100"))]).unwrap();
    change(&mut c, &t, &[("segment.ms", ConfigOp::Delete)]).unwrap();
    assert_eq!(value(&c, &t, "retention.ms").as_deref(), Some("5"));
    assert_eq!(value(&c, &t, "segment.ms"), None);
    // The default is "delete".
    change(&mut c, &t, &[("cleanup.policy", ConfigOp::Append(Some("compact".into())))]).unwrap();
    assert_eq!(value(&c, &t, "cleanup.policy").as_deref(), Some("delete,compact"));
    change(&mut c, &t, &[("cleanup.policy", ConfigOp::Subtract(Some("delete".into())))]).unwrap();
    assert_eq!(value(&c, &t, "cleanup.policy").as_deref(), Some("compact"));
}

#[test]
fn an_unchanged_topic_value_needs_no_record_but_a_brokers_does() {
    let (mut c, t) = cluster_with_topic();
    change(&mut c, &t, &[("retention.ms", set("5"))]).unwrap();
    let offset = c.image.offset;
    change(&mut c, &t, &[("retention.ms", set("5"))]).unwrap();
    assert_eq!(c.image.offset, offset);
    let broker = ConfigResource::broker(NodeId(1));
    change(&mut c, &broker, &[("log.retention.ms", set("5"))]).unwrap();
    change(&mut c, &broker, &[("log.retention.ms", set("5"))]).unwrap();
    assert_eq!(c.image.offset.0, offset.0 + 2);
}

#[test]
fn a_resources_changes_stand_or_fall_together() {
    let (mut c, t) = cluster_with_topic();
    assert!(change(&mut c, &t, &[("retention.ms", set("5")), ("segment.ms", set("x"))]).is_err());
    assert_eq!(value(&c, &t, "retention.ms"), None);
}

#[test]
fn changes_that_cannot_be() {
    let (mut c, t) = cluster_with_topic();
    let mut refused =
        |resource: &ConfigResource, ops: &[(&str, ConfigOp)]| change(&mut c, resource, ops).unwrap_err();
    let one = [("retention.ms", set("1"))];
    assert!(refused(&t, &[("no.key", set("1"))]).contains("Unknown topic config name"));
    assert!(
        refused(&t, &[("retention.ms", ConfigOp::Append(Some("1".into())))]).contains("its type is not LIST")
    );
    assert!(refused(&t, &[("retention.ms", ConfigOp::Set(None))]).contains("Null value not supported"));
    assert!(
        refused(&t, &[("retention.ms", set("1")), ("retention.ms", set("2"))])
            .contains("duplicate config keys")
    );
    assert_eq!(refused(&ConfigResource::topic("gone"), &one), "The topic 'gone' does not exist.");
    assert!(refused(&ConfigResource::topic(""), &one).contains("Default topic resources"));
    assert!(refused(&ConfigResource::broker(NodeId(9)), &one).contains("No node with id 9"));
    let named = ConfigResource { kind: ResourceKind::Broker, name: "one".into() };
    assert!(refused(&named, &one).contains("base 10 number"));
    let broker = ConfigResource::broker(NodeId(1));
    assert!(refused(&broker, &[("node.id", set("2"))]).contains("Cannot update these configs dynamically"));
    let all = ConfigResource::default_broker();
    assert!(
        refused(&all, &[("listener.name.a.ssl.keystore.location", set("/k"))])
            .contains("broker id must be specified")
    );
}

#[test]
fn controllers_have_settings_too() {
    let mut c = Cluster::new(1);
    let (voter, nobody) = (ConfigResource::broker(NodeId(8)), ConfigResource::broker(NodeId(9)));
    c.configure(&[
        "process.roles=controller",
        "node.id=7",
        "controller.quorum.voters=7@h:1,8@h:2",
        "listeners=CONTROLLER://127.0.0.1:1",
    ]);
    let throttle = [("leader.replication.throttled.rate", set("1"))];
    change(&mut c, &voter, &throttle).unwrap();
    assert_eq!(change(&mut c, &nobody, &throttle).unwrap_err(), "No node with id 9 found.");
}

#[test]
fn a_brokers_settings_have_to_fit_together() {
    let mut c = Cluster::new(1);
    c.configure(&["log.cleaner.dedupe.buffer.size=2097154"]);
    let (broker, all) = (ConfigResource::broker(NodeId(1)), ConfigResource::default_broker());
    change(&mut c, &all, &[("log.cleaner.threads", set("2"))]).unwrap();
    for resource in [&all, &broker] {
        let refused = change(&mut c, resource, &[("log.cleaner.threads", set("3"))]).unwrap_err();
        assert!(refused.contains("log.cleaner.threads is 3"), "{refused}");
    }
    let both = [("log.cleaner.threads", set("3")), ("log.cleaner.dedupe.buffer.size", set("4194304"))];
    change(&mut c, &broker, &both).unwrap();
    assert_eq!(value(&c, &broker, "log.cleaner.threads").as_deref(), Some("3"));
}

#[test]
fn a_request_may_name_a_resource_once() {
    let (c, t) = cluster_with_topic();
    let twice = IncrementalChange { resource: t.clone(), ops: Vec::new() };
    let answer = plan_incremental_alter_configs(&c.image, &c.settings, &[twice.clone(), twice]).answer;
    assert!(
        answer.iter().all(|(_, outcome)| matches!(outcome, Err(AlterConfigError::DuplicateResource { .. })))
    );
    let twice = ReplaceConfigs { resource: t, configs: Vec::new() };
    let answer = plan_alter_configs(&c.image, &c.settings, &[twice.clone(), twice]).answer;
    assert!(
        answer.iter().all(|(_, outcome)| matches!(outcome, Err(AlterConfigError::DuplicateResource { .. })))
    );
}

#[test]
fn the_old_way_replaces_everything() {
    let (mut c, t) = cluster_with_topic();
    change(&mut c, &t, &[("retention.ms", set("5")), ("segment.ms", set("100"))]).unwrap();
    let configs = vec![("segment.ms".into(), Some("200".into())), ("flush.ms".into(), Some("9".into()))];
    let wish = ReplaceConfigs { resource: t.clone(), configs };
    c.take(plan_alter_configs(&c.image, &c.settings, &[wish])).remove(0).1.unwrap();
    let left: Vec<_> = c.image.configs.get(&t).unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(left, ["flush.ms=9", "segment.ms=200"]);
    c.take(plan_alter_configs(
        &c.image,
        &c.settings,
        &[ReplaceConfigs { resource: t.clone(), configs: Vec::new() }],
    ));
    assert!(c.image.configs.get(&t).is_none());
}

#[test]
fn min_isr_and_unclean_election_resolve_through_their_levels() {
    let (mut c, t) = cluster_with_topic();
    let min_isr = |c: &Cluster, replicas| {
        c.settings.topic_defaults(&c.image).min_insync_replicas(&c.image, "t", replicas)
    };
    assert_eq!(min_isr(&c, 3), 1);
    c.configure(&["min.insync.replicas=2"]);
    assert_eq!(min_isr(&c, 3), 2);
    assert_eq!(min_isr(&c, 1), 1, "never more than there are replicas");
    change(&mut c, &ConfigResource::default_broker(), &[("min.insync.replicas", set("3"))]).unwrap();
    assert_eq!(min_isr(&c, 5), 3);
    change(&mut c, &t, &[("min.insync.replicas", set("4")), ("unclean.leader.election.enable", set("true"))])
        .unwrap();
    assert_eq!(min_isr(&c, 5), 4);
    assert!(c.settings.topic_defaults(&c.image).unclean_leader_election(&c.image, "t"));
    assert_eq!(min_isr(&Cluster::new(3), 3), 2, "three brokers");
}
