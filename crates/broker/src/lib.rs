//! Handlers, purgatory, replica manager, hosting of shards and logs.
