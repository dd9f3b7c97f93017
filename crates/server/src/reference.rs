//! The reference page of APIs, and what must hold for a table as a whole.

use std::fmt::Write;

use crate::{ApiRow, ListenerKind};

/// `docs/reference/apis.md` for one host, as Markdown: `title` as a heading, then a row per API.
pub fn apis_page<H>(title: &str, table: &[ApiRow<H>]) -> String {
    let mut page = format!(
        "## {title}\n\n| key | API | versions | lane | listeners | permission |\n|---:|---|---|---|---|---|\n"
    );
    let mut rows: Vec<&ApiRow<H>> = table.iter().collect();
    rows.sort_by_key(|row| row.key);
    for row in rows {
        let versions = if row.served == row.advertised {
            row.served.to_string()
        } else {
            format!("{} (advertised {})", row.served, row.advertised)
        };
        let listeners: Vec<&str> = row.listeners.iter().copied().map(listener_name).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            page,
            "| {} | {} | {versions} | {:?} | {} | {} |",
            row.key.code(),
            row.name(),
            row.lane,
            listeners.join(", "),
            row.acl
        );
    }
    page
}

/// What is wrong with a table; nothing if it can be served.
pub fn check_table<H>(table: &[ApiRow<H>]) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, row) in table.iter().enumerate() {
        if row.name() == "Unknown" {
            faults.push(format!("API key {} has no name", row.key.code()));
        }
        if table[..index].iter().any(|other| other.key == row.key) {
            faults.push(format!("{} has two rows", row.name()));
        }
        for listener in row.listeners {
            if row.listeners.iter().filter(|other| *other == listener).count() > 1 {
                faults.push(format!("{} names listener {} twice", row.name(), listener_name(*listener)));
            }
        }
    }
    for listener in [ListenerKind::Broker, ListenerKind::Controller] {
        let mut on = table.iter().filter(|row| row.is_on(listener)).peekable();
        if on.peek().is_some() && !on.any(|row| row.key == ottla_protocol::ApiKey::API_VERSIONS) {
            faults.push(format!("ApiVersions is missing on {} listeners", listener_name(listener)));
        }
    }
    faults
}

fn listener_name(listener: ListenerKind) -> &'static str {
    match listener {
        ListenerKind::Broker => "broker",
        ListenerKind::Controller => "controller",
    }
}
