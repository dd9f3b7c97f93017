//! A wall clock that jumps deletes nothing early and holds nothing up for good.

use super::*;

const YEARS_MS: i64 = 10 * 365 * 24 * 3_600_000;

/// Retention is seven days.
#[tokio::test]
async fn a_clock_that_jumps_by_years_deletes_nothing_before_a_day() {
    for jump_ms in [YEARS_MS, -YEARS_MS] {
        let mut host = Host::start(&SimDisk::new(1));
        host.apply(created("t", 1, 1).0);
        let partition = host.partition("t", 0).await.unwrap();
        produce(&partition, "v").await;
        let start = || partition.offsets().log_start.0;
        host.clock.set_wall_ms(NOW + jump_ms);
        for _ in 0..23 {
            host.manager.apply_retention();
            host.clock.advance(Duration::from_secs(3600));
        }
        produce(&partition, "w").await;
        assert_eq!(start(), 0, "{jump_ms}");
        // It was wrong.
        host.clock.set_wall_ms(NOW + 24 * 3_600_000);
        host.manager.apply_retention();
        assert_eq!(start(), 0, "{jump_ms}");
        // Time goes on.
        host.clock.advance(Duration::from_secs(8 * 24 * 3600));
        host.manager.apply_retention();
        assert_eq!(start(), 2, "{jump_ms}");
    }
}

#[tokio::test]
async fn a_start_under_a_wrong_date_deletes_nothing() {
    let disk = SimDisk::new(1);
    let mut host = Host::start(&disk);
    host.apply(created("t", 1, 1).0);
    produce(&host.partition("t", 0).await.unwrap(), "v").await;
    host.close();
    for jump_ms in [YEARS_MS, -YEARS_MS] {
        let mut host = Host::start_at(&disk, NOW + jump_ms);
        host.apply(created("t", 1, 1).0);
        let partition = host.partition("t", 0).await.unwrap();
        host.manager.apply_retention();
        assert_eq!(partition.offsets().log_start.0, 0, "{jump_ms}");
        drop(partition);
        host.close();
    }
}
