//! The reference page, `docs/reference/configs.md`, from the rows.

use std::fmt::Write;

use crate::def::{ConfigDef, Importance, Status};
use crate::table;

/// Which columns a table has beyond those of all.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Says where the key may change.
    Broker,
    /// Says which broker key supplies the default.
    Derived,
}

/// The whole page as Markdown.
pub fn reference_page() -> String {
    let mut page = String::from(INTRODUCTION);
    section(&mut page, "Topic settings", TOPICS, table::TOPIC, Kind::Derived);
    section(&mut page, "Group settings", GROUPS, table::GROUP, Kind::Derived);
    let title = "Client metrics settings";
    section(&mut page, title, CLIENT_METRICS, table::CLIENT_METRICS, Kind::Derived);
    page.push_str("\n## Broker and controller settings\n");
    for (title, defs) in table::BROKER {
        let _ = write!(page, "\n### {title}\n\n");
        rows(&mut page, defs, Kind::Broker);
    }
    page
}

const INTRODUCTION: &str = "\
# Settings

<!-- Written by `cargo xtask docs` from crates/config/src/table; edit the rows there. -->

Keys, types, defaults and ranges are Apache Kafka's unless a row says otherwise. A node reads them from the file
given with `--config` (a Kafka `server.properties` as it is), then from environment variables
(`KAFKA_LOG_DIRS` sets `log.dirs`; `__` stands for `_`, `___` for `-`), then from `--set key=value`; the later
wins. There, sizes and durations may carry a unit: `10MiB`, `500ms`, `7d`. An unknown key is a warning with the
nearest known name; a value that is not allowed stops the start with exit code 2.

Changes at run time (`AlterConfigs`, `kafka-configs`) take precedence over all of these: *per-broker* keys for one
broker, *cluster-wide* keys also for all brokers at once, *read-only* keys not at all.

Keys marked ○ are accepted and checked, but nothing in Ottla depends on them; those marked ★ are Ottla's own.
**Bold** keys are those that Kafka's documentation ranks as of high importance.
";

const TOPICS: &str = "Set when a topic is created or altered. Where a topic does not set a key, the broker key \
                      in the third column supplies it.";

const GROUPS: &str = "Set on a group with `kafka-configs --entity-type groups`. Where a group does not set a \
                      key, the broker key in the third column supplies it.";

const CLIENT_METRICS: &str = "Set on a subscription (KIP-714) with `kafka-client-metrics`, or with `kafka-configs \
                              --entity-type client-metrics`.";

fn section(page: &mut String, title: &str, text: &str, defs: &[ConfigDef], kind: Kind) {
    let _ = write!(page, "\n## {title}\n\n{text}\n\n");
    rows(page, defs, kind);
}

fn rows(page: &mut String, defs: &[ConfigDef], kind: Kind) {
    let third = if kind == Kind::Broker { "change" } else { "broker key" };
    let _ = write!(page, "| key | type, allowed | {third} | default | |\n|---|---|---|---|---|\n");
    for def in defs.iter().filter(|def| !def.internal) {
        let third = match kind {
            Kind::Broker => def.scope.name().to_owned(),
            Kind::Derived => def.synonyms.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" "),
        };
        let third = match (def.at_least_key, def.at_most_key) {
            (Some(min), Some(max)) => format!("{third}, from `{min}` to `{max}`"),
            (None, Some(max)) => format!("{third}, at most `{max}`"),
            (Some(min), None) => format!("{third}, at least `{min}`"),
            (None, None) => third,
        };
        let allowed = match def.allowed() {
            allowed if allowed.is_empty() => String::new(),
            allowed => format!(" `{}`", allowed.replace('|', "\\|")),
        };
        let (key, kind, default, doc) = (key(def), def.value_type.name(), default(def), def.doc);
        let _ = writeln!(page, "| {key} | {kind}{allowed} | {third} | {default} | {doc} |");
    }
}

fn key(def: &ConfigDef) -> String {
    let mark = match def.status {
        Status::Effective => "",
        Status::Accepted => " ○",
        Status::Ours => " ★",
    };
    let name = def.name;
    if def.importance == Importance::High && def.status != Status::Accepted {
        format!("**`{name}`**{mark}")
    } else {
        format!("`{name}`{mark}")
    }
}

fn default(def: &ConfigDef) -> String {
    match def.default {
        None => "unset".to_owned(),
        Some("") => "empty".to_owned(),
        Some("9223372036854775807" | "1.7976931348623157E308") => "the largest number".to_owned(),
        Some(text) => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/configs.md");
        let on_disk = std::fs::read_to_string(path).unwrap_or_default();
        assert!(on_disk == super::reference_page(), "run `cargo xtask docs`");
    }
}
