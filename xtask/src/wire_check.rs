//! `cargo xtask wire-check`: compares the annotations of every message struct with the definitions inside the
//! published Kafka jars, and names each difference.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ottla_protocol::registry::ALL;
use ottla_protocol::schema::{FieldSchema, FieldType, MessageKind, MessageSchema, VersionRange};
use serde_json::Value;

use crate::Failure;
use crate::kafka_jars::{CEILING, COMPLETE, FOLDERS};

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(crate) fn run() -> Result<(), Failure> {
    let mut definitions = BTreeMap::new();
    // The newer release comes last and takes the place of the other's.
    for release in [COMPLETE, CEILING] {
        let unpacked = release.definitions()?;
        for folder in FOLDERS.map(|folder| unpacked.path().join(folder)).iter().filter(|f| f.exists()) {
            read_definitions(folder, &mut definitions)?;
        }
    }

    let mut check = Check::default();
    let mut compared = 0;
    for entry in ALL {
        match definitions.remove(entry.schema.name) {
            Some(definition) => {
                compared += 1;
                check.message(entry.schema, &definition);
            }
            None if is_private(entry.schema) => {}
            None => check.differs(entry.schema.name, "", "is defined in no jar"),
        }
    }
    for name in definitions.keys() {
        check.differs(name, "", "has no struct");
    }
    for difference in &check.differences {
        println!("{difference}");
    }
    println!("{compared} messages with {} fields compared with Kafka's definitions", check.fields);
    match check.differences.len() {
        0 => Ok(()),
        count => Err(format!("{count} differences").into()),
    }
}

/// Ours, unknown to Kafka.
fn is_private(schema: &MessageSchema) -> bool {
    matches!(schema.kind, MessageKind::Request(key) | MessageKind::Response(key) if key.is_private())
}

/// Adds the definitions in a folder by their names. Those without versions are tombstones of removed APIs.
fn read_definitions(folder: &Path, definitions: &mut BTreeMap<String, Value>) -> Result<(), Failure> {
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = without_comments(&fs::read_to_string(&path)?);
        let definition: Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        if text_of(&definition, "validVersions") != "none" {
            definitions.insert(text_of(&definition, "name").to_owned(), definition);
        }
    }
    Ok(())
}

/// Kafka's definitions are JSON with `//` comments.
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let mut in_string = false;
        let end = line.char_indices().find_map(|(at, c)| {
            in_string ^= c == '"';
            (!in_string && line[at..].starts_with("//")).then_some(at)
        });
        kept.push_str(&line[..end.unwrap_or(line.len())]);
        kept.push('\n');
    }
    kept
}

#[derive(Default)]
struct Check {
    differences: Vec<String>,
    fields: usize,
}

impl Check {
    fn message(&mut self, schema: &'static MessageSchema, definition: &Value) {
        let name = schema.name;
        let key = definition["apiKey"].as_i64();
        let (kind, ours) = match schema.kind {
            MessageKind::Request(key) => ("request", Some(i64::from(key.code()))),
            MessageKind::Response(key) => ("response", Some(i64::from(key.code()))),
            MessageKind::Record(number) => ("record", Some(i64::from(number))),
            MessageKind::Data | MessageKind::Part => ("data", None),
        };
        let theirs = match text_of(definition, "type") {
            "header" => "data",
            "metadata" | "coordinator-key" | "coordinator-value" => "record",
            other => other,
        };
        self.compare(name, "", "type", &kind, &theirs);
        self.compare(name, "", "key", &ours, &key);
        let valid = versions(definition, "validVersions");
        self.compare(name, "", "versions", &schema.versions, &valid);
        let flexible = versions(definition, "flexibleVersions").intersect(valid);
        self.compare(name, "", "flexible versions", &schema.flexible.intersect(valid), &flexible);
        let common = definition["commonStructs"].as_array().map_or(&[][..], Vec::as_slice);
        self.fields(name, schema.fields, &definition["fields"], valid, common);
    }

