//! FetchMetadata, a private API: how brokers follow the metadata, from any controller.
//!
//! The request tells the offset of the last record that the broker has applied, −1 for none. The answer waits until there is
//! more, then has the batches that follow (each a `RecordBatch` payload; `MetadataEntry::offset` is that of its first record),
//! or, when they are not all kept any more, a snapshot of the whole image up to `snapshot_offset`. `end_offset` is the last
//! offset that this controller has applied. An answer without either means that the wait is over.
//!
//! Errors: INCONSISTENT_CLUSTER_ID, UNKNOWN_SERVER_ERROR (this controller has failed: ask another).

use std::time::Duration;

use ottla_protocol::messages::private::MetadataEntry;
use ottla_protocol::messages::{FetchMetadataRequest, FetchMetadataResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::Offset;
use tokio::time::{Instant, timeout_at};

use crate::Controller;

/// The longest wait, whatever the request says.
const MAX_WAIT: Duration = Duration::from_secs(10);

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: FetchMetadataRequest,
) -> FetchMetadataResponse {
    if !request.cluster_id.is_empty() && request.cluster_id != controller.cluster_id() {
        return request.error_response(cx.version, ErrorCode::INCONSISTENT_CLUSTER_ID);
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(MAX_WAIT);
    let deadline = Instant::now() + wait;
    let mut offsets = controller.subscribe();
    loop {
        if controller.failure().is_some() {
            return request.error_response(cx.version, ErrorCode::UNKNOWN_SERVER_ERROR);
        }
        let newest = *offsets.borrow_and_update();
        // Whoever is ahead knows what this controller has still to learn, even if it believes to be the active one.
        if newest > Offset(request.offset) {
            return news(controller, &request);
        }
        if !matches!(timeout_at(deadline, offsets.changed()).await, Ok(Ok(()))) {
            return answer(controller, newest);
        }
    }
}

fn news(controller: &Controller, request: &FetchMetadataRequest) -> FetchMetadataResponse {
    let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0);
    let image = controller.image();
    let response = answer(controller, image.offset);
    if let Some(batches) = controller.batches_after(Offset(request.offset), max_bytes) {
        let entries = batches.into_iter().map(|batch| MetadataEntry {
            offset: batch.base_offset.0,
            epoch: batch.epoch.0,
            payload: batch.payload,
            ..Default::default()
        });
        return FetchMetadataResponse { entries: entries.collect(), ..response };
    }
    match image.encode_snapshot() {
        Ok(snapshot) => {
            FetchMetadataResponse { snapshot: Some(snapshot), snapshot_offset: image.offset.0, ..response }
        }
        Err(error) => {
            tracing::error!("metadata snapshot: {error}");
            FetchMetadataResponse { error_code: ErrorCode::UNKNOWN_SERVER_ERROR, ..Default::default() }
        }
    }
}

fn answer(controller: &Controller, end_offset: Offset) -> FetchMetadataResponse {
    let state = controller.quorum_state();
    FetchMetadataResponse {
        leader_id: state.leader.map_or(-1, |id| id.0),
        epoch: state.epoch.0,
        end_offset: end_offset.0,
        ..Default::default()
    }
}
