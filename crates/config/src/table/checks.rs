//! Rules that a range or a list of values cannot express.

/// gzip takes -1 or 1 to 9; 0 would be no compression.
pub(super) fn gzip_level(value: &str) -> Result<(), String> {
    match value.parse::<i64>() {
        Ok(-1 | 1..=9) => Ok(()),
        _ => Err("Value must be [1,...,9] or -1".to_owned()),
    }
}

/// `*` or `partition:broker`, both whole numbers.
pub(super) fn throttled_replica(value: &str) -> Result<(), String> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match value.split_once(':') {
        _ if value == "*" => Ok(()),
        Some((partition, broker)) if number(partition) && number(broker) => Ok(()),
        _ => Err("must be the literal '*' or a list of replicas in the following format: \
                  [partitionId]:[brokerId],[partitionId]:[brokerId],..."
            .to_owned()),
    }
}

/// `latest`, `earliest` or `by_duration:` and an ISO 8601 duration.
pub(super) fn share_offset_reset(value: &str) -> Result<(), String> {
    let known = matches!(value, "latest" | "earliest") || value.starts_with("by_duration:P");
    if known { Ok(()) } else { Err("must be latest, earliest or by_duration:PnDTnHnMn.nS".to_owned()) }
}

/// `host:port`, or `[v6]:port`.
pub(super) fn host_port(value: &str) -> Result<(), String> {
    match value.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(()),
        _ => Err("must be host:port".to_owned()),
    }
}

/// 16 bytes as URL-safe base64 without padding, as Kafka writes ids.
pub(super) fn cluster_id(value: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if value.len() == 22 && value.bytes().all(plain) {
        Ok(())
    } else {
        Err("must be 22 characters of URL-safe base64".to_owned())
    }
}

/// The id of a node.
pub(super) fn node_id(value: &str) -> Result<(), String> {
    match value.parse::<i32>() {
        Ok(0..) => Ok(()),
        _ => Err(format!("'{value}' is no id of a broker: a whole number from 0 on")),
    }
}

/// `selector=pattern`, where the pattern is a regular expression. One that takes more than linear time (back references, look
/// around) is none here: it comes from the network.
pub(super) fn client_match(value: &str) -> Result<(), String> {
    const SELECTORS: [&str; 6] = [
        "client_instance_id",
        "client_id",
        "client_software_name",
        "client_software_version",
        "client_source_address",
        "client_source_port",
    ];
    let illegal = || format!("Illegal client matching pattern: {value}");
    let mut parts = value.trim_end_matches('=').split('=');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(selector), Some(pattern), None) if SELECTORS.contains(&selector.trim()) => {
            regex_syntax::parse(pattern.trim()).map(drop).map_err(|_| illegal())
        }
        _ => Err(illegal()),
    }
}
