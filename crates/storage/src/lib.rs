//! One log directory: partitions as segments in Kafka's file layout.
