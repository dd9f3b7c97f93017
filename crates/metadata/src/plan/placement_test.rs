use super::*;
use crate::testing::*;

fn brokers(racks: &[(i32, Option<&str>, bool)]) -> Brokers {
    let mut brokers = Brokers::default();
    for &(id, rack, fenced) in racks {
        brokers.insert(BrokerImage {
            id: NodeId(id),
            epoch: 0.into(),
            incarnation_id: uuid(1),
            endpoints: Vec::new(),
            features: Vec::new(),
            rack: rack.map(Into::into),
            fenced,
            in_controlled_shutdown: false,
            directories: Vec::new(),
            cordoned_directories: None,
        });
    }
    brokers
}

fn check(racks: &[(i32, Option<&str>, bool)], partitions: usize, factor: i16) -> Vec<Vec<NodeId>> {
    let mut cluster = Cluster::new(0);
    let placed =
        place(&brokers(racks), &BTreeSet::new(), partitions, factor, &mut || cluster.draw()).unwrap();
    assert_eq!(placed.len(), partitions);
    for replicas in &placed {
        assert_eq!(replicas.len(), factor as usize);
        let mut distinct = replicas.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), replicas.len(), "one replica per broker: {replicas:?}");
        let leader = racks.iter().find(|(id, ..)| *id == replicas[0].0).unwrap();
        assert!(!leader.2, "a leader is not fenced");
    }
    placed
}

#[test]
fn leaders_are_spread_evenly() {
    let racks: Vec<_> = (0..6).map(|id| (id, None, false)).collect();
    let mut led = BTreeMap::new();
    for replicas in check(&racks, 600, 3) {
        *led.entry(replicas[0]).or_insert(0) += 1;
    }
    assert!(led.values().all(|&count| (80..=120).contains(&count)), "{led:?}");
}

#[test]
fn replicas_are_spread_over_racks() {
    let racks = [
        (0, Some("a"), false),
        (1, Some("a"), false),
        (2, Some("b"), false),
        (3, Some("b"), false),
        (4, Some("c"), false),
        (5, Some("c"), false),
    ];
    for replicas in check(&racks, 100, 3) {
        let mut in_racks: Vec<_> = replicas.iter().map(|id| id.0 / 2).collect();
        in_racks.sort();
        assert_eq!(in_racks, [0, 1, 2]);
    }
}

#[test]
fn fenced_brokers_follow_only_when_needed() {
    let racks = [(0, None, false), (1, None, true), (2, None, false), (3, None, false)];
    assert!(check(&racks, 50, 3).iter().all(|replicas| !replicas.contains(&NodeId(1))));
    check(&racks, 50, 4);
    check(&[(0, None, false), (1, None, true)], 20, 2);
}

#[test]
fn uneven_racks_and_few_replicas_end_well() {
    for factor in 1..=4 {
        check(
            &[(0, Some("a"), false), (1, Some("a"), false), (2, Some("b"), false), (3, None, false)],
            99,
            factor,
        );
    }
}

#[test]
fn too_few_brokers_or_none_active() {
    let place = |racks: &[_], factor| place(&brokers(racks), &BTreeSet::new(), 1, factor, &mut || 1);
    assert_eq!(
        place(&[(0, None, false)], 3),
        Err(PlacementError::TooFewBrokers { replication_factor: 3, brokers: 1 })
    );
    assert_eq!(place(&[(0, None, true)], 1), Err(PlacementError::AllFenced { replication_factor: 1 }));
    assert!(place(&[], 1).is_err());
}

#[test]
fn what_is_drained_takes_no_partition() {
    let racks = brokers(&[(0, None, false), (1, None, false), (2, None, false)]);
    let drained = BTreeSet::from([NodeId(1)]);
    for replicas in place(&racks, &drained, 20, 2, &mut || 3).unwrap() {
        assert!(!replicas.contains(&NodeId(1)), "{replicas:?}");
    }
    let all = place(&racks, &drained, 1, 3, &mut || 3);
    assert_eq!(all, Err(PlacementError::TooFewBrokers { replication_factor: 3, brokers: 2 }));
}
