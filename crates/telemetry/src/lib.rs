//! Logs and the metrics exporter.