    /// Compares fields one by one in wire order, in the versions that their struct occurs in.
    fn fields(
        &mut self,
        at: &str,
        ours: &'static [FieldSchema],
        theirs: &Value,
        context: VersionRange,
        common: &[Value],
    ) {
        let theirs: Vec<&Value> = (theirs.as_array().into_iter().flatten())
            .filter(|field| !versions(field, "versions").intersect(context).is_empty())
            .collect();
        let is_of_kafka =
            |field: &&FieldSchema| !field.versions.intersect(context).is_empty() && !field.is_private();
        let ours: Vec<_> = ours.iter().filter(is_of_kafka).collect();
        let our_names: Vec<_> = ours.iter().map(|field| comparable(field.name)).collect();
        let their_names: Vec<_> = theirs.iter().map(|field| comparable(text_of(field, "name"))).collect();
        if our_names != their_names {
            self.compare(at, "", "fields", &our_names, &their_names);
            return;
        }
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            self.fields += 1;
            self.field(at, ours, theirs, context, common);
        }
    }

    fn field(
        &mut self,
        at: &str,
        ours: &'static FieldSchema,
        theirs: &Value,
        context: VersionRange,
        common: &[Value],
    ) {
        let name = ours.name;
        let present = versions(theirs, "versions").intersect(context);
        self.compare(at, name, "versions", &ours.versions.intersect(context), &present);
        let nullable = versions(theirs, "nullableVersions").intersect(present);
        self.compare(at, name, "nullable versions", &ours.nullable.intersect(present), &nullable);
        let tag = theirs["tag"].as_u64();
        self.compare(at, name, "tag", &ours.tag.map(u64::from), &tag);
        if tag.is_some() {
            let tagged = versions(theirs, "taggedVersions").intersect(present);
            self.compare(at, name, "tagged versions", &present, &tagged);
        }
        if present != context {
            self.compare(at, name, "ignorable", &ours.ignorable, &is_true(&theirs["ignorable"]));
        }
        let never_flexible = theirs["flexibleVersions"] == "none";
        self.compare(at, name, "never flexible", &ours.never_flexible, &never_flexible);
        let ty = text_of(theirs, "type");
        self.compare(at, name, "default", &default_of(ours), &their_default(theirs, ty));
        self.ty(&format!("{at}.{name}"), ours.ty, theirs, ty, present, common);
    }

    fn ty(
        &mut self,
        at: &str,
        ours: FieldType,
        field: &Value,
        theirs: &str,
        context: VersionRange,
        common: &[Value],
    ) {
        match (ours, theirs.strip_prefix("[]")) {
            (FieldType::Array(element), Some(theirs)) => {
                self.ty(at, *element, field, theirs, context, common);
            }
            (FieldType::Struct(part), None) => {
                let shared = common.iter().find(|part| part["name"] == theirs);
                let (fields, context) = match shared {
                    Some(shared) => (&shared["fields"], versions(shared, "versions").intersect(context)),
                    None => (&field["fields"], context),
                };
                self.fields(at, part.fields, fields, context, common);
            }
            (ours, _) => self.compare(at, "", "type", &primitive(ours), &theirs),
        }
    }

    fn compare<T: PartialEq + Text>(&mut self, at: &str, field: &str, what: &str, ours: &T, theirs: &T) {
        if ours != theirs {
            let difference = format!("{what}: ours {}, Kafka's {}", ours.text(), theirs.text());
            self.differs(at, field, &difference);
        }
    }

    fn differs(&mut self, at: &str, field: &str, difference: &str) {
        let dot = if field.is_empty() { "" } else { "." };
        self.differences.push(format!("{at}{dot}{field}: {difference}"));
    }
}

/// How a fact is printed.
trait Text {
    fn text(&self) -> String;
}

impl Text for VersionRange {
    fn text(&self) -> String {
        self.to_string()
    }
}

macro_rules! debug_text {
    ($($ty:ty),*) => {$(
        impl Text for $ty {
            fn text(&self) -> String {
                format!("{self:?}")
            }
        }
    )*};
}

debug_text!(&str, bool, String, Option<i64>, Option<u64>, Vec<String>);

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn is_true(value: &Value) -> bool {
    *value == true || *value == "true"
}

/// Case and underscores aside: `TopicId` and `topic_id` are one name.
fn comparable(name: &str) -> String {
    name.replace('_', "").to_ascii_lowercase()
}

fn versions(value: &Value, key: &str) -> VersionRange {
    let text = match (key, text_of(value, key)) {
        // A tagged field need not say it twice.
        ("versions", "") => text_of(value, "taggedVersions"),
        (_, text) => text,
    };
    let number = |text: &str| text.parse::<i16>().ok();
    let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => (number(first), Some(i16::MAX)),
        (None, Some((first, last))) => (number(first), number(last)),
        (None, None) => (number(text), number(text)),
    };
    first.zip(last).map_or(VersionRange::NONE, |(first, last)| VersionRange { first, last })
}

/// A default in one notation: numbers in decimal, `own` for the type's own.
fn default_of(field: &FieldSchema) -> String {
    match field.default {
        "" => "own".to_owned(),
        "i32::MAX" => i32::MAX.to_string(),
        "i32::MIN" => i32::MIN.to_string(),
        "i64::MAX" => i64::MAX.to_string(),
        other => other.to_owned(),
    }
}

