//! How a consumer works.

use std::time::Duration;

use super::group::Assignor;
use crate::cluster::{IsolationLevel, OffsetSpec};
use crate::{ClientError, Result};

/// Where to start without a committed offset, or when it is out of the log (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OffsetReset {
    /// At the first record.
    Earliest,
    /// Behind the last record.
    #[default]
    Latest,
    /// Nowhere: it is an error.
    None,
}

impl OffsetReset {
    pub(crate) const fn spec(self) -> Option<OffsetSpec> {
        match self {
            Self::Earliest => Some(OffsetSpec::Earliest),
            Self::Latest => Some(OffsetSpec::Latest),
            Self::None => None,
        }
    }
}

/// How a consumer works. The names and defaults are those of Kafka's consumer settings.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// The group to commit in, and to share partitions with when subscribed.
    pub group_id: Option<String>,
    /// Makes a static member: it keeps its partitions over a restart within the session timeout.
    pub group_instance_id: Option<String>,
    /// Assignors to offer, the preferred one first; members of a group must share one.
    pub assignors: Vec<Assignor>,
    /// Where to start without a committed offset.
    pub auto_offset_reset: OffsetReset,
    /// Whether [`Consumer::poll`](crate::Consumer::poll) commits what earlier polls gave.
    pub enable_auto_commit: bool,
    /// How often it does.
    pub auto_commit_interval: Duration,
    /// A member that is silent for so long loses its partitions.
    pub session_timeout: Duration,
    /// How often a member is heard; a third of the session timeout at most.
    pub heartbeat_interval: Duration,
    /// The longest time between polls; a member that takes longer leaves the group.
    pub max_poll_interval: Duration,
    /// The most records that one poll gives.
    pub max_poll_records: usize,
    /// A broker answers a fetch when it has so many bytes …
    pub fetch_min_bytes: i32,
    /// … or after this time.
    pub fetch_max_wait: Duration,
    /// The most bytes per fetch; one batch always comes whole.
    pub fetch_max_bytes: i32,
    /// The most bytes per fetch and partition; one batch always comes whole.
    pub max_partition_fetch_bytes: i32,
    /// Which records to see.
    pub isolation_level: IsolationLevel,
    /// Whether checksums are verified.
    pub check_crcs: bool,
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self {
            group_id: None,
            group_instance_id: None,
            assignors: vec![Assignor::Range, Assignor::RoundRobin],
            auto_offset_reset: OffsetReset::default(),
            enable_auto_commit: true,
            auto_commit_interval: Duration::from_secs(5),
            session_timeout: Duration::from_secs(45),
            heartbeat_interval: Duration::from_secs(3),
            max_poll_interval: Duration::from_secs(300),
            max_poll_records: 500,
            fetch_min_bytes: 1,
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 50 << 20,
            max_partition_fetch_bytes: 1 << 20,
            isolation_level: IsolationLevel::default(),
            check_crcs: true,
        }
    }
}

impl ConsumerConfig {
    /// Kafka's defaults in the group `id`.
    pub fn group(id: impl Into<String>) -> Self {
        Self { group_id: Some(id.into()), ..Self::default() }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let invalid = |what, value: String, expected| Err(ClientError::Invalid { what, value, expected });
        if self.heartbeat_interval >= self.session_timeout {
            let value = format!("{:?}", self.heartbeat_interval);
            return invalid("heartbeat.interval.ms", value, "less than session.timeout.ms");
        }
        if self.max_poll_records == 0 {
            return invalid("max.poll.records", "0".to_owned(), "at least 1");
        }
        if self.assignors.is_empty() {
            return invalid("partition.assignment.strategy", "empty".to_owned(), "at least one assignor");
        }
        if self.group_id.as_deref() == Some("") {
            return invalid("group.id", "empty".to_owned(), "at least one character, or no group");
        }
        Ok(())
    }
}
