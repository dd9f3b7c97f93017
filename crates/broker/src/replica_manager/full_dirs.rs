//! Tells people of log directories without room: their partitions refuse what producers send, or no longer follow, which clients
//! and other brokers see, but nobody here would.

use std::time::Duration;

use ottla_env::Monotonic;

use super::ReplicaManager;

/// How often a directory that stays full is told of again.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// A directory to which nothing was refused for so long has room.
const ROOM_AFTER: Duration = Duration::from_secs(10);

/// What is known of one directory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Watch {
    /// Writes refused so far.
    refused: u64,
    /// When a write was refused last, and when that was told last; `None` while there is room.
    full: Option<(Monotonic, Monotonic)>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Full,
    HasRoom,
}

impl Watch {
    /// Looks again: `refused` writes have found no room since the start.
    fn look(&mut self, refused: u64, now: Monotonic) -> Option<News> {
        let more = std::mem::replace(&mut self.refused, refused) != refused;
        match (&mut self.full, more) {
            (None, true) => self.full = Some((now, now)),
            (Some((last, told)), true) => {
                *last = now;
                if now.since(*told) < TELL_EVERY {
                    return None;
                }
                *told = now;
            }
            (Some((last, _)), false) if now.since(*last) >= ROOM_AFTER => {
                self.full = None;
                return Some(News::HasRoom);
            }
            (_, false) => return None,
        }
        Some(News::Full)
    }
}

impl ReplicaManager {
    pub(super) fn tell_of_full_directories(&self, watches: &mut Vec<Watch>) {
        watches.resize_with(self.dirs.len(), Watch::default);
        for (dir, watch) in self.dirs.iter().zip(watches) {
            let path = dir.path().display();
            match watch.look(dir.refused_writes(), self.clock.now()) {
                Some(News::Full) => tracing::warn!(
                    "no room in log directory {path}: its partitions take no records until there is some; free space, or let less be kept (retention.bytes, retention.ms)"
                ),
                Some(News::HasRoom) => tracing::info!("log directory {path} has room again"),
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_directory_is_told_of_at_once_then_rarely_and_when_it_is_over() {
        let at = |s| Monotonic::default() + Duration::from_secs(s);
        let mut watch = Watch::default();
        assert_eq!(watch.look(0, at(1)), None);
        assert_eq!(watch.look(3, at(2)), Some(News::Full));
        assert_eq!(watch.look(9, at(3)), None, "said a second ago");
        assert_eq!(watch.look(99, at(63)), Some(News::Full));
        assert_eq!(watch.look(99, at(70)), None);
        assert_eq!(watch.look(99, at(73)), Some(News::HasRoom));
        assert_eq!(watch.look(99, at(74)), None);
        assert_eq!(watch.look(100, at(75)), Some(News::Full));
    }
}
