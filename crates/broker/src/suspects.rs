//! Leaders that may be dead or replaced while the metadata still names them.
//!
//! When a process dies, its clients and its followers are told by their connections, the newest descriptor first, some ten
//! microseconds apart (measured on Linux 6.18). So clients ask the other brokers who leads a little before those know that
//! somebody has died, and before the controller has elected. One that is told the old leader once more takes that for the truth;
//! librdkafka then asks again only a second later, and so it does when it is told that nobody leads.

use ottla_env::Monotonic;
use ottla_metadata::image::{BrokerImage, MetadataImage};
use ottla_network::Liveness;
use ottla_types::{BrokerEpoch, NodeId};
use parking_lot::Mutex;

/// The brokers whose connections have ended, as the replica fetchers see it. Bounded by the brokers that are followed.
#[derive(Debug, Default)]
pub(crate) struct LostBrokers {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The fetchers' connections.
    watched: Vec<Watched>,
    lost: Vec<Lost>,
}

#[derive(Debug)]
struct Watched {
    id: NodeId,
    epoch: BrokerEpoch,
    liveness: Liveness,
}

#[derive(Clone, Copy, Debug)]
struct Lost {
    id: NodeId,
    /// Another incarnation is not meant.
    epoch: BrokerEpoch,
    /// By then the controller has decided.
    until: Monotonic,
}

impl LostBrokers {
    /// The connection to a broker ended, or it refuses one. The controller decides until `until` what that means.
    pub(crate) fn lose(&self, id: NodeId, epoch: BrokerEpoch, until: Monotonic) {
        self.known.lock().lose(Lost { id, epoch, until });
    }

    /// The broker answers, on a connection that is watched from now on.
    pub(crate) fn watch(&self, id: NodeId, epoch: BrokerEpoch, liveness: Liveness) {
        let mut known = self.known.lock();
        known.lost.retain(|lost| lost.id != id);
        known.watched.retain(|watched| {
            !(watched.liveness.is_unused() || watched.id == id && watched.liveness.is_ended_by_peer())
        });
        known.watched.push(Watched { id, epoch, liveness });
    }

    /// Whether this broker would notice the end of another one.
    pub(crate) fn watch_any(&self) -> bool {
        !self.known.lock().watched.is_empty()
    }

    /// Those that are lost at `now`, and `myself` if this broker may not serve. Asks the sockets: who asks for metadata because a
    /// connection of its own has ended is often here before the fetcher has been woken by the end of its own.
    pub(crate) fn suspects(&self, myself: Option<NodeId>, now: Monotonic, until: Monotonic) -> Suspects {
        let mut known = self.known.lock();
        let ended = known.watched.extract_if(.., |watched| watched.liveness.is_ended_by_peer());
        let ended: Vec<_> =
            ended.map(|watched| Lost { id: watched.id, epoch: watched.epoch, until }).collect();
        ended.into_iter().for_each(|lost| known.lose(lost));
        Suspects { myself, lost: known.lost.iter().filter(|lost| now < lost.until).copied().collect() }
    }
}

impl Known {
    fn lose(&mut self, lost: Lost) {
        // How often it is tried in vain does not prolong the doubt.
        if self.lost.iter().any(|known| known.id == lost.id && known.epoch == lost.epoch) {
            return;
        }
        self.lost.retain(|known| known.id != lost.id);
        self.lost.push(lost);
    }
}

/// The brokers that are not named as leaders in one answer.
#[derive(Debug)]
pub(crate) struct Suspects {
    myself: Option<NodeId>,
    lost: Vec<Lost>,
}

impl Suspects {
    pub(crate) fn are_none(&self) -> bool {
        self.lost.is_empty()
    }

    /// Whether the metadata has a lost broker in office: the controller has not decided yet.
    pub(crate) fn await_decision(&self, image: &MetadataImage) -> bool {
        image.brokers.iter().any(|broker| !broker.fenced && self.have_lost(broker))
    }

