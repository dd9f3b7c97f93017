//! Deleting topics.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use ottla_types::{ByteString, TopicName};

use super::{Admin, silent};
use crate::error::check;
use crate::{ClientError, Result};

impl Admin {
    /// Deletes a topic with all its records.
    pub async fn delete_topic(&self, name: impl Into<TopicName>) -> Result<()> {
        let name = name.into();
        let what = format!("deleting topic {name}");
        let wire_name = ByteString::from(name.clone());
        let (what, name, wire_name) = (&what, &name, &wire_name);
        self.at_controller(what.clone(), move |connection| async move {
            // Until version 5 names, then states that may name a topic by its id.
            let mut request =
                DeleteTopicsRequest { timeout_ms: self.timeout_ms(), ..DeleteTopicsRequest::default() };
            if connection.version_of::<DeleteTopicsRequest>()? >= 6 {
                let name = Some(wire_name.clone());
                request.topics = vec![DeleteTopicState { name, ..DeleteTopicState::default() }];
            } else {
                request.topic_names = vec![wire_name.clone()];
            }
            let response = connection.call(&request).await?;
            let result = response.responses.into_iter().next().ok_or_else(|| silent(&connection, what))?;
            if result.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
                return Err(ClientError::UnknownTopic { topic: name.clone() });
            }
            check(result.error_code, result.error_message.as_deref(), || what.clone())
        })
        .await
    }
}
