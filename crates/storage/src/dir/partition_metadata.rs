//! `partition.metadata`: which topic a folder belongs to (KIP-516).

use ottla_types::TopicId;

pub(crate) const FILE_NAME: &str = "partition.metadata";
/// Far above what the file has.
pub(crate) const MAX_BYTES: usize = 4096;

pub(crate) fn to_text(topic_id: TopicId) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// `None` if the file is damaged.
pub(crate) fn parse(text: &str) -> Option<TopicId> {
    let mut lines = text.lines();
    if lines.next()? != "version: 0" {
        return None;
    }
    lines.next()?.strip_prefix("topic_id: ")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_types::Uuid;

    #[test]
    fn text_is_kafkas() {
        let text = "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ";
        assert_eq!(parse(text), Some(Uuid::METADATA_TOPIC));
        assert_eq!(to_text(Uuid::METADATA_TOPIC), text);
        for damaged in ["", "version: 1\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ", "version: 0\ntopic_id: A"] {
            assert_eq!(parse(damaged), None);
        }
    }
}
