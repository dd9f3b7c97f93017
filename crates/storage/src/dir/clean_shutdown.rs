//! `.kafka_cleanshutdown`: this directory was closed in order, by the broker of this epoch (KIP-966).

use ottla_types::BrokerEpoch;

pub(crate) const FILE_NAME: &str = ".kafka_cleanshutdown";
/// Far above what the file has.
pub(crate) const MAX_BYTES: usize = 4096;

pub(crate) fn to_text(epoch: BrokerEpoch) -> String {
    format!("{{\"version\":0,\"brokerEpoch\":{epoch}}}")
}

/// The broker's epoch; [`BrokerEpoch::NONE`] if the file tells none, as those of older Kafka.
pub(crate) fn parse(text: &str) -> BrokerEpoch {
    let number = text.split_once("\"brokerEpoch\":").map(|(_, after)| after.trim_start());
    let digits = number.map(|n| n.split([',', '}', ' ']).next().unwrap_or_default());
    digits.and_then(|d| d.parse().ok()).map_or(BrokerEpoch::NONE, BrokerEpoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kafkas() {
        assert_eq!(to_text(BrokerEpoch(42)), r#"{"version":0,"brokerEpoch":42}"#);
        assert_eq!(parse(r#"{"brokerEpoch":42,"version":0}"#), BrokerEpoch(42));
        assert_eq!(parse(&to_text(BrokerEpoch(7))), BrokerEpoch(7));
        assert_eq!(parse(""), BrokerEpoch::NONE);
    }
}
