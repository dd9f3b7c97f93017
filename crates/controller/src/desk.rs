//! Where requests become decisions, one batch at a time.
//!
//! ```text
//!  waiting requests ─▶ plan on (committed image + this batch) ─▶ one proposal ─▶ committed and applied ─▶ replies
//!                         next batch gathers meanwhile
//! ```
//! Only one proposal is in flight. If it fails, everything that was decided with it is forgotten, and its requests are
//! told so. A request that changes nothing is answered with the batch it was decided in: its answer may rest on that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ottla_consensus::ProposeError;
use ottla_metadata::plan::{Decision, plan_bootstrap};
use ottla_metadata::{MetadataImage, MetadataRecord, Settings, encode_batch};
use ottla_types::{LeaderEpoch, Offset};
use tokio::sync::{mpsc, oneshot};

use crate::ControllerError;
use crate::metadata_log::MetadataLog;
use crate::published::Published;

/// Requests that may wait; more wait on their connections.
const MAX_WAITING: usize = 1024;
/// A batch takes no further requests beyond this. One request alone may have more.
const BATCH_RECORDS: usize = 5000;
/// What one proposal holds: more than a batch and the largest request of a user together (10,000 partitions).
const PROPOSAL_RECORDS: usize = 20_000;

/// What a plan decides on.
pub(crate) struct PlanContext<'a> {
    /// The committed image, and on top what was decided before in this batch.
    pub(crate) image: &'a MetadataImage,
    /// Configuration.
    pub(crate) settings: &'a Settings,
    /// Random bits.
    pub(crate) draw: &'a mut dyn FnMut() -> u64,
}

/// Takes requests for the active controller.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

impl Desk {
    /// The desk, and the task behind it.
    pub(crate) fn new(
        log: Arc<dyn MetadataLog>,
        published: Arc<Published>,
        settings: Settings,
        draw: Box<dyn FnMut() -> u64 + Send>,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let clerk = Clerk { log, published, settings, draw };
        (Self { jobs }, clerk.run(waiting))
    }

