//! Reading one setting of many topics.

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use ottla_types::TopicName;

use super::{Admin, ConfigResource};
use crate::Result;
use crate::cluster::Retry;
use crate::error::check;

/// How many topics to ask about at a time.
const PAGE: usize = 1000;

impl Admin {
    /// The values of the setting `key` of `topics`. Topics that are not there are left out.
    pub async fn topic_setting(
        &self,
        topics: &[TopicName],
        key: &str,
    ) -> Result<BTreeMap<TopicName, String>> {
        let mut values = BTreeMap::new();
        for page in topics.chunks(PAGE) {
            let resource = |topic: &TopicName| {
                let (resource_type, name) = ConfigResource::Topic(topic.clone()).wire();
                DescribeConfigsResource {
                    resource_type,
                    resource_name: name.into(),
                    configuration_keys: Some(vec![key.into()]),
                    ..DescribeConfigsResource::default()
                }
            };
            let request = DescribeConfigsRequest {
                resources: page.iter().map(resource).collect(),
                ..DescribeConfigsRequest::default()
            };
            let mut retry = Retry::new(&self.cluster, format!("reading {key} of topics"));
            loop {
                match self.ask_setting(&request, key).await {
                    Ok(page) => break values.extend(page),
                    Err(e) => retry.after(e).await?,
                }
            }
        }
        Ok(values)
    }

    async fn ask_setting(
        &self,
        request: &DescribeConfigsRequest,
        key: &str,
    ) -> Result<Vec<(TopicName, String)>> {
        let response = self.cluster.any().await?.call(request).await?;
        let mut values = Vec::with_capacity(response.results.len().min(PAGE));
        for result in response.results {
            if result.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
                continue;
            }
            let message = result.error_message.as_deref();
            check(result.error_code, message, || format!("reading {key} of topic {}", result.resource_name))?;
            let value = result.configs.into_iter().find(|config| *config.name == *key).and_then(|c| c.value);
            values.extend(value.map(|value| (TopicName::from(result.resource_name), value.to_string())));
        }
        Ok(values)
    }
}
