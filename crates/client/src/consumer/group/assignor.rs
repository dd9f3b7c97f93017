//! Who reads what.

use std::collections::BTreeMap;

use ottla_types::{TopicName, TopicPartition};

/// A way to share partitions among a group's members; every member must offer it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assignor {
    /// Each topic's partitions in contiguous ranges (`RangeAssignor`): equal keys of equally partitioned
    /// topics meet in one member.
    Range,
    /// All partitions in turn (`RoundRobinAssignor`): the most even.
    RoundRobin,
}

impl Assignor {
    /// Its name among Kafka's clients.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Range, Self::RoundRobin].into_iter().find(|a| a.name() == name)
    }

    /// Shares the partitions of `counts` among `members`. Every member gets an entry.
    pub(crate) fn assign(
        self,
        members: &[Member],
        counts: &BTreeMap<TopicName, i32>,
    ) -> BTreeMap<String, Vec<TopicPartition>> {
        let mut sorted: Vec<&Member> = members.iter().collect();
        // Static members keep their place over restarts, when their member ids change.
        sorted.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let mut assigned: BTreeMap<_, _> = members.iter().map(|m| (m.id.clone(), Vec::new())).collect();
        match self {
            Self::Range => range(&sorted, counts, &mut assigned),
            Self::RoundRobin => round_robin(&sorted, counts, &mut assigned),
        }
        assigned
    }
}

/// A member as the group's leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) topics: Vec<TopicName>,
}

impl Member {
    /// Members with an instance id first, by it; then the others by member id (`MemberInfo.compareTo`).
    fn rank(&self) -> (bool, &str) {
        match &self.instance_id {
            Some(instance) => (false, instance),
            None => (true, &self.id),
        }
    }
}

type Assigned = BTreeMap<String, Vec<TopicPartition>>;

fn range(members: &[&Member], counts: &BTreeMap<TopicName, i32>, assigned: &mut Assigned) {
    for (topic, &count) in counts {
        let readers: Vec<_> = members.iter().filter(|m| m.topics.contains(topic)).collect();
        let Some(each) = count.checked_div(readers.len() as i32) else { continue };
        // The first few get one more.
        let more = count % readers.len() as i32;
        let mut next = 0;
        for (member, place) in readers.into_iter().zip(0..) {
            let len = each + i32::from(place < more);
            let partitions = (next..next + len).map(|p| TopicPartition::new(topic.clone(), p));
            assigned.entry(member.id.clone()).or_default().extend(partitions);
            next += len;
        }
    }
}

fn round_robin(members: &[&Member], counts: &BTreeMap<TopicName, i32>, assigned: &mut Assigned) {
    let mut turn = 0;
    for (topic, &count) in counts {
        if !members.iter().any(|m| m.topics.contains(topic)) {
            continue;
        }
        for partition in 0..count {
            let readers = members.iter().cycle().skip(turn).take(members.len());
            let Some((skipped, member)) = readers.enumerate().find(|(_, m)| m.topics.contains(topic)) else {
                continue;
            };
            turn = (turn + skipped + 1) % members.len();
            assigned
                .entry(member.id.clone())
                .or_default()
                .push(TopicPartition::new(topic.clone(), partition));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        assignor: Assignor,
        members: &[(&str, &str)],
        counts: &[(&str, i32)],
        expected: &[(&str, &str)],
    ) {
        let members: Vec<_> = members
            .iter()
            .map(|(id, topics)| Member {
                id: (*id).to_owned(),
                instance_id: None,
                topics: topics.split(' ').map(TopicName::from).collect(),
            })
            .collect();
        let counts = counts.iter().map(|(t, n)| (TopicName::from(*t), *n)).collect();
        let text = |p: &[TopicPartition]| p.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let assigned: Vec<_> =
            assignor.assign(&members, &counts).into_iter().map(|(id, p)| (id, text(&p))).collect();
        let expected: Vec<_> = expected.iter().map(|(id, p)| ((*id).to_owned(), (*p).to_owned())).collect();
        assert_eq!(assigned, expected);
    }

    #[test]
    fn range_is_contiguous_per_topic() {
        check(
            Assignor::Range,
            &[("b", "t u"), ("a", "t u")],
            &[("t", 3), ("u", 3)],
            &[("a", "t-0 t-1 u-0 u-1"), ("b", "t-2 u-2")],
        );
        check(
            Assignor::Range,
            &[("a", "t"), ("b", "u")],
            &[("t", 2), ("u", 1)],
            &[("a", "t-0 t-1"), ("b", "u-0")],
        );
        check(Assignor::Range, &[("a", "t"), ("b", "t")], &[("t", 1)], &[("a", "t-0"), ("b", "")]);
    }

    #[test]
    fn round_robin_deals_over_topics() {
        check(
            Assignor::RoundRobin,
            &[("a", "t u"), ("b", "t u")],
            &[("t", 3), ("u", 3)],
            &[("a", "t-0 t-2 u-1"), ("b", "t-1 u-0 u-2")],
        );
        // Kafka's own example of unequal subscriptions.
        check(
            Assignor::RoundRobin,
            &[("C0", "t0"), ("C1", "t0 t1"), ("C2", "t0 t1 t2")],
            &[("t0", 1), ("t1", 2), ("t2", 3)],
            &[("C0", "t0-0"), ("C1", "t1-0"), ("C2", "t1-1 t2-0 t2-1 t2-2")],
        );
    }

    #[test]
    fn static_members_keep_their_share_under_new_member_ids() {
        let counts = BTreeMap::from([(TopicName::from("t"), 2)]);
        let member = |id: &str, instance: &str| Member {
            id: id.to_owned(),
            instance_id: Some(instance.to_owned()),
            topics: vec!["t".into()],
        };
        let before = Assignor::Range.assign(&[member("x1", "a"), member("x2", "b")], &counts);
        let after = Assignor::Range.assign(&[member("x9", "a"), member("x2", "b")], &counts);
        assert_eq!(before["x1"], after["x9"]);
        assert_eq!(before["x2"], after["x2"]);
    }
}
