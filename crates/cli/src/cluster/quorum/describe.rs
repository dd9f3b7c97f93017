//! `ottla cluster quorum` by itself

use std::time::{SystemTime, UNIX_EPOCH};

use ottla_client::{Offset, QuorumEndpoint, QuorumInfo, QuorumReplica, TimestampMs};
use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::{or_dash, table};

#[derive(Serialize)]
struct View {
    leader: Option<i32>,
    epoch: i32,
    high_watermark: Option<i64>,
    voters: Vec<Replica>,
    observers: Vec<Replica>,
}

#[derive(Serialize)]
struct Replica {
    id: i32,
    directory: Option<String>,
    log_end: Option<i64>,
    /// Behind the leader's end.
    lag: Option<i64>,
    /// Since it fetched last, and since it last had everything; null: not told.
    last_fetch_age_ms: Option<i64>,
    last_caught_up_age_ms: Option<i64>,
    endpoints: Vec<String>,
}

pub(crate) async fn run(context: &mut Context) -> Result<()> {
    let quorum = context.admin().await?.describe_quorum().await?;
    context.out.show(&view(&quorum, now_ms()), text)
}

fn view(quorum: &QuorumInfo, now: TimestampMs) -> View {
    let leading = quorum.leading();
    // The leader's clock made the others' times too.
    let now = leading.and_then(|leader| leader.last_fetch).unwrap_or(now);
    let end = leading.and_then(|leader| leader.log_end).or(quorum.high_watermark);
    let all = |replicas: &[QuorumReplica]| replicas.iter().map(|one| replica(one, end, now)).collect();
    View {
        leader: quorum.leader.map(|id| id.0),
        epoch: quorum.epoch.0,
        high_watermark: quorum.high_watermark.map(Offset::get),
        voters: all(&quorum.voters),
        observers: all(&quorum.observers),
    }
}

fn replica(replica: &QuorumReplica, leader_end: Option<Offset>, now: TimestampMs) -> Replica {
    let age = |then: Option<TimestampMs>| then.map(|then| now.saturating_sub(then).max(0));
    let lag = leader_end.zip(replica.log_end).map(|(leader, own)| (leader - own).max(0));
    Replica {
        id: replica.id.0,
        directory: replica.directory_id.map(|id| id.to_string()),
        log_end: replica.log_end.map(Offset::get),
        lag,
        last_fetch_age_ms: age(replica.last_fetch),
        last_caught_up_age_ms: age(replica.last_caught_up),
        endpoints: replica.endpoints.iter().map(endpoint).collect(),
    }
}

/// As in `listeners`.
fn endpoint(at: &QuorumEndpoint) -> String {
    let (listener, host, port) = (&at.listener, &at.host, at.port);
    if host.contains(':') {
        format!("{listener}://[{host}]:{port}")
    } else {
        format!("{listener}://{host}:{port}")
    }
}

fn text(view: &View) -> String {
    let voters = view.voters.iter().map(|one| {
        let role = if Some(one.id) == view.leader { "leader" } else { "voter" };
        cells(one, role)
    });
    let observers = view.observers.iter().map(|one| cells(one, "observer"));
    let columns =
        ["#NODE", "ROLE", "#LOG END", "#LAG", "#LAST FETCH", "#CAUGHT UP", "DIRECTORY", "ENDPOINTS"];
    let replicas = table(columns, voters.chain(observers));
    let (leader, high_watermark) = (or_dash(view.leader), or_dash(view.high_watermark));
    format!("leader {leader}, epoch {}, high watermark {high_watermark}\n\n{replicas}", view.epoch)
}

fn cells(one: &Replica, role: &str) -> [String; 8] {
    let endpoints = if one.endpoints.is_empty() { "-".to_owned() } else { one.endpoints.join(",") };
    [
        one.id.to_string(),
        role.to_owned(),
        or_dash(one.log_end),
        or_dash(one.lag),
        or_dash(one.last_fetch_age_ms.map(ago)),
        or_dash(one.last_caught_up_age_ms.map(ago)),
        or_dash(one.directory.as_ref()),
        endpoints,
    ]
}

fn ago(ms: i64) -> String {
    match ms {
        ..1000 => format!("{ms} ms ago"),
        1000..120_000 => format!("{} s ago", ms / 1000),
        _ => format!("{} min ago", ms / 60_000),
    }
}

fn now_ms() -> TimestampMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimestampMs::try_from(since.as_millis()).unwrap_or(TimestampMs::MAX)
}

#[cfg(test)]
mod tests {
    use ottla_client::{DirectoryId, LeaderEpoch, NodeId};

    use super::*;

    fn member(id: i32, end: i64, seen: Option<i64>) -> QuorumReplica {
        let at = QuorumEndpoint { listener: "CONTROLLER".into(), host: "::1".into(), port: 9093 };
        QuorumReplica {
            id: NodeId(id),
            directory_id: Some(DirectoryId::METADATA_TOPIC),
            log_end: Some(Offset(end)),
            last_fetch: seen,
            last_caught_up: seen.map(|seen| seen - 200_000),
            endpoints: vec![at],
        }
    }

    #[test]
    fn lag_and_age_are_counted_from_the_leader() {
        let observer =
            QuorumReplica { directory_id: None, endpoints: Vec::new(), ..member(4, 50, Some(999_100)) };
        let quorum = QuorumInfo {
            leader: Some(NodeId(1)),
            epoch: LeaderEpoch(7),
            high_watermark: Some(Offset(59)),
            voters: vec![member(1, 60, Some(1_000_000)), member(2, 57, Some(988_000)), member(3, 0, None)],
            observers: vec![observer],
        };
        let at = "AAAAAAAAAAAAAAAAAAAAAQ  CONTROLLER://[::1]:9093";
        let expected = [
            "leader 1, epoch 7, high watermark 59".to_owned(),
            String::new(),
            "NODE  ROLE      LOG END  LAG  LAST FETCH  CAUGHT UP  DIRECTORY               ENDPOINTS"
                .to_owned(),
            format!("   1  leader         60    0    0 ms ago  3 min ago  {at}"),
            format!("   2  voter          57    3    12 s ago  3 min ago  {at}"),
            format!("   3  voter           0   60           -          -  {at}"),
            "   4  observer       50   10  900 ms ago  3 min ago  -                       -\n".to_owned(),
        ];
        // This machine's clock is another one.
        assert_eq!(text(&view(&quorum, 5)), expected.join("\n"));
    }
}
