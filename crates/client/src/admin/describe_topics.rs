//! Listing and describing topics.

use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_types::TopicName;

use super::Admin;
use crate::cluster::{Retry, TopicInfo, Want};
use crate::{ClientError, Result};

impl Admin {
    /// All topics, the platform's own among them, by name.
    pub async fn list_topics(&self) -> Result<Vec<Arc<TopicInfo>>> {
        let mut retry = Retry::new(&self.cluster, "listing topics");
        while let Err(e) = self.cluster.refresh(Want::All, false).await {
            retry.after(e).await?;
        }
        let metadata = self.cluster.metadata();
        let mut topics: Vec<_> = metadata.topics().cloned().collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// A topic and its partitions. Does not create it.
    pub async fn describe_topic(&self, name: impl Into<TopicName>) -> Result<Arc<TopicInfo>> {
        let name = name.into();
        let mut retry = Retry::new(&self.cluster, format!("describing topic {name}"));
        loop {
            let asked = self.cluster.refresh(Want::Topics(std::slice::from_ref(&name)), false).await;
            let error = match asked {
                Ok(errors) => match errors.get(&name) {
                    None => match self.cluster.metadata().topic(&name) {
                        Some(topic) => return Ok(Arc::clone(topic)),
                        None => return Err(ClientError::UnknownTopic { topic: name }),
                    },
                    Some(&ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {
                        return Err(ClientError::UnknownTopic { topic: name });
                    }
                    Some(&code) => ClientError::broker(format!("describing topic {name}"), code, None),
                },
                Err(e) => e,
            };
            retry.after(error).await?;
        }
    }
}
