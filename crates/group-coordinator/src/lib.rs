//! Consumer groups and offsets: a shard in the coordinator frame.
