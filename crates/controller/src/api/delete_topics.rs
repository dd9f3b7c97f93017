//! DeleteTopics. Each topic is deleted or not by itself.
//!
//! Versions: 6 names topics by id too. Errors: UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INVALID_REQUEST (a topic twice, or
//! both name and id), TOPIC_DELETION_DISABLED, TOPIC_AUTHORIZATION_FAILED, NOT_CONTROLLER.

use ottla_metadata::MetadataImage;
use ottla_metadata::plan::{DeleteTopicError, DeletedTopic, TopicRef, plan_delete_topics};
use ottla_protocol::messages::delete_topics::{DeletableTopicResult, DeleteTopicState};
use ottla_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::{AclOperation, RequestContext, ResourceType};
use ottla_types::Uuid;

use super::coded;
use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    if controller
        .settings
        .configured
        .get("delete.topic.enable")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"))
    {
        return request.error_response(cx.version, ErrorCode::TOPIC_DELETION_DISABLED);
    }
    let image = controller.image();
    let mut responses = Vec::new();
    let mut wishes = Vec::new();
    for topic in named(&request) {
        match wish(cx, &image, &topic) {
            Ok(wish) => wishes.push(wish),
            Err(error) => responses.push(DeletableTopicResult {
                name: topic.name,
                topic_id: topic.topic_id,
                error_code: error,
                error_message: Some(error.message().into()),
                ..Default::default()
            }),
        }
    }
    match controller.decide(move |plan| plan_delete_topics(plan.image, &wishes)).await {
        Ok(answer) => responses.extend(answer.into_iter().map(|(topic, outcome)| result(topic, outcome))),
        Err(error) => return request.error_response(cx.version, error.code()),
    }
    DeleteTopicsResponse { responses, ..Default::default() }
}

/// The topics of the request, whatever its version.
fn named(request: &DeleteTopicsRequest) -> impl Iterator<Item = DeleteTopicState> {
    let by_name = request
        .topic_names
        .iter()
        .map(|name| DeleteTopicState { name: Some(name.clone()), ..DeleteTopicState::default() });
    request.topics.iter().cloned().chain(by_name)
}

fn wish(cx: &RequestContext, image: &MetadataImage, topic: &DeleteTopicState) -> Result<TopicRef, ErrorCode> {
    let (wish, name) = match (&topic.name, topic.topic_id.is_zero()) {
        (Some(name), true) => (TopicRef::Name(name.clone().into()), Some(name.to_string())),
        (None, false) => {
            let name = image.topics.by_id(topic.topic_id).map(|topic| topic.name.to_string());
            (TopicRef::Id(topic.topic_id), name)
        }
        _ => return Err(ErrorCode::INVALID_REQUEST),
    };
    match name {
        Some(name) if !cx.allows(AclOperation::Delete, ResourceType::Topic, &name) => {
            Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
        }
        _ => Ok(wish),
    }
}

fn result(topic: TopicRef, outcome: Result<DeletedTopic, DeleteTopicError>) -> DeletableTopicResult {
    let (name, topic_id) = match topic {
        TopicRef::Name(name) => (Some(name.into()), Uuid::ZERO),
        TopicRef::Id(id) => (None, id),
    };
    match outcome {
        Ok(deleted) => DeletableTopicResult {
            name: Some(deleted.name.into()),
            topic_id: deleted.id,
            ..Default::default()
        },
        Err(error) => {
            let (error_code, error_message) = coded(&error);
            DeletableTopicResult { name, topic_id, error_code, error_message, ..Default::default() }
        }
    }
}
