//! The metadata quorum: whether it is led, and how many voters may still be lost.

use ottla_client::{ClientError, Listening, QuorumInfo, QuorumReplica};
use serde::Serialize;

use super::brokers::not_asked;
use super::finding::{Finding, Kind, counted};
use super::look::{Asked, QuorumLook};

/// The voters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) leader: Option<i32>,
    pub(super) voters: usize,
    pub(super) voters_up: usize,
    /// How many of them may still be lost.
    pub(super) may_lose: usize,
}

/// How a voter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    /// By so many records.
    Behind(i64),
    Down,
}

pub(super) fn findings(asked: &Asked<QuorumLook>) -> (Option<Counts>, Vec<Finding>) {
    let look = match asked {
        Ok(look) => look,
        Err(error) => return (None, vec![unanswered(error)]),
    };
    let now = look.later.as_ref().unwrap_or(&look.first);
    let states: Vec<_> = now.voters.iter().map(|voter| (voter, state(look, now, voter))).collect();
    let up = states.iter().filter(|(_, state)| *state == State::Up).count();
    let needed = now.voters.len() / 2 + 1;
    let counts = Counts {
        leader: now.leader.map(|id| id.0),
        voters: now.voters.len(),
        voters_up: up,
        may_lose: up.saturating_sub(needed),
    };
    let margin = match counts.may_lose {
        _ if up < needed => format!("{needed} are needed"),
        0 => "none may be lost".to_owned(),
        some => format!("{some} may be lost"),
    };
    let margin = format!("{up} of {} up, {margin}", now.voters.len());
    let mut findings = Vec::new();
    if now.leader.is_none() {
        let remedy =
            "an election should end within seconds: ask again; then see that a majority of voters runs";
        findings.push(Finding::new(Kind::NoController, "no controller is active", remedy));
    }
    findings
        .extend(states.into_iter().filter_map(|(voter, state)| fault(voter, state, &margin, up >= needed)));
    (Some(counts), findings)
}

fn unanswered(error: &ClientError) -> Finding {
    match error {
        ClientError::UnsupportedVersion { .. } => not_asked("how its controllers are", error),
        _ => Finding::new(
            Kind::NoController,
            format!("no active controller answers: {error}"),
            "see that a majority of the voters runs and that brokers reach them",
        ),
    }
}

/// Behind is who lacks, at the second look, what was committed at the first: it does not fetch. One that has everything there
/// is and is dead can be known only by its listener, and that only if the leader's can be reached from here.
fn state(look: &QuorumLook, now: &QuorumInfo, voter: &QuorumReplica) -> State {
    if now.leader == Some(voter.id) {
        return State::Up;
    }
    let listens = |id| look.listening.get(&id).copied().unwrap_or(Listening::Unknown);
    let can_tell = now.leader.is_some_and(|leader| listens(leader) == Listening::Yes);
    let committed = look.first.high_watermark;
    let is_behind = look.later.is_some() && voter.log_end < committed;
    if can_tell && listens(voter.id) == Listening::No {
        State::Down
    } else if is_behind {
        let end = voter.log_end.map_or(0, |end| end.0);
        State::Behind(now.high_watermark.or(committed).map_or(0, |high| high.0 - end))
    } else {
        State::Up
    }
}

fn fault(voter: &QuorumReplica, state: State, margin: &str, can_change: bool) -> Option<Finding> {
    let id = voter.id;
    let at = voter.endpoints.first().map(|at| format!(" ({}:{})", at.host, at.port)).unwrap_or_default();
    let finding = match state {
        State::Up => return None,
        State::Down => Finding::new(
            Kind::VoterDown,
            format!("voter {id}{at} is down: {margin}"),
            if can_change {
                format!("start it; if it is gone for good, `ottla cluster quorum remove {id}`")
            } else {
                "start it: without a majority nothing changes".to_owned()
            },
        ),
        State::Behind(records) => Finding::new(
            Kind::VoterBehind,
            format!("voter {id}{at} is {} behind and does not follow: {margin}", counted_records(records)),
            "see whether it runs and reaches the others".to_owned(),
        ),
    };
    Some(finding.nodes([id]))
}

fn counted_records(records: i64) -> String {
    counted(usize::try_from(records).unwrap_or_default(), "record")
}
