//! `ottla cluster info`

use std::collections::BTreeMap;

use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::{or_dash, table};

#[derive(Serialize)]
struct Info {
    cluster: Option<String>,
    brokers: Vec<Broker>,
    features: BTreeMap<String, i16>,
}

#[derive(Serialize)]
struct Broker {
    id: i32,
    address: String,
    rack: Option<String>,
}

pub(crate) async fn run(context: &mut Context) -> Result<()> {
    let cluster = context.admin().await?.describe_cluster().await?;
    let info = Info {
        cluster: cluster.id,
        brokers: cluster
            .brokers
            .into_iter()
            .map(|b| Broker { id: b.id.0, address: b.address(), rack: b.rack })
            .collect(),
        features: cluster.features.into_iter().collect(),
    };
    context.out.show(&info, text)
}

fn text(info: &Info) -> String {
    let brokers = table(
        ["#BROKER", "ADDRESS", "RACK"],
        info.brokers.iter().map(|b| [b.id.to_string(), b.address.clone(), or_dash(b.rack.as_ref())]),
    );
    let features: String = info.features.iter().map(|(name, level)| format!("  {name}={level}\n")).collect();
    let features = if features.is_empty() { String::new() } else { format!("\nfeatures\n{features}") };
    format!("cluster {}\n\n{brokers}{features}", or_dash(info.cluster.as_ref()))
}
