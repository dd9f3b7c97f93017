//! Every Kafka request, response and internal record as one annotated struct.
