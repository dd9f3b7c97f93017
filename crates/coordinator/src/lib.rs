//! The frame of a replicated shard.
