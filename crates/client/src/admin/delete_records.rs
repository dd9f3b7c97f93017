//! Deleting records (KIP-107).

use ottla_protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use ottla_types::{ByteString, Offset, TopicPartition};

use super::{Admin, silent};
use crate::Result;
use crate::cluster::{Retry, Want};
use crate::error::check;

impl Admin {
    /// Deletes a partition's records below `before`; −1 is the high watermark. Gives the new start of the log.
    pub async fn delete_records(&self, partition: &TopicPartition, before: Offset) -> Result<Offset> {
        let what = format!("deleting records of {partition} below offset {before}");
        let wire = DeleteRecordsPartition {
            partition_index: partition.partition.0,
            offset: before.0,
            ..DeleteRecordsPartition::default()
        };
        let topic = DeleteRecordsTopic {
            name: ByteString::from(partition.topic.clone()),
            partitions: vec![wire],
            ..DeleteRecordsTopic::default()
        };
        let request = DeleteRecordsRequest {
            topics: vec![topic],
            timeout_ms: self.timeout_ms(),
            ..DeleteRecordsRequest::default()
        };
        let mut retry = Retry::new(&self.cluster, what.clone());
        loop {
            match self.ask_delete(partition, &request, &what).await {
                Ok(start) => return Ok(start),
                Err(e) => retry.after(e).await?,
            }
            let topic = std::slice::from_ref(&partition.topic);
            if let Err(e) = self.cluster.refresh(Want::Topics(topic), false).await {
                tracing::debug!(error = %e, "metadata could not be refreshed");
            }
        }
    }

    async fn ask_delete(
        &self,
        partition: &TopicPartition,
        request: &DeleteRecordsRequest,
        what: &str,
    ) -> Result<Offset> {
        let leader = self.cluster.leader_id(partition).await?;
        let connection = self.cluster.broker(leader).await?;
        let response = connection.call(request).await?;
        let result = response.topics.into_iter().flat_map(|t| t.partitions).next();
        let result = result.ok_or_else(|| silent(&connection, what))?;
        check(result.error_code, None, || what.to_owned())?;
        Ok(Offset(result.low_watermark))
    }
}
