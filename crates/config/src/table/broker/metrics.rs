//! Kafka's JMX reporters. Ottla serves Prometheus metrics on `admin.listener`.

use crate::def::{ConfigDef, int, list, long, string};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter")
        .low()
        .cluster_wide()
        .accepted()
        .doc("Java classes that report metrics. Ottla serves `/metrics` in their place."),
    int("metrics.num.samples", "2")
        .at_least(1)
        .low()
        .accepted()
        .doc("How many samples Kafka keeps for a metric's rate."),
    string("metrics.recording.level", "INFO")
        .low()
        .accepted()
        .doc("How detailed Kafka's metrics are: INFO, DEBUG or TRACE."),
    long("metrics.sample.window.ms", "30000")
        .at_least(1)
        .low()
        .accepted()
        .doc("How long a sample for a metric's rate lasts."),
    list("kafka.metrics.reporters", "")
        .low()
        .accepted()
        .doc("Java classes that report Kafka's older metrics."),
    int("kafka.metrics.polling.interval.secs", "10")
        .at_least(1)
        .low()
        .accepted()
        .doc("How often Kafka's older reporters look at their metrics."),
    int("telemetry.max.bytes", "1048576")
        .at_least(1)
        .low()
        .accepted()
        .doc("The largest batch of metrics that a client may push."),
];
