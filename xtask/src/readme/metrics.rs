//! docs/reference/metrics.md, from a scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

#[derive(Default)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

const HEAD: &str = "\
# Metrics

<!-- Written by `cargo xtask readme --update` from a scrape; edit the names where they are collected. -->

What `/metrics` of a node exports after the first five minutes of README.md. Series of partitions and groups exist
where there are some: each broker reports the partitions that it leads and the groups that it coordinates, so that sums
over brokers are right. Names are those of the exporters that Kafka dashboards are made for (the JMX exporter as Strimzi
sets it up, kafka-exporter); `ottla_` ones are our own.

| name | type | labels | |
|---|---|---|---|
";

/// The page for what `/metrics` answered.
pub(crate) fn page(scrape: &str) -> String {
    let mut page = String::from(HEAD);
    for (name, Family { kind, help, labels }) in families(scrape) {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {} |", labels.join(" "), help.replace('|', "\\|"));
    }
    page
}

fn families(scrape: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in scrape.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.entry(name.to_owned()).or_default().help = help.to_owned();
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            families.entry(name.to_owned()).or_default().kind = kind.to_owned();
        } else if let Some((name, rest)) = line.split_once('{')
            && let Some((labels, _)) = rest.rsplit_once('}')
            && let Some(family) = family_of(name, &mut families)
        {
            family.labels.extend(label_names(labels));
        }
    }
    families
}

/// The family of a series: the parts of a histogram have names of their own.
fn family_of<'a>(series: &str, families: &'a mut BTreeMap<String, Family>) -> Option<&'a mut Family> {
    let parts = ["", "_bucket", "_sum", "_count"];
    let name = parts.iter().find_map(|part| {
        series.strip_suffix(part).filter(|name| families.contains_key(*name)).map(str::to_owned)
    })?;
    families.get_mut(&name)
}

/// Names in `a="x",b="y"`. A value may hold anything but a bare quote.
fn label_names(labels: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut name, mut quoted, mut escaped) = (String::new(), false, false);
    for c in labels.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '=' => names.push(std::mem::take(&mut name)),
            ',' => name.clear(),
            c => name.push(c),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_scrape_becomes_a_row_per_family() {
        let page = page(
            "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\na_total{topic=\"x,y=\\\"z\"} 3\n\
             # HELP h Times.\n# TYPE h histogram\nh_bucket{api=\"Fetch\",le=\"1\"} 2\nh_sum{api=\"Fetch\"} 1\n",
        );
        assert!(page.contains("| `a_total` | counter | `topic` | Things. |\n"), "{page}");
        assert!(page.contains("| `h` | histogram | `api` `le` | Times. |\n"), "{page}");
    }
}
