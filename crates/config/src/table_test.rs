use crate::def::ConfigDef;
use crate::table::{GROUP, TOPIC, broker, broker_defs, nearest};
use crate::value::Syntax;

fn all() -> impl Iterator<Item = &'static ConfigDef> {
    broker_defs().chain(TOPIC).chain(GROUP)
}

#[test]
fn every_default_is_allowed() {
    for def in all() {
        if let Some(default) = def.default {
            assert!(def.parse(default, Syntax::Kafka).is_ok(), "{}", def.name);
        }
    }
}

#[test]
fn every_row_is_documented() {
    for def in all() {
        assert!(def.doc.ends_with('.') && def.doc.len() > 20, "{}", def.name);
    }
}

#[test]
fn names_are_unique() {
    for defs in [broker_defs().collect::<Vec<_>>(), TOPIC.iter().collect(), GROUP.iter().collect()] {
        let mut names: Vec<_> = defs.iter().map(|def| def.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

#[test]
fn every_synonym_is_a_broker_key() {
    for def in all() {
        for synonym in def.synonyms {
            assert!(broker(synonym).is_some(), "{} falls back to {synonym}", def.name);
        }
    }
}

#[test]
fn a_key_of_one_listener_has_the_row_of_the_plain_key() {
    assert_eq!(broker("listener.name.client.ssl.client.auth").unwrap().name, "ssl.client.auth");
    assert_eq!(broker("listener.name.client.plain.sasl.jaas.config").unwrap().name, "sasl.jaas.config");
    assert!(broker("listener.name.client.nonsense").is_none());
}

#[test]
fn misspelt_keys_find_their_neighbour() {
    assert_eq!(nearest("log.retention.hour", broker_defs()), Some("log.retention.hours"));
    assert_eq!(nearest("retention.mss", TOPIC.iter()), Some("retention.ms"));
    assert_eq!(nearest("completely.different.thing", TOPIC.iter()), None);
}
