//! The whole controller on a real directory.

use std::sync::Arc;

use ottla_consensus::{NoTransport, QuorumConfig};
use ottla_env::{Disk, OpenOptions, RealClock, RealDisk, SeededRng};
use ottla_metadata::Settings;
use ottla_metadata::plan::{NewTopic, plan_create_topics};
use ottla_protocol::messages::{BrokerRegistrationRequest, FetchMetadataRequest};
use ottla_types::{NodeId, Uuid};

use crate::testing::{cx, features};
use crate::{Controller, ControllerConfig, ControllerDeps, api};

async fn start(dir: &std::path::Path, rng: u64) -> Arc<Controller> {
    let quorum = QuorumConfig::standalone(NodeId(1), Uuid([3; 16]), "c", dir);
    let deps = ControllerDeps {
        disk: Arc::new(RealDisk),
        clock: Arc::new(RealClock::default()),
        rng: Box::new(SeededRng::new(rng)),
        transport: Arc::new(NoTransport),
    };
    let controller =
        Controller::start(ControllerConfig::new(quorum, Settings::default()), deps).await.unwrap();
    controller.wait_for_leader().await;
    controller
}

async fn register(controller: &Controller, incarnation: u8) -> i64 {
    let request = BrokerRegistrationRequest {
        broker_id: 1,
        cluster_id: "c".into(),
        incarnation_id: Uuid([incarnation; 16]),
        features: features(),
        log_dirs: vec![Uuid([4; 16])],
        ..Default::default()
    };
    let response =
        api::broker_registration::handle(controller, &cx::<BrokerRegistrationRequest>(), request).await;
    assert!(response.error_code.is_none(), "{:?}", response.error_code);
    response.broker_epoch
}

#[tokio::test]
async fn what_was_decided_is_there_after_a_restart_and_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let controller = start(dir.path(), 1).await;
    let first = register(&controller, 1).await;
    let before = controller.image();
    assert_eq!(before.features.level("metadata.version"), 30);
    controller.shut_down().await;
    drop(controller);

    let controller = start(dir.path(), 2).await;
    assert_eq!(*controller.image(), *before, "after a clean stop");
    let second = register(&controller, 2).await;
    assert!(second > first);
    let topic = NewTopic { name: "t".into(), partitions: 1, replication_factor: 1, ..NewTopic::default() };
    let refused = controller
        .decide(move |cx| plan_create_topics(cx.image, cx.settings, &[topic], false, cx.draw))
        .await
        .unwrap();
    assert!(refused[0].1.is_err(), "the broker is still fenced");
    let before = controller.image();
    let gone = Arc::downgrade(&controller);
    drop(controller);
    assert!(gone.upgrade().is_none(), "its own tasks do not keep it alive");
    let lock = RealDisk.open(&dir.path().join(".lock"), OpenOptions::WRITE).unwrap();
    while !lock.try_lock().unwrap() {
        tokio::task::yield_now().await; // openraft's tasks have still to end
    }
    drop(lock);

    let controller = start(dir.path(), 3).await;
    assert_eq!(*controller.image(), *before, "after a kill");
    let request = FetchMetadataRequest { offset: -1, max_bytes: 1 << 20, ..Default::default() };
    let fed = api::fetch_metadata::handle(&controller, &cx::<FetchMetadataRequest>(), request).await;
    assert!(fed.error_code.is_none() && (!fed.entries.is_empty() || fed.snapshot.is_some()));
    controller.shut_down().await;
}
