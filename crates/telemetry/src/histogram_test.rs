use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn every_value_falls_into_the_bucket_whose_bound_is_within_an_eighth() {
    for us in (0..100_000).chain([1 << 20, (1 << 25) + 12_345]) {
        let upper = upper_bound_us(bucket_of(us));
        assert!(upper >= us && upper - us <= us / 8, "{us} became {upper}");
    }
}

#[test]
fn buckets_are_in_order_and_the_largest_values_share_the_last_one() {
    let mut last = 0;
    for us in 0..1_000_000u64 {
        let bucket = bucket_of(us);
        assert!(bucket == last || bucket == last + 1, "{us}");
        last = bucket;
    }
    assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    assert_eq!(bucket_of((1 << (MAX_POWER + 1)) - 1), BUCKETS - 1);
    assert!(bucket_of((1 << MAX_POWER) - 1) < BUCKETS - 1);
}

#[test]
fn quantiles_of_one_to_a_hundred_milliseconds() {
    let histogram = Histogram::default();
    (1..=100).for_each(|value| histogram.record(ms(value)));
    let snapshot = histogram.snapshot();
    for (quantile, value) in [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)] {
        let got = snapshot.quantile(quantile).unwrap();
        assert!(got >= ms(value) && got <= ms(value) * 9 / 8, "{quantile}: {got:?}");
    }
    assert_eq!((snapshot.count(), snapshot.sum_seconds()), (100, 5.05));
    assert_eq!(snapshot.at_most(SECOND), 100);
    assert_eq!(Histogram::default().snapshot().quantile(0.5), None);
}

#[test]
fn a_window_forgets_what_is_older_than_its_span() {
    let histogram = Histogram::default();
    let mut window = QuantileWindow::new(60 * SECOND);
    let start = Instant::now();
    histogram.record(SECOND);
    assert_eq!(window.observe(start, &histogram).count(), 1, "the first scrape sees all");
    for tick in 1..=10u32 {
        histogram.record(ms(1));
        let seen = window.observe(start + tick * 15 * SECOND, &histogram).count();
        assert_eq!(seen, u64::from(tick.min(4)), "at tick {tick}");
    }
    assert!(window.snapshots.len() <= KEPT as usize + 2);
}
