use ottla_metadata::MetadataRecord;
use ottla_protocol::records::metadata::RegisterBrokerRecord;

use super::*;

const TIMEOUT: Duration = Duration::from_millis(2000);

/// Brokers 1 to `brokers`, unfenced.
fn image(brokers: i32) -> MetadataImage {
    let register = |id| {
        let record = RegisterBrokerRecord { broker_id: id, fenced: false, ..Default::default() };
        MetadataRecord::from(record)
    };
    MetadataImage::empty().apply(&(1..=brokers).map(register).collect::<Vec<_>>()).unwrap().0
}

fn at(ms: u64) -> Monotonic {
    Monotonic(ms * 1_000_000)
}

/// Ticks from `from` to `to`, and tells when whose session ended.
fn run(sessions: &mut Sessions, image: &MetadataImage, from: u64, to: u64) -> Vec<(u64, i32)> {
    (from..=to)
        .step_by(50)
        .flat_map(|ms| sessions.tick(image, at(ms)).into_iter().map(move |id| (ms, id.0)))
        .collect()
}

#[test]
fn silence_ends_a_session_and_a_heartbeat_prolongs_it() {
    let image = image(2);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    assert!(run(&mut sessions, &image, 0, 1000).is_empty());
    sessions.touch(NodeId(2), Offset(5), at(1000));
    assert_eq!(run(&mut sessions, &image, 1050, 2500), [(2000, 1)]);
    assert!(sessions.is_live(NodeId(2), at(2999)) && !sessions.is_live(NodeId(2), at(3000)));
}

#[test]
fn a_late_controller_blames_nobody() {
    let image = image(1);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    run(&mut sessions, &image, 0, 1000);
    assert!(sessions.tick(&image, at(9000)).is_empty(), "nothing could be heard for eight seconds");
    assert_eq!(run(&mut sessions, &image, 9050, 11_000), [(9500, 1)], "half a second to be heard in");
}

#[test]
fn a_controller_that_is_late_while_it_watches_adds_all_of_it() {
    let image = image(1);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    run(&mut sessions, &image, 0, 1900);
    assert!(sessions.tick(&image, at(9000)).is_empty());
    assert_eq!(run(&mut sessions, &image, 9050, 11_000), [(9050, 1)], "what was left of the session");
}

/// Ticks when they are due, with a heartbeat of broker 1 each `beat` ms until `silent`; how many there were until its session ended, and when
/// that was.
fn watch(beat: u64, silent: u64) -> (usize, u64) {
    let image = image(1);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    let (mut now, mut ticks) = (0, 0);
    loop {
        ticks += 1;
        if !sessions.tick(&image, at(now)).is_empty() {
            return (ticks, now);
        }
        let due = sessions.next_tick().unwrap().0 / 1_000_000;
        for ms in (now..due).filter(|ms| ms % beat == 0 && *ms <= silent) {
            sessions.touch(NodeId(1), Offset(1), at(ms));
        }
        now = due;
    }
}

#[test]
fn sessions_that_are_prolonged_are_seldom_looked_at_and_still_end_in_time() {
    assert_eq!(watch(1, 0), (12, 2000), "once to begin with, then ten times in the last half second");
    let (ticks, ended) = watch(250, 60_000);
    assert_eq!(ended, 62_000);
    assert!(ticks < 65, "{ticks} ticks in a minute");
}

#[test]
fn without_sessions_to_end_there_is_little_to_do() {
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.touch(NodeId(7), Offset(1), at(0));
    sessions.tick(&image(0), at(5000));
    assert_eq!(sessions.next_tick(), Some(at(6500)), "a broker that is not known has none");
}

#[test]
fn fenced_and_forgotten_brokers_have_no_session_to_end() {
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.touch(NodeId(7), Offset(1), at(0));
    assert!(run(&mut sessions, &image(1), 0, 4000).is_empty());
    assert!(!sessions.is_live(NodeId(7), at(10)));
}

#[test]
fn who_was_fenced_has_to_know_of_it_whoever_is_the_controller_then() {
    let image = MetadataImage { offset: Offset(40), ..image(1) };
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    assert_eq!(sessions.facts(&image, NodeId(1)).fenced_at, Offset(40), "by the controller before, perhaps");
    sessions.fenced(NodeId(1), Offset(70));
    sessions.touch(NodeId(1), Offset(60), at(1));
    assert_eq!(sessions.facts(&image, NodeId(1)).fenced_at, Offset(70));
}

#[test]
fn a_shutdown_waits_for_the_slowest_active_broker() {
    let image = image(3);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    sessions.touch(NodeId(2), Offset(30), at(1));
    sessions.touch(NodeId(3), Offset(20), at(1));
    sessions.shutdown_decided(NodeId(1), Offset(25));
    sessions.shutdown_decided(NodeId(1), Offset(99));
    let progress = sessions.facts(&image, NodeId(1));
    assert_eq!(progress.decided_at, Some(Offset(25)), "when it was decided first");
    assert_eq!(progress.lowest_active_offset, Some(Offset(20)));
    sessions.begin(NodeId(1), at(2));
    assert_eq!(sessions.facts(&image, NodeId(1)).decided_at, None, "another incarnation");
}

#[test]
fn a_controller_that_takes_office_again_was_not_late() {
    let image = image(1);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::default(), at(0));
    run(&mut sessions, &image, 0, 1000);
    sessions.take_office(&image, &LostLeaderships::default(), at(60_000));
    assert_eq!(
        run(&mut sessions, &image, 60_050, 63_000),
        [(62_000, 1)],
        "the minute out of office extends nothing"
    );
}

/// A broker is heard of at `heartbeats`: when, up to where it has applied the metadata, and up to where it has lost something. Whether it
/// was behind then.
fn behind(heartbeats: &[(u64, i64, i64)]) -> Vec<bool> {
    let image = image(1);
    let mut sessions = Sessions::new(TIMEOUT);
    sessions.take_office(&image, &LostLeaderships::after(Offset(10)), at(0));
    let beat = |&(ms, applied, lost)| {
        sessions.touch(NodeId(1), Offset(applied), at(ms));
        sessions.has_lost(NodeId(1), Offset(lost), at(ms));
        sessions.facts(&image, NodeId(1)).is_behind
    };
    heartbeats.iter().map(beat).collect()
}

#[test]
fn a_broker_that_has_not_read_of_a_loss_by_its_next_heartbeat_is_behind_until_it_has() {
    let beats = [(250, 10, 10), (500, 10, 20), (750, 10, 20), (1000, 19, 20), (1250, 20, 20)];
    assert_eq!(behind(&beats), [false, false, true, true, false]);
}

#[test]
fn a_broker_that_loses_something_all_the_time_and_lags_a_little_is_not_behind() {
    let beats: Vec<_> = (1..100).map(|n| (n * 250, 10 + 5 * n as i64, 13 + 5 * n as i64)).collect();
    assert_eq!(behind(&beats), [false; 99]);
}

#[test]
fn a_broker_that_was_not_heard_of_for_half_a_session_has_to_know_at_once() {
    assert_eq!(behind(&[(250, 10, 10), (1250, 10, 20), (1500, 20, 20)]), [false, false, false]);
    assert_eq!(behind(&[(250, 10, 10), (1251, 10, 20), (1500, 20, 20)]), [false, true, false]);
}

#[test]
fn what_was_lost_under_the_controller_before_has_to_be_known_at_once() {
    assert_eq!(behind(&[(50, 9, 10), (300, 10, 10)]), [true, false]);
}
