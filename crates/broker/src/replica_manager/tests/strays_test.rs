//! What the metadata does not know is kept.

use super::*;

/// A disk on which `t` was written by a broker that stopped in order.
async fn written() -> SimDisk {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 2).0);
    for index in 0..2 {
        produce(&host.partition("t", index).await.unwrap(), "v").await;
    }
    host.close()
}

fn assert_kept(host: &Host, partition: &str) {
    let folders = host.folders();
    let kept = |name: &&String| name.starts_with(&format!("{partition}.")) && name.ends_with("-stray");
    let stray = folders.iter().find(kept).unwrap_or_else(|| panic!("{partition} is not kept: {folders:?}"));
    let files = host.disk.list(&Path::new("/data").join(stray)).unwrap();
    assert!(files.iter().any(|file| file.name == "00000000000000000000.log"), "{files:?}");
}

#[tokio::test]
async fn a_folder_of_another_topic_of_the_name_is_set_aside() {
    let mut host = Host::start(&written().await);
    host.apply(created("t", 2, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    assert_eq!(partition.offsets().log_end.0, 0);
    assert_kept(&host, "t-0");
    produce(&partition, "new").await;
    assert!(host.folders().contains(&"t-0".to_owned()));
}

#[tokio::test]
async fn partitions_that_the_metadata_does_not_know_are_set_aside() {
    let mut host = Host::start(&written().await);
    host.apply(created("u", 2, 1).0);
    produce(&host.partition("u", 0).await.unwrap(), "v").await;
    host.manager.set_strays_aside();
    assert_kept(&host, "t-0");
    assert_kept(&host, "t-1");
    assert!(host.folders().contains(&"u-0".to_owned()));
    // They are nothing to the next start.
    let mut host = Host::start(&host.close());
    host.apply(created("u", 2, 1).0);
    host.manager.set_strays_aside();
    assert_eq!(host.folders().len(), 3);
}

#[tokio::test]
async fn what_the_metadata_knows_is_left_alone() {
    let mut host = Host::start(&written().await);
    host.apply(created("t", 1, 2).0);
    // Whether it is open yet or not.
    host.manager.set_strays_aside();
    assert_eq!(host.partition("t", 0).await.unwrap().offsets().log_end.0, 1);
    host.manager.set_strays_aside();
    assert_eq!(host.folders(), ["t-0", "t-1"]);
}

#[tokio::test]
async fn a_deleted_topic_is_deleted_though_it_was_never_opened() {
    let host = Host::start(&written().await);
    let (image, changes) = created("t", 1, 2);
    // Queued, and no worker yet.
    for change in changes {
        host.manager.opening.add(super::super::opening::Target { change, config: config().into() });
    }
    let after = MetadataImage::empty();
    let delta = MetadataDelta::between(&image, &after);
    host.manager.apply(&image, &after, &delta, |_| config());
    assert!(host.manager.opening.is_empty());
    assert!(host.folders().iter().all(|name| name.ends_with("-delete")), "{:?}", host.folders());
}

#[tokio::test]
async fn deleting_a_topic_costs_as_many_syncs_as_deleting_a_partition() {
    let mut syncs = Vec::new();
    for partitions in [1, 50] {
        let mut host = Host::start(&SimDisk::new(1));
        host.apply(created("t", 1, partitions).0);
        for index in 0..partitions {
            produce(&host.partition("t", index).await.unwrap(), "v").await;
        }
        let before = host.disk.counters();
        host.apply(MetadataImage::empty());
        let after = host.disk.counters();
        syncs.push((after.syncs - before.syncs, after.dir_syncs - before.dir_syncs));
        assert!(host.folders().iter().all(|name| name.ends_with("-delete")));
        host.close();
    }
    assert_eq!(syncs, [(1, 1), (1, 1)]);
}
