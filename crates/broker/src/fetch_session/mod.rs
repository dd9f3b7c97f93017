//! Incremental fetch sessions (KIP-227): a client names its partitions once, then sends and receives only changes.
//!
//! ```text
//!  request epoch   meaning                          answer
//!  −1              no session; close the one named  every partition
//!   0              open a new session               every partition, with the new session's id
//!   n              n-th change to the session       partitions with records or changed offsets or errors
//! ```

mod cache;
mod session;

pub(crate) use self::cache::{FetchContext, FetchSessionError, FetchSessions};
pub(crate) use self::session::{Answered, FetchPartition, PartitionKey};
