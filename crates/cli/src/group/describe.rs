//! `ottla group describe`

use ottla_client::{ClientError, GroupMember};
use serde::Serialize;

use super::lag::{self, Lag};
use crate::args::Context;
use crate::error::Result;
use crate::output::{list, or_dash, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The group
    group: String,
}

#[derive(Serialize)]
struct Description {
    group: String,
    state: String,
    protocol_type: String,
    assignor: String,
    lag: i64,
    members: Vec<Member>,
    partitions: Vec<Lag>,
}

#[derive(Serialize)]
struct Member {
    member: String,
    instance: Option<String>,
    client: String,
    host: String,
    partitions: Vec<String>,
}

impl From<GroupMember> for Member {
    fn from(member: GroupMember) -> Self {
        Self {
            member: member.id,
            instance: member.instance_id,
            client: member.client_id,
            host: member.host,
            partitions: member.partitions.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let admin = context.admin().await?;
    let partitions: Vec<_> = admin.group_lag(&args.group).await?.into_iter().map(Lag::from).collect();
    let description = match admin.describe_group(&args.group).await {
        Ok(info) => Description {
            group: info.id,
            state: info.state,
            protocol_type: info.protocol_type,
            assignor: info.protocol,
            lag: lag::total(&partitions),
            members: info.members.into_iter().map(Member::from).collect(),
            partitions,
        },
        // It holds offsets and never had members.
        Err(ClientError::UnknownGroup { group }) => Description {
            group,
            state: "Empty".to_owned(),
            protocol_type: String::new(),
            assignor: String::new(),
            lag: lag::total(&partitions),
            members: Vec::new(),
            partitions,
        },
        Err(e) => return Err(e.into()),
    };
    context.out.show(&description, text)
}

fn text(d: &Description) -> String {
    let assignor = if d.assignor.is_empty() { "-" } else { &d.assignor };
    let mut text = format!("group {}\nstate {}\nassignor {assignor}\nlag {}\n", d.group, d.state, d.lag);
    if !d.members.is_empty() {
        let cells = |m: &Member| {
            [
                m.member.clone(),
                or_dash(m.instance.as_ref()),
                m.client.clone(),
                m.host.clone(),
                list(&m.partitions),
            ]
        };
        text.push('\n');
        text.push_str(&table(
            ["MEMBER", "INSTANCE", "CLIENT", "HOST", "PARTITIONS"],
            d.members.iter().map(cells),
        ));
    }
    if !d.partitions.is_empty() {
        text.push('\n');
        text.push_str(&lag::text(&d.partitions));
    }
    text
}
