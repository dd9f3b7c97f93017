//! Records that are kept and not looked into.

use ottla_protocol::records::metadata::MetadataRecord;
use ottla_types::NodeId;

use crate::image::{MetadataImage, OpaqueKey};

impl MetadataImage {
    pub(super) fn keep_opaque(&mut self, record: &MetadataRecord) {
        let Some((key, removes)) = opaque_key(record) else { return };
        if removes {
            self.opaque.remove(&key);
        } else {
            self.opaque.insert(key, record.clone());
        }
    }
}

/// What the record is about, and whether it removes that.
fn opaque_key(record: &MetadataRecord) -> Option<(OpaqueKey, bool)> {
    Some(match record {
        MetadataRecord::RegisterController(record) => {
            (OpaqueKey::Controller(NodeId(record.controller_id)), false)
        }
        MetadataRecord::ClientQuota(record) => {
            let mut entity: Vec<_> = record
                .entity
                .iter()
                .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
                .collect();
            entity.sort();
            (OpaqueKey::ClientQuota { entity, key: record.key.clone() }, record.remove)
        }
        MetadataRecord::UserScramCredential(record) => {
            (OpaqueKey::ScramCredential { user: record.name.clone(), mechanism: record.mechanism }, false)
        }
        MetadataRecord::RemoveUserScramCredential(record) => {
            (OpaqueKey::ScramCredential { user: record.name.clone(), mechanism: record.mechanism }, true)
        }
        MetadataRecord::DelegationToken(record) => {
            (OpaqueKey::DelegationToken(record.token_id.clone()), false)
        }
        MetadataRecord::RemoveDelegationToken(record) => {
            (OpaqueKey::DelegationToken(record.token_id.clone()), true)
        }
        MetadataRecord::AccessControlEntry(record) => (OpaqueKey::AccessControlEntry(record.id), false),
        MetadataRecord::RemoveAccessControlEntry(record) => (OpaqueKey::AccessControlEntry(record.id), true),
        _ => return None,
    })
}