    /// Whether clients are not told of `broker` as a leader.
    pub(crate) fn include(&self, broker: &BrokerImage) -> bool {
        self.myself == Some(broker.id) || self.have_lost(broker)
    }

    /// Whether clients are shown the broker's address for a while, though it is fenced. librdkafka from 2.11 (measured:
    /// 2.16.1) drops a broker that is not listed any more together with what it has just learnt about its partitions.
    pub(crate) fn show(&self, broker: &BrokerImage) -> bool {
        self.have_lost(broker) && !broker.in_controlled_shutdown
    }

    fn have_lost(&self, broker: &BrokerImage) -> bool {
        self.lost.iter().any(|lost| lost.id == broker.id && lost.epoch == broker.epoch)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ottla_network::{ClientOptions, Connection};
    use ottla_types::Uuid;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const SESSION: Duration = Duration::from_secs(2);

    fn broker(id: i32, epoch: i64) -> BrokerImage {
        BrokerImage {
            id: NodeId(id),
            epoch: BrokerEpoch(epoch),
            incarnation_id: Uuid::ZERO,
            endpoints: Vec::new(),
            features: Vec::new(),
            rack: None,
            fenced: false,
            in_controlled_shutdown: false,
            directories: Vec::new(),
            cordoned_directories: None,
        }
    }

    fn at(ms: u64) -> Monotonic {
        Monotonic::default() + Duration::from_millis(ms)
    }

    async fn connection() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connected = Connection::connect(&address, SESSION, ClientOptions::default());
        (connected.await.unwrap(), listener.accept().await.unwrap().0)
    }

    #[test]
    fn a_lost_broker_is_suspect_until_it_has_restarted_or_the_controller_had_time_to_decide() {
        let lost = LostBrokers::default();
        lost.lose(NodeId(2), BrokerEpoch(7), at(2000));
        let suspects = lost.suspects(None, at(1000), at(3000));
        assert!(suspects.include(&broker(2, 7)) && !suspects.include(&broker(3, 7)));
        assert!(!suspects.include(&broker(2, 9)), "another incarnation");
        lost.lose(NodeId(2), BrokerEpoch(7), at(3500));
        assert!(
            !lost.suspects(None, at(2000), at(4000)).include(&broker(2, 7)),
            "the controller left it in office"
        );
    }

    #[tokio::test]
    async fn a_broker_is_suspect_from_the_end_of_its_connection_to_the_next_one() {
        let lost = LostBrokers::default();
        let (connection, peer) = connection().await;
        lost.watch(NodeId(2), BrokerEpoch(7), connection.liveness());
        let is_suspect = |ms| lost.suspects(None, at(ms), at(ms) + SESSION).include(&broker(2, 7));
        assert!(!is_suspect(0));
        drop(peer);
        assert!(is_suspect(1) && is_suspect(1999));
        assert!(!is_suspect(2001), "it does not begin anew each time somebody asks");
        let (again, _peer) = self::connection().await;
        lost.watch(NodeId(2), BrokerEpoch(7), again.liveness());
        assert!(!is_suspect(2002));
        drop(again);
        tokio::task::yield_now().await;
        assert!(!is_suspect(2003), "a fetcher that has no more to fetch closes its own");
    }

    #[test]
    fn a_lost_broker_is_shown_after_it_was_fenced_unless_it_left_in_order() {
        let lost = LostBrokers::default();
        lost.lose(NodeId(2), BrokerEpoch(7), at(2000));
        let suspects = lost.suspects(None, at(1), at(2001));
        let died = BrokerImage { fenced: true, ..broker(2, 7) };
        assert!(suspects.show(&died));
        assert!(!suspects.show(&BrokerImage { in_controlled_shutdown: true, ..died }));
        assert!(!suspects.show(&BrokerImage { fenced: true, ..broker(3, 1) }));
    }

    #[test]
    fn who_has_no_lease_suspects_itself() {
        let suspects = LostBrokers::default().suspects(Some(NodeId(1)), at(0), at(1));
        assert!(suspects.include(&broker(1, 1)) && !suspects.include(&broker(2, 1)));
    }
}
