use ottla_group_coordinator::{
    GROUP_METADATA_TOPIC, GroupError, GroupRequest, GroupResponse, GroupShard, Heartbeat, JoinGroup, Joined,
    Protocol, SyncGroup,
};
use ottla_protocol::records::metadata::PartitionChangeRecord;
use ottla_simdisk::SimDisk;
use ottla_types::Uuid;

use super::*;
use crate::replica_manager::RoleChanged;
use crate::replica_manager::tests::{Host, created};

const GROUPS: PartitionIndex = PartitionIndex(0);
const SESSION_MS: i32 = 30_000;

/// A broker that leads the only partition of the offsets topic.
struct Rig {
    broker: Host,
    host: Arc<CoordinatorHost<GroupShard>>,
}

impl Rig {
    async fn start() -> Self {
        let mut broker = Host::start(&SimDisk::new(1));
        let clock = Arc::clone(&broker.clock) as Arc<dyn Clock>;
        let new_shard = || GroupShard::new(Arc::default());
        // The disk's threads do not go by the clock of the test.
        let host = CoordinatorHost::new(clock, Duration::from_secs(3600), new_shard);
        let told = Arc::clone(&host);
        broker.manager.on_role_change(Box::new(move |change| match change {
            RoleChanged::Leads(partition, epoch) => told.became_leader(partition, epoch),
            RoleChanged::Left(at) => told.lost_leadership(at.partition),
            RoleChanged::WillLead(_) | RoleChanged::Follows(..) => {}
        }));
        broker.apply(created(GROUP_METADATA_TOPIC, 1, 1).0);
        broker.partition(GROUP_METADATA_TOPIC, 0).await.unwrap();
        Self { broker, host }
    }

    fn advance(&self, ms: i32) -> Option<Monotonic> {
        self.broker.clock.advance(Duration::from_millis(ms as u64));
        self.host.tick()
    }

    async fn heartbeat(&self, joined: &Joined) -> Result<Result<GroupResponse, GroupError>, HostError> {
        let heartbeat = Heartbeat {
            group_id: "g".into(),
            member_id: joined.member_id.clone(),
            generation: joined.generation,
            ..Heartbeat::default()
        };
        self.host.request(GROUPS, GroupRequest::Heartbeat(heartbeat)).await
    }

    /// Lets the request wait through the delay of a first rebalance, with `meanwhile` in it.
    async fn join(&mut self, meanwhile: impl FnOnce(&mut Self)) -> Joined {
        let host = Arc::clone(&self.host);
        let joining = host.request(GROUPS, joining());
        tokio::pin!(joining);
        tokio::select! {
            biased;
            answer = &mut joining => panic!("{answer:?} at once"),
            () = std::future::ready(()) => {}
        }
        meanwhile(self);
        for _ in 0..3 {
            self.advance(3_000);
        }
        match joining.await {
            Ok(Ok(GroupResponse::Join(joined))) => joined,
            other => panic!("{other:?}"),
        }
    }
}

fn joining() -> GroupRequest {
    GroupRequest::Join(Box::new(JoinGroup {
        group_id: "g".into(),
        client_id: "a".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: 10 * SESSION_MS,
        protocol_type: "consumer".into(),
        protocols: vec![Protocol { name: "range".into(), ..Protocol::default() }],
        ..JoinGroup::default()
    }))
}

#[tokio::test]
async fn a_leader_that_stays_keeps_its_shard_and_who_waits_for_it() {
    let mut rig = Rig::start().await;
    let next_epoch = |rig: &mut Rig| {
        let (partition_id, topic_id) = (GROUPS.0, Uuid([1; 16]));
        let change = PartitionChangeRecord { partition_id, topic_id, leader: 1, ..Default::default() };
        let (image, _) = rig.broker.image.apply(&[change.into()]).unwrap();
        rig.broker.apply(image);
    };
    let joined = rig.join(next_epoch).await;
    next_epoch(&mut rig);
    assert_eq!(rig.heartbeat(&joined).await, Ok(Ok(GroupResponse::Heartbeat)));
    // It writes in the new epoch.
    let sync = SyncGroup {
        group_id: "g".into(),
        member_id: joined.member_id.clone(),
        generation: joined.generation,
        ..SyncGroup::default()
    };
    let synced = rig.host.request(GROUPS, GroupRequest::Sync(sync)).await.unwrap();
    assert!(matches!(synced, Ok(GroupResponse::Sync(_))), "{synced:?}");
    rig.broker.close();
}

#[tokio::test]
async fn members_that_are_refused_for_want_of_a_lease_stay_members() {
    let mut rig = Rig::start().await;
    let joined = rig.join(|_| {}).await;
    let lease = Arc::clone(rig.broker.manager.lease());
    // Whether the timers are looked at while the lease is out, or it is back before.
    for looked_at in [true, false] {
        lease.revoke();
        assert_eq!(rig.heartbeat(&joined).await, Err(HostError::NotCoordinator));
        if looked_at {
            assert!(rig.advance(2 * SESSION_MS).is_some(), "it is looked at again");
        } else {
            rig.broker.clock.advance(Duration::from_millis(2 * SESSION_MS as u64));
        }
        lease.hold();
        rig.host.tick();
        rig.advance(SESSION_MS - 1);
        assert_eq!(rig.heartbeat(&joined).await, Ok(Ok(GroupResponse::Heartbeat)));
    }
    rig.advance(SESSION_MS);
    let answer = rig.heartbeat(&joined).await.unwrap();
    assert!(
        matches!(answer, Err(GroupError::UnknownMemberId { .. })),
        "silent of its own accord: {answer:?}"
    );
    rig.broker.close();
}
