//! The frame around each metadata record.

use bytes::Bytes;

use super::*;
use crate::{DecodeError, DecodeErrorKind, EncodeError, Reader, RecordMessage, Version, Writer};

/// The only frame version that Kafka has (`AbstractApiMessageSerde`).
const FRAME_VERSION: u32 = 1;

macro_rules! metadata_records {
    ($($variant:ident($record:ident),)*) => {
        /// Any record of the metadata log.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $(#[doc = concat!("[`", stringify!($record), "`].")]
            $variant($record),)*
        }

        impl MetadataRecord {
            /// Reads a record with its frame. Bytes behind it are an error.
            pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
                let mut r = Reader::new(&bytes);
                let frame = r.read_varint()?;
                if frame != FRAME_VERSION {
                    return Err(r.error(DecodeErrorKind::FrameVersion(frame)));
                }
                let (record_type, version) = (r.read_varint()?, r.read_varint()?);
                let record = match i16::try_from(record_type) {
                    $(Ok(<$record as RecordMessage>::RECORD_TYPE) => Self::$variant(read(&mut r, version)?),)*
                    _ => return Err(r.error(DecodeErrorKind::RecordType(record_type.into()))),
                };
                r.finish()?;
                Ok(record)
            }

            /// Writes the record with its frame, in the newest version.
            pub fn encode(&self) -> Result<Bytes, EncodeError> {
                self.encode_in(self.newest_version())
            }

            /// Writes the record with its frame in `version`.
            pub fn encode_in(&self, version: Version) -> Result<Bytes, EncodeError> {
                match self {
                    $(Self::$variant(record) => write(record, version),)*
                }
            }

            /// The newest version of this type of record.
            pub fn newest_version(&self) -> Version {
                match self {
                    $(Self::$variant(_) => *<$record as RecordMessage>::VERSIONS.end(),)*
                }
            }

            /// The type's number.
            pub fn record_type(&self) -> i16 {
                match self {
                    $(Self::$variant(_) => <$record as RecordMessage>::RECORD_TYPE,)*
                }
            }

            /// The type's name, without `Record`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant),)*
                }
            }
        }

        $(impl From<$record> for MetadataRecord {
            fn from(record: $record) -> Self {
                Self::$variant(record)
            }
        })*
    };
}

metadata_records! {
    RegisterBroker(RegisterBrokerRecord),
    UnregisterBroker(UnregisterBrokerRecord),
    BrokerRegistrationChange(BrokerRegistrationChangeRecord),
    FenceBroker(FenceBrokerRecord),
    UnfenceBroker(UnfenceBrokerRecord),
    RegisterController(RegisterControllerRecord),
    Topic(TopicRecord),
    Partition(PartitionRecord),
    PartitionChange(PartitionChangeRecord),
    RemoveTopic(RemoveTopicRecord),
    ClearElr(ClearElrRecord),
    Config(ConfigRecord),
    FeatureLevel(FeatureLevelRecord),
    ClientQuota(ClientQuotaRecord),
    ProducerIds(ProducerIdsRecord),
    AccessControlEntry(AccessControlEntryRecord),
    RemoveAccessControlEntry(RemoveAccessControlEntryRecord),
    UserScramCredential(UserScramCredentialRecord),
    RemoveUserScramCredential(RemoveUserScramCredentialRecord),
    DelegationToken(DelegationTokenRecord),
    RemoveDelegationToken(RemoveDelegationTokenRecord),
    BeginTransaction(BeginTransactionRecord),
    EndTransaction(EndTransactionRecord),
    AbortTransaction(AbortTransactionRecord),
    ZkMigrationState(ZkMigrationStateRecord),
    NoOp(NoOpRecord),
}

fn read<R: RecordMessage>(r: &mut Reader, version: u32) -> Result<R, DecodeError> {
    let (first, last) = R::VERSIONS.into_inner();
    match Version::try_from(version) {
        Ok(version) if (first..=last).contains(&version) => R::decode(r, version),
        other => {
            Err(r.error(DecodeErrorKind::Version { version: other.unwrap_or(Version::MAX), first, last }))
        }
    }
}

fn write<R: RecordMessage>(record: &R, version: Version) -> Result<Bytes, EncodeError> {
    if !R::VERSIONS.contains(&version) {
        return Err(EncodeError::new(crate::EncodeErrorKind::Version(version)));
    }
    let mut w = Writer::new();
    w.put_varint(FRAME_VERSION);
    w.put_varint(u32::from(R::RECORD_TYPE.unsigned_abs()));
    w.put_varint(u32::from(version.unsigned_abs()));
    record.encode(&mut w, version)?;
    Ok(w.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_frame() {
        let record = MetadataRecord::from(TopicRecord { name: "a".into(), ..Default::default() });
        let bytes = record.encode().unwrap();
        assert_eq!(bytes[..3], [1, 2, 0], "frame version, type, version");
        assert_eq!(MetadataRecord::decode(bytes), Ok(record));
    }

    #[test]
    fn what_a_frame_may_not_be() {
        let kind = |bytes: &'static [u8]| MetadataRecord::decode(bytes.into()).unwrap_err().kind();
        assert_eq!(kind(&[2, 2, 0]), DecodeErrorKind::FrameVersion(2));
        assert_eq!(kind(&[1, 99, 0]), DecodeErrorKind::RecordType(99));
        assert_eq!(kind(&[1, 2, 9]), DecodeErrorKind::Version { version: 9, first: 0, last: 0 });
        assert_eq!(kind(&[1, 20, 0, 0, 7]), DecodeErrorKind::Trailing(1));
    }
}
