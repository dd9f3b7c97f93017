//! What nobody uses holds nothing.

use super::*;

#[tokio::test]
async fn an_idle_partition_holds_no_file() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    produce(&partition, "v").await;
    let minutes = |n: u32| {
        for _ in 0..n {
            host.clock.advance(Duration::from_secs(60));
            host.manager.release_idle();
        }
    };
    let opens = async || {
        let before = host.disk.counters().opens;
        produce(&partition, "v").await;
        host.disk.counters().opens - before
    };
    // The first syncs may still look at names.
    opens().await;
    minutes(10);
    assert_eq!(opens().await, 0, "it was in use ten minutes ago");
    minutes(9);
    // Being looked at by metrics is no use.
    assert_eq!(partition.offsets().log_end.0, 3);
    minutes(2);
    assert_eq!(host.manager.dirs[0].tail_cache_bytes(), 0);
    assert_eq!(opens().await, 1, "its file was held open");
    assert_eq!(opens().await, 0);
}
