//! The frame of a replicated shard: a state machine whose memory is one partition of an internal topic.
//!
//! A consumer group, a transaction and a share group live in the shard whose partition
//! [`partition_for`] names. The broker that leads the partition hosts the shard.
//!
//! ```text
//!            request                                     replies that may leave
//!               │                                                  ▲
//!   host ───────┼──────────────────────────────────────────────────┼──────────────
//!   (broker)    ▼                                                  │
//!          Shard::handle ──▶ Effects                        PendingReplies
//!          Shard::timer        ├─ records ─▶ append ─▶ Shard::replay ▲      ▲
//!               ▲              │              (one batch)            │      │
//!               │              ├─ replies ───────────────────────────┘      │
//!               │              └─ timers ──▶ TimerQueue                     │
//!               └───────────────────────────────┘             high watermark moved
//!
//!   log     ──┬───────────────┬───────────────────────┬──▶ Offset
//!             │ acknowledged  │ appended and replayed │ next append
//!             └───────────────▲───────────────────────▲
//!                       high watermark        every decision is made on this state;
//!                                             its reply waits until the watermark is here
//! ```
//!
//! # Rules
//!
//! * Durable state changes only in [`Shard::replay`]: at load and after a successful local append. A
//!   shard that replays its whole log into a fresh instance has the same durable state.
//! * A request is decided on everything appended, acknowledged or not, as Kafka's coordinators do. Its
//!   reply is held until the high watermark reaches the offset that it was decided at, whether it read or
//!   wrote, so nobody sees what a failover can take back. [`Gate::Immediate`] replies (heartbeats,
//!   failures) do not wait.
//! * Soft state (sessions, parked requests, timers) may change in `handle` and `timer`, and is empty after
//!   a load. Where such a change presumes that its records get into the log, the [`Effects`] carry an
//!   `undo`. When the append fails the host hands the effects back to [`Shard::append_failed`], which mends the
//!   soft state and returns what to do instead; durable state was never touched.
//!
//! # How a host drives it
//!
//! [`HostedShard`] does all of this under the host's lock, one instance for each partition led:
//!
//! 1. Became leader: `HostedShard::new`, then [`HostedShard::load`] for each record from the log start
//!    offset to the log end offset. Until then: COORDINATOR_LOAD_IN_PROGRESS. Then
//!    [`HostedShard::loaded`], which starts the timers.
//! 2. Request: [`HostedShard::handle`]. It decides, appends the records as one batch through [`ShardLog`],
//!    replays them and returns the replies that may leave now.
//! 3. The high watermark moved: [`HostedShard::release`]. [`HostedShard::next_deadline`] passed:
//!    [`HostedShard::fire`]. Both return replies too. Wake-ups may be late or spurious.
//! 4. Lost leadership, or the log directory failed: [`HostedShard::unload`] answers whatever waits; drop it. A
//!    panic while the lock was held, or a record that cannot be replayed, ends it likewise: load a new one.
//!
//! What this crate does *not* do: it opens no log, knows no wire format and no broker, holds no lock, and
//! does no waiting. It is entered through [`Shard`] by those who write one, [`HostedShard`] by the host.

mod effects;
mod hosted;
mod partition;
mod pending;
mod shard;
mod timers;

pub use crate::effects::{Effects, Gate, KeyValueRecord, Reply, RequestId};
pub use crate::hosted::{Appended, HostedShard, ShardLog};
pub use crate::partition::partition_for;
pub use crate::pending::PendingReplies;
pub use crate::shard::{EffectsOf, Failure, Now, ReplayError, Shard, TransactionResult};
pub use crate::timers::TimerQueue;

pub use ottla_env::Monotonic;
