use ottla_env::ManualClock;
use ottla_metadata::{MetadataImage, MetadataRecord};
use ottla_network::ClientOptions;
use ottla_protocol::records::metadata::RegisterBrokerRecord;

use super::*;
use crate::controller_channel::{ControllerRoute, Controllers};

const OWN_SESSION: Duration = Duration::from_secs(18);

/// The life of one of two brokers whose controller is elsewhere.
fn life() -> Life {
    let route = ControllerRoute::Tcp { host: "controller".to_owned(), port: 9093 };
    let controllers = Controllers::new(vec![(Some(NodeId(9)), route)]);
    let registered = |broker_id| {
        MetadataRecord::from(RegisterBrokerRecord { broker_id, fenced: false, ..Default::default() })
    };
    let (image, _) = MetadataImage::empty().apply(&[1, 2].map(registered)).unwrap();
    let metadata = Arc::new(MetadataCache::default());
    metadata.publish(Arc::new(image));
    Life {
        channel: ControllerChannel::new(controllers, ClientOptions::default(), OWN_SESSION),
        me: Identity {
            node_id: NodeId(1),
            cluster_id: ByteString::from_static("c"),
            incarnation_id: Uuid::ZERO,
            listeners: Vec::new(),
            rack: None,
            directories: Vec::new(),
            previous_epoch: BrokerEpoch::NONE,
        },
        metadata,
        replicas: Weak::new(),
        lease: Arc::default(),
        clock: Arc::new(ManualClock::default()),
        syncs_first: true,
        interval: Duration::from_secs(6),
        own_session: OWN_SESSION,
        told_session_ms: AtomicI32::new(0),
    }
}

#[test]
fn a_lease_does_not_outlast_the_session_of_the_controller_that_answered() {
    let life = life();
    let lease_after = |session_timeout_ms| {
        let sent = Duration::from_secs(100);
        let answer = BrokerHeartbeatResponse {
            is_caught_up: true,
            is_fenced: false,
            session_timeout_ms,
            ..Default::default()
        };
        life.answered(sent, &answer);
        life.lease.left(sent).as_millis()
    };
    assert_eq!(lease_after(2000), 1800);
    assert_eq!(lease_after(9000), 8100, "the next controller may wait longer");
    assert_eq!(lease_after(0), 1800, "one of an older build does not tell");
    assert_eq!(lease_after(60_000), 16_200, "no longer than this broker is configured for");
}
