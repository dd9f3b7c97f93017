//! Producer, consumer and admin for any Kafka cluster.
