//! The shard: all groups of one partition of `__consumer_offsets`.

use std::sync::Arc;
use std::time::Duration;

use ottla_coordinator::{
    EffectsOf, Failure, KeyValueRecord, Monotonic, Now, ReplayError, RequestId, Shard, TransactionResult,
};
use ottla_types::{Offset, ProducerId};

use crate::config::GroupConfig;
use crate::error::GroupError;
use crate::facts::Counters;
use crate::groups::Groups;
use crate::offsets::Offsets;
use crate::records::{self, GroupRecord};
use crate::response::{GroupRequest, GroupResponse};
use crate::timer::GroupTimer;
use crate::topics_deleted::DeletedTopic;
use crate::undo::GroupUndo;

/// The effects of a group shard's decision.
pub(crate) type Out = EffectsOf<GroupShard>;

/// All groups of one partition of `__consumer_offsets`.
#[derive(Debug)]
pub struct GroupShard {
    pub(crate) config: Arc<GroupConfig>,
    pub(crate) groups: Groups,
    pub(crate) offsets: Offsets,
    pub(crate) deleted_topics: Vec<DeletedTopic>,
    pub(crate) counters: Counters,
}

/// What a decision may know besides the state: the time and the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cx<'a> {
    pub(crate) now: Now,
    pub(crate) config: &'a GroupConfig,
}

impl Cx<'_> {
    /// The point in time `wait_ms` from now; now if that is negative.
    pub(crate) fn after_ms(&self, wait_ms: i32) -> Monotonic {
        self.now.monotonic + Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
    }

    /// When expired offsets are looked for next.
    pub(crate) fn next_check(&self) -> Monotonic {
        let interval_ms = self.config.offsets_retention_check_interval_ms;
        self.now.monotonic + Duration::from_millis(u64::try_from(interval_ms).unwrap_or(0))
    }
}

impl GroupShard {
    /// An empty shard; the host replays its log into it.
    pub fn new(config: Arc<GroupConfig>) -> Self {
        Self {
            config,
            groups: Groups::default(),
            offsets: Offsets::default(),
            deleted_topics: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Takes over changed settings. Timers that run keep their deadlines.
    pub fn set_config(&mut self, config: Arc<GroupConfig>) {
        self.config = config;
    }
}

impl Shard for GroupShard {
    type Request = GroupRequest;
    type Response = Result<GroupResponse, GroupError>;
    type Timer = GroupTimer;
    type Undo = GroupUndo;

    fn handle(&mut self, now: Now, id: RequestId, request: GroupRequest) -> Out {
        let config = Arc::clone(&self.config);
        let cx = Cx { now, config: &config };
        let mut out = Out::none();
        match request {
            GroupRequest::Join(request) => self.join_group(cx, id, *request, &mut out),
            GroupRequest::Sync(request) => self.sync_group(cx, id, request, &mut out),
            GroupRequest::Heartbeat(request) => {
                let result = self.heartbeat(cx, &request, &mut out);
                // A session is soft: nothing that a failover could take back is told.
                out.reply_now(id, result.map(|()| GroupResponse::Heartbeat));
            }
            GroupRequest::Leave(request) => {
                let result = self.leave_group(cx, request, &mut out);
                out.reply(id, result.map(GroupResponse::Leave));
            }
            GroupRequest::CommitOffsets(request) => {
                let result = self.offset_commit(cx, request, &mut out);
                out.reply(id, result.map(GroupResponse::CommitOffsets));
            }
            GroupRequest::FetchOffsets(request) => {
                out.reply(id, Ok(GroupResponse::FetchOffsets(self.offset_fetch(&request))));
            }
            GroupRequest::DeleteOffsets(request) => {
                let result = self.offset_delete(request, &mut out);
                out.reply(id, result.map(GroupResponse::DeleteOffsets));
            }
            GroupRequest::Describe(request) => {
                out.reply(id, Ok(GroupResponse::Describe(self.describe_groups(request))));
            }
            GroupRequest::List(request) => {
                out.reply(id, Ok(GroupResponse::List(self.list_groups(&request))));
            }
            GroupRequest::Delete(request) => {
                let results = self.delete_groups(request, &mut out);
                out.reply(id, Ok(GroupResponse::Delete(results)));
            }
            GroupRequest::TopicsDeleted(topics) => {
                self.topics_deleted(cx, topics, &mut out);
                out.reply_now(id, Ok(GroupResponse::TopicsDeleted));
            }
        }
        out
    }

    fn timer(&mut self, now: Now, key: GroupTimer) -> Out {
        let config = Arc::clone(&self.config);
        let cx = Cx { now, config: &config };
        let mut out = Out::none();
        match key {
            GroupTimer::Session { group, member } => self.session_timer(cx, &group, &member, &mut out),
            GroupTimer::Join(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.join_timer(cx, &mut out);
                }
            }
            GroupTimer::Sync(group) => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.sync_timer(cx, &mut out);
                }
            }
            GroupTimer::Expiration => self.expire_offsets(cx, &mut out),
            GroupTimer::TopicsDeleted => self.remove_deleted_topics(cx, &mut out),
        }
        out
    }

    fn replay(
        &mut self,
        offset: Offset,
        producer: Option<ProducerId>,
        record: &KeyValueRecord,
    ) -> Result<(), ReplayError> {
        match records::decode(offset, record)? {
            GroupRecord::Group { id, stored } => self.groups.replay(id, stored),
            GroupRecord::Commit { group, partition, committed: Some(committed) } => {
                self.groups.replay_commit(&group);
                self.offsets.replay_commit(producer, group, partition, committed);
            }
            GroupRecord::Commit { group, partition, committed: None } => {
                self.offsets.replay_tombstone(&group, &partition);
            }
            GroupRecord::Unknown => {}
        }
        Ok(())
    }

    fn replay_transaction_end(&mut self, producer: ProducerId, result: TransactionResult) {
        self.offsets.replay_transaction_end(producer, result);
    }

    /// Every member that the log knows gets a new session. A group that has become too large rebalances.
    fn loaded(&mut self, now: Now) -> Out {
        let config = Arc::clone(&self.config);
        let cx = Cx { now, config: &config };
        let mut out = Out::none();
        for id in self.groups.ids_with_members() {
            let Some(group) = self.groups.get_mut(&id) else { continue };
            for member_id in group.members.keys() {
                group.renew_session(member_id, cx, &mut out);
            }
            if group.members.len() > cx.config.max_size {
                group.prepare_rebalance(cx, &mut out);
            }
        }
        out.set_timer(GroupTimer::Expiration, cx.next_check());
        out
    }

    fn resumed(&mut self, now: Now) -> Out {
        let config = Arc::clone(&self.config);
        let cx = Cx { now, config: &config };
        let mut out = Out::none();
        self.groups.live_mut().for_each(|group| group.resume(cx, &mut out));
        out
    }

    fn append_failed(&mut self, now: Now, mut failed: Out, failure: &Failure) -> Out {
        let config = Arc::clone(&self.config);
        let cx = Cx { now, config: &config };
        let undo = failed.undo.take();
        let mut out = failed.failed(|| Self::refuse(failure));
        if let Some(undo) = undo {
            undo.apply(&mut self.groups, cx, &GroupError::from(failure), &mut out);
        }
        out
    }

    fn unload(&mut self) -> Out {
        let mut out = Out::none();
        for group in self.groups.live_mut() {
            group.answer_all(&GroupError::NotCoordinator, &mut out);
        }
        out
    }

    fn refuse(failure: &Failure) -> Self::Response {
        Err(failure.into())
    }
}

#[cfg(test)]
#[path = "shard_test.rs"]
mod tests;
