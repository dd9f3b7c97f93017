//! How a node of the quorum ends in order, also where its disk does not take what is still to be written.

use std::sync::Arc;
use std::time::Duration;

use openraft::Raft;
use tokio::time::timeout;

use crate::log::LogThread;
use crate::raft::machine::Machine;
use crate::raft::types::TypeConfig;

/// How long a node that stops waits for its disk, each time.
const WRITE_WITHIN: Duration = Duration::from_secs(2);

/// Ends openraft, then the log with all that was written to it. Where the disk takes nothing, the rest is dropped: nothing of it was
/// acknowledged. False if the disk does not answer: a write may still be under way, and nobody else may open the directory.
pub(crate) async fn stop(
    raft: Raft<TypeConfig, Machine>,
    log: Arc<LogThread>,
    abort_tasks: impl FnOnce(),
) -> bool {
    // A task: openraft must not be left half stopped.
    let mut stopping = tokio::spawn(async move { raft.shutdown().await });
    // It waits for its votes to be written, on a full disk for ever.
    let is_stuck = timeout(WRITE_WITHIN, &mut stopping).await.is_err();
    abort_tasks();
    let closing = tokio::task::spawn_blocking(move || match is_stuck {
        false => log.close(),
        true => log.abandon(),
    });
    let closed = timeout(WRITE_WITHIN, closing).await;
    let is_released = closed.is_ok();
    match closed {
        Ok(Ok(())) if !is_stuck => {}
        Ok(Ok(())) => tracing::warn!("the metadata log takes no writes: what waited for it is dropped"),
        Ok(Err(_)) => tracing::error!("the metadata log could not be closed"),
        Err(_) => tracing::error!("the disk of the metadata log does not answer: it is left as it is"),
    }
    if is_stuck {
        // With its writes failed, it is soon over.
        let _ = timeout(WRITE_WITHIN, stopping).await;
    }
    is_released
}
