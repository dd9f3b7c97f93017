//! Which version of each request both sides speak.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use ottla_protocol::ApiKey;
use ottla_protocol::messages::ApiVersionsResponse;

/// What one broker offers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions {
    offered: HashMap<ApiKey, (i16, i16)>,
}

impl Versions {
    pub(crate) fn new(response: &ApiVersionsResponse) -> Self {
        let offered =
            response.api_keys.iter().map(|k| (ApiKey(k.api_key), (k.min_version, k.max_version))).collect();
        Self { offered }
    }

    /// The highest version of `key` within `ours` that the broker offers too; otherwise its offer in words. What only Ottla
    /// has is offered to nobody, and there all the same.
    pub(crate) fn pick(&self, key: ApiKey, ours: &RangeInclusive<i16>) -> Result<i16, String> {
        if key.is_private() {
            return Ok(*ours.end());
        }
        let Some(&(min, max)) = self.offered.get(&key) else { return Err("no version".to_owned()) };
        let version = max.min(*ours.end());
        if version >= min && version >= *ours.start() {
            Ok(version)
        } else {
            Err(format!("versions {min} to {max}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_picked() {
        let mut versions = Versions::default();
        versions.offered.insert(ApiKey(3), (2, 9));
        for (ours, expected) in [(0..=12, Some(9)), (0..=5, Some(5)), (10..=12, None), (0..=1, None)] {
            assert_eq!(versions.pick(ApiKey(3), &ours).ok(), expected, "{ours:?}");
        }
        assert!(versions.pick(ApiKey(4), &(0..=9)).is_err());
    }
}
