//! Random messages of every kind and version survive; random bytes are refused without harm.

mod support;

use ottla_protocol::registry::ALL;
use ottla_protocol::{Bytes, Version};
use proptest::prelude::*;

use crate::support::{Draw, RandomMessage};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn random_messages_survive(seed: u64) {
        for (number, entry) in ALL.iter().enumerate() {
            for version in entry.schema.versions.first..=entry.schema.versions.last {
                let message = RandomMessage::new(entry.schema, version, seed ^ number as u64);
                let bytes = Bytes::from(message.bytes);
                let name = entry.schema.name;
                let once = match (entry.recode)(bytes.clone(), version) {
                    Ok(once) => once,
                    Err(error) => panic!("{name} {version}: {error}"),
                };
                if !message.has_known_tags {
                    prop_assert_eq!(&once, &bytes, "{} {}", name, version);
                }
                let twice = (entry.recode)(once.clone(), version);
                prop_assert_eq!(twice, Ok(once), "{} {}", name, version);
            }
        }
    }

    #[test]
    fn random_bytes_are_refused_or_survive(seed: u64, len in 0_usize..200) {
        let mut draw = Draw(seed);
        let bytes: Bytes = (0..len).map(|_| [0, 1, 2, 0x7f, 0x80, 0xff, draw.next() as u8][draw.below(7)]).collect();
        for entry in ALL {
            let version = draw.below(usize::from(entry.schema.versions.last.unsigned_abs()) + 1) as Version;
            if let Ok(once) = (entry.recode)(bytes.clone(), version) {
                let twice = (entry.recode)(once.clone(), version);
                prop_assert_eq!(twice, Ok(once), "{} {}", entry.schema.name, version);
            }
        }
    }
}
