//! Describing classic groups.

use ottla_protocol::ErrorCode;
use ottla_protocol::frame::decode_body;
use ottla_protocol::messages::consumer_protocol::ConsumerProtocolAssignment;
use ottla_protocol::messages::describe_groups::{DescribeGroupsRequest, DescribedGroupMember};
use ottla_types::{Bytes, TopicPartition};

use super::{Admin, silent};
use crate::error::check;
use crate::{ClientError, Result};

/// A group and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupInfo {
    /// Its id.
    pub id: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable` or `Dead`.
    pub state: String,
    /// What its members speak among themselves: `consumer`, `connect`, ….
    pub protocol_type: String,
    /// The assignor in use.
    pub protocol: String,
    /// By member id.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    /// The coordinator's name for it.
    pub id: String,
    /// Its own name, if it is a static member.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What it reads; empty for other protocols than `consumer`.
    pub partitions: Vec<TopicPartition>,
}

impl Admin {
    /// A classic group and its members.
    pub async fn describe_group(&self, group: &str) -> Result<GroupInfo> {
        let what = format!("describing group {group}");
        let request =
            DescribeGroupsRequest { groups: vec![group.into()], ..DescribeGroupsRequest::default() };
        let (request, what) = (&request, &what);
        self.at_coordinator(group, what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            let found = response.groups.into_iter().next().ok_or_else(|| silent(&connection, what))?;
            // Until version 5 a group that is not there is called dead.
            let dead = found.error_code.is_none() && found.group_state == "Dead" && found.members.is_empty();
            if dead || found.error_code == ErrorCode::GROUP_ID_NOT_FOUND {
                return Err(ClientError::UnknownGroup { group: group.to_owned() });
            }
            check(found.error_code, found.error_message.as_deref(), || what.clone())?;
            let consumers = found.protocol_type == "consumer";
            let mut members: Vec<_> = found.members.into_iter().map(|m| member(m, consumers)).collect();
            members.sort_by(|a, b| a.id.cmp(&b.id));
            Ok(GroupInfo {
                id: found.group_id.to_string(),
                state: found.group_state.to_string(),
                protocol_type: found.protocol_type.to_string(),
                protocol: found.protocol_data.to_string(),
                members,
            })
        })
        .await
    }
}

fn member(member: DescribedGroupMember, consumers: bool) -> GroupMember {
    GroupMember {
        id: member.member_id.to_string(),
        instance_id: member.group_instance_id.map(|i| i.to_string()),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        partitions: if consumers { assigned(&member.member_assignment) } else { Vec::new() },
    }
}

/// Members are free to write anything; what cannot be read is shown as nothing.
fn assigned(bytes: &Bytes) -> Vec<TopicPartition> {
    let Some(version) = bytes.first_chunk().map(|b| i16::from_be_bytes(*b)) else { return Vec::new() };
    let version = version.clamp(0, 3);
    let Ok(assignment) = decode_body::<ConsumerProtocolAssignment>(bytes.slice(2..), version) else {
        return Vec::new();
    };
    let mut partitions: Vec<_> = assignment
        .assigned_partitions
        .iter()
        .flat_map(|t| t.partitions.iter().map(|p| TopicPartition::new(t.topic.clone(), *p)))
        .collect();
    partitions.sort();
    partitions
}
