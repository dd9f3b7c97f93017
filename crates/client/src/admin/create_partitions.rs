//! Adding partitions.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use ottla_types::{ByteString, TopicName};

use super::{Admin, silent};
use crate::error::check;
use crate::{ClientError, Result};

impl Admin {
    /// Raises a topic's partitions to `total`. Keys move to other partitions by that.
    pub async fn set_partitions(&self, name: impl Into<TopicName>, total: i32) -> Result<()> {
        let name = name.into();
        let what = format!("raising the partitions of topic {name} to {total}");
        let topic = CreatePartitionsTopic {
            name: ByteString::from(name.clone()),
            count: total,
            assignments: None,
            ..CreatePartitionsTopic::default()
        };
        let request = CreatePartitionsRequest {
            topics: vec![topic],
            timeout_ms: self.timeout_ms(),
            ..CreatePartitionsRequest::default()
        };
        let (request, what, name) = (&request, &what, &name);
        self.at_controller(what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            let result = response.results.into_iter().next().ok_or_else(|| silent(&connection, what))?;
            if result.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
                return Err(ClientError::UnknownTopic { topic: name.clone() });
            }
            check(result.error_code, result.error_message.as_deref(), || what.clone())
        })
        .await
    }
}