fn their_default(field: &Value, ty: &str) -> String {
    let text = match &field["default"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let number = match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse::<i64>().ok(),
    };
    match (ty, number) {
        _ if text.is_empty() => "own".to_owned(),
        ("bool", _) if text == "false" => "own".to_owned(),
        (_, Some(0)) if ty != "string" => "own".to_owned(),
        (_, Some(number)) if ty != "string" => number.to_string(),
        _ => text,
    }
}

fn primitive(ty: FieldType) -> &'static str {
    match ty {
        FieldType::Bool => "bool",
        FieldType::Int8 => "int8",
        FieldType::Int16 => "int16",
        FieldType::Uint16 => "uint16",
        FieldType::Int32 => "int32",
        FieldType::Uint32 => "uint32",
        FieldType::Int64 => "int64",
        FieldType::Float64 => "float64",
        FieldType::Uuid => "uuid",
        FieldType::String => "string",
        FieldType::Bytes => "bytes",
        FieldType::Records => "records",
        FieldType::Array(_) => "an array",
        FieldType::Struct(_) => "a struct",
    }
}

#[cfg(test)]
mod tests {
    use ottla_protocol::Message;
    use ottla_protocol::messages::{BrokerHeartbeatResponse, FetchRequest, HeartbeatRequest};

    use super::*;

    const HEARTBEAT: &str = r#"{ // a comment, and "a string // in it"
        "apiKey": 12, "type": "request", "name": "HeartbeatRequest", // https://example.org
        "validVersions": "0-4", "flexibleVersions": "4+", "fields": [
            { "name": "GroupId", "type": "string", "versions": "0+" },
            { "name": "GenerationId", "type": "int32", "versions": "0+" },
            { "name": "MemberId", "type": "string", "versions": "0+" },
            { "name": "GroupInstanceId", "type": "string", "versions": "3+",
              "nullableVersions": "3+", "default": "null" }]}"#;

    fn differences(schema: &'static MessageSchema, definition: &str) -> Vec<String> {
        let mut check = Check::default();
        check.message(schema, &serde_json::from_str(&without_comments(definition)).unwrap());
        check.differences
    }

    #[test]
    fn a_struct_that_agrees_is_silent() {
        assert_eq!(differences(HeartbeatRequest::SCHEMA, HEARTBEAT), [""; 0]);
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        for (from, to, difference) in [
            ("12", "13", "key: ours Some(12), Kafka's Some(13)"),
            ("\"request\"", "\"response\"", "type: ours \"request\", Kafka's \"response\""),
            ("0-4", "0-5", "versions: ours 0-4, Kafka's 0-5"),
            ("\"4+\"", "\"3+\"", "flexible versions: ours 4, Kafka's 3-4"),
            ("int32", "int64", "generation_id: type: ours \"int32\", Kafka's \"int64\""),
            (
                "\"int32\", \"versions\": \"0+\"",
                "\"int32\", \"versions\": \"1+\"",
                "versions: ours 0-4, Kafka's 1-4",
            ),
            (
                "\"nullableVersions\": \"3+\"",
                "\"nullableVersions\": \"4+\"",
                "nullable versions: ours 3-4, Kafka's 4",
            ),
            ("\"null\"", "\"x\"", "default: ours \"null\", Kafka's \"x\""),
            ("\"default\"", "\"ignorable\": true, \"default\"", "ignorable: ours false, Kafka's true"),
            ("MemberId", "Member", "fields: ours"),
        ] {
            let found = differences(HeartbeatRequest::SCHEMA, &HEARTBEAT.replace(from, to)).join("\n");
            assert!(found.contains(difference), "{from} -> {to}: {found:?}");
        }
    }

    #[test]
    fn a_tagged_field_of_our_own_is_no_difference() {
        let definition = r#"{ "apiKey": 63, "type": "response", "name": "BrokerHeartbeatResponse", "validVersions": "0-2",
            "flexibleVersions": "0+", "fields": [
            { "name": "ThrottleTimeMs", "type": "int32", "versions": "0+" },
            { "name": "ErrorCode", "type": "int16", "versions": "0+" },
            { "name": "IsCaughtUp", "type": "bool", "versions": "0+", "default": "false" },
            { "name": "IsFenced", "type": "bool", "versions": "0+", "default": "true" },
            { "name": "ShouldShutDown", "type": "bool", "versions": "0+" }]}"#;
        assert_eq!(differences(BrokerHeartbeatResponse::SCHEMA, definition), [""; 0]);
    }

    #[test]
    fn a_missing_struct_field_is_named() {
        let definition = r#"{ "apiKey": 1, "type": "request", "name": "FetchRequest", "validVersions": "4-18",
            "flexibleVersions": "12+", "fields": [] }"#;
        let found = differences(FetchRequest::SCHEMA, definition);
        assert!(found[0].starts_with("FetchRequest: fields: ours [\"clusterid\""), "{found:?}");
    }
}
