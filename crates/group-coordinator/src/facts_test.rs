use super::*;
use crate::test_support::*;

#[test]
fn facts_count_groups_members_and_offsets() {
    let mut rig = Rig::prompt();
    rig.stable(&["a", "b"]);
    rig.commit_offset("simple", "t", 7);
    rig.commit_offset("simple", "u", 8);
    let shard = rig.shard();
    let by_state: Vec<_> = shard.groups_by_state().into_iter().collect();
    assert_eq!(
        by_state,
        [
            (GroupState::Empty, 1),
            (GroupState::PreparingRebalance, 0),
            (GroupState::CompletingRebalance, 0),
            (GroupState::Stable, 1),
        ]
    );
    let facts: Vec<_> = shard.group_facts().map(|fact| (fact.group_id, fact.state, fact.members)).collect();
    assert_eq!(facts, [("g".into(), GroupState::Stable, 2), ("simple".into(), GroupState::Empty, 0)]);
    assert_eq!(shard.offset_count(), 2);
    let offsets: Vec<_> = shard
        .committed_offsets()
        .map(|(group, topic, partition, committed)| {
            (group.to_string(), topic.to_string(), partition.get(), committed.offset.get())
        })
        .collect();
    assert_eq!(offsets, [("simple".into(), "t".into(), 0, 7), ("simple".into(), "u".into(), 0, 8)]);
    assert_eq!(
        shard.counters(),
        Counters { offset_commits: 2, completed_rebalances: 1, ..Counters::default() }
    );
}
