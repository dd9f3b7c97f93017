use crate::def::{ConfigDef, ValueType, int, list, long, string, unset};
use crate::value::{Syntax, Value};

fn error(def: &ConfigDef, text: &str) -> String {
    def.parse(text, Syntax::Kafka).unwrap_err().to_string()
}

#[test]
fn messages_are_the_ones_kafka_gives() {
    let retention = long("retention.ms", "1").at_least(-1);
    assert_eq!(
        error(&retention, "soon"),
        "Invalid value soon for configuration retention.ms: Not a number of type LONG"
    );
    assert_eq!(
        error(&retention, "-2"),
        "Invalid value -2 for configuration retention.ms: Value must be at least -1"
    );
    let level = int("compression.lz4.level", "9").between(1, 17);
    assert!(error(&level, "18").ends_with("Value must be no more than 17"));
    let kind = string("compression.type", "producer").one_of(&["gzip", "producer"]);
    assert!(error(&kind, "rar").ends_with("String must be one of: gzip, producer"));
    let policy = list("cleanup.policy", "delete").one_of(&["compact", "delete"]);
    assert!(error(&policy, "delete,shred").contains("cleanup.policy"));
    assert!(error(&policy, "delete,delete").contains("duplicate"));
}

#[test]
fn numbers_are_bounded_by_their_type() {
    assert!(int("x", "1").parse("2147483648", Syntax::Kafka).is_err());
    assert!(int("x", "1").parse("2147483647", Syntax::Kafka).is_ok());
    assert_eq!(long("x", "1").parse(" 5 ", Syntax::Kafka).unwrap(), Value::Whole(5));
}

#[test]
fn units_are_for_files_not_for_the_wire() {
    let retention = long("retention.ms", "1");
    assert_eq!(retention.parse("7d", Syntax::WithUnits).unwrap(), Value::Whole(604_800_000));
    assert!(retention.parse("7d", Syntax::Kafka).is_err());
    assert!(int("group.max.size", "1").parse("10MiB", Syntax::WithUnits).is_err(), "a count has no unit");
}

#[test]
fn secrets_are_not_named_in_errors() {
    let secret = unset("ssl.key.password", ValueType::Password).check(|_| Err("no".to_owned()), "");
    assert!(!error(&secret, "hunter2").contains("hunter2"));
}

#[test]
fn lists_are_trimmed_and_may_be_empty() {
    let names = list("names", "");
    assert_eq!(names.normalize("a , b", Syntax::Kafka).unwrap(), "a,b");
    assert_eq!(names.parse("", Syntax::Kafka).unwrap(), Value::List(vec![]));
}