    /// Decides `plan` on the newest state, and returns its answer once what it decided is committed.
    pub(crate) async fn decide<T: Send + 'static>(
        &self,
        plan: impl FnOnce(PlanContext<'_>) -> Decision<T> + Send + 'static,
    ) -> Result<T, ControllerError> {
        let (reply, answer) = oneshot::channel();
        let job = PlannedJob { plan: Some(plan), answer: None, reply };
        let stopped = || ControllerError::Failed("it has stopped".to_owned());
        self.jobs.send(Box::new(job)).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// A request at the desk, whatever its answer.
trait Job: Send {
    fn decide(&mut self, cx: PlanContext<'_>) -> Vec<MetadataRecord>;
    fn finish(self: Box<Self>, outcome: Result<(), ControllerError>);
}

struct PlannedJob<T, F> {
    plan: Option<F>,
    answer: Option<T>,
    reply: oneshot::Sender<Result<T, ControllerError>>,
}

impl<T: Send, F: FnOnce(PlanContext<'_>) -> Decision<T> + Send> Job for PlannedJob<T, F> {
    fn decide(&mut self, cx: PlanContext<'_>) -> Vec<MetadataRecord> {
        let Some(plan) = self.plan.take() else { return Vec::new() };
        let decision = plan(cx);
        self.answer = Some(decision.answer);
        decision.records
    }

    fn finish(self: Box<Self>, outcome: Result<(), ControllerError>) {
        let undecided = || ControllerError::Failed("the request was not decided".to_owned());
        let Self { answer, reply, .. } = *self;
        // Who asked may be gone; what was decided stands.
        let _ = reply.send(outcome.and_then(|()| answer.ok_or_else(undecided)));
    }
}

struct Clerk {
    log: Arc<dyn MetadataLog>,
    published: Arc<Published>,
    settings: Settings,
    draw: Box<dyn FnMut() -> u64 + Send>,
}

impl Clerk {
    async fn run(mut self, mut waiting: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = waiting.recv().await {
            let state = self.log.state();
            if !state.is_leader() || self.published.failure().is_some() {
                let refusal = match self.published.failure() {
                    Some(failure) => ControllerError::Failed(failure.to_owned()),
                    None => ControllerError::NotActive { leader: state.leader },
                };
                first.finish(Err(refusal));
                continue;
            }
            let (decided, records, base) = self.decide_batch(first, &mut waiting);
            let outcome = match records.is_empty() {
                true => self.commit_nothing().await,
                false => self.commit(state.epoch, base, records).await,
            };
            for job in decided {
                job.finish(outcome.clone());
            }
        }
    }

    fn decide_batch(
        &mut self,
        first: Box<dyn Job>,
        waiting: &mut mpsc::Receiver<Box<dyn Job>>,
    ) -> (Vec<Box<dyn Job>>, Vec<MetadataRecord>, Offset) {
        let committed = self.published.image();
        let mut image = (*committed).clone();
        let mut records = Vec::new();
        take_in(&mut image, &mut records, plan_bootstrap(&committed, &self.settings).records);
        let mut decided = Vec::new();
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let context = PlanContext { image: &image, settings: &self.settings, draw: &mut self.draw };
            let fits = match catch_unwind(AssertUnwindSafe(|| job.decide(context))) {
                Ok(more) => take_in(&mut image, &mut records, more),
                Err(_) => false,
            };
            if fits {
                decided.push(job);
            } else {
                job.finish(Err(ControllerError::Failed("a fault in a decision; see its log".to_owned())));
            }
            if records.len() < BATCH_RECORDS {
                next = waiting.try_recv().ok();
            }
        }
        (decided, records, committed.offset.next())
    }

    /// A decision without records was taken on an image that may be old, if this controller was replaced: then it must not be told.
    async fn commit_nothing(&mut self) -> Result<(), ControllerError> {
        let confirmed = self.log.confirm_leadership().await;
        confirmed.map_err(|_| ControllerError::NotActive { leader: None })
    }

    /// Commits the records, in as many proposals as they need. What has to take effect as a whole fits in one: only the
    /// fate of one broker's partitions can be more, and each of those is right by itself.
    async fn commit(
        &mut self,
        epoch: LeaderEpoch,
        mut base: Offset,
        records: Vec<MetadataRecord>,
    ) -> Result<(), ControllerError> {
        for chunk in records.chunks(PROPOSAL_RECORDS) {
            let finalized = self.published.image();
            let payload = encode_batch(&finalized.features, base, chunk)
                .map_err(|error| ControllerError::Failed(error.to_string()))?;
            let offset = self.log.propose(epoch, payload).await.map_err(refusal)?;
            if self.published.was_refused(offset) {
                // It was committed, but behind something that was not known here: an older leader's batch.
                return Err(ControllerError::NotActive { leader: None });
            }
            if let Some(failure) = self.published.failure() {
                return Err(ControllerError::Failed(failure.to_owned()));
            }
            base += chunk.len() as i64;
        }
        Ok(())
    }
}

/// Adds what was decided to the batch. What does not fit the image it was decided on is a fault of ours: left out.
fn take_in(
    image: &mut MetadataImage,
    records: &mut Vec<MetadataRecord>,
    mut more: Vec<MetadataRecord>,
) -> bool {
    if more.is_empty() {
        return true;
    }
    match image.apply(&more) {
        Ok((next, _)) => {
            *image = next;
            records.append(&mut more);
            true
        }
        Err(error) => {
            tracing::error!("a decision does not fit the image it was made on: {error}");
            false
        }
    }
}

fn refusal(error: ProposeError) -> ControllerError {
    match error {
        ProposeError::NotLeader { leader } => ControllerError::NotActive { leader },
        ProposeError::Unavailable => ControllerError::NotActive { leader: None },
        ProposeError::Unknown => ControllerError::Unknown,
        ProposeError::TooLarge { size, max } => ControllerError::TooLarge { size, max },
        ProposeError::Stopped(reason) => ControllerError::Failed(reason),
    }
}

#[cfg(test)]
#[path = "desk_test.rs"]
mod tests;
