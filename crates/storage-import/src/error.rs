//! Why a directory is not taken over. Unless a variant says otherwise, nothing was written.

use std::io;
use std::path::PathBuf;

use ottla_protocol::DecodeError;
use ottla_storage::{OpenError, StorageError};
use ottla_types::{ByteString, DirectoryId, NodeId, Offset, TopicIdPartition, TopicPartition};

/// See the module.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read or written. If it is one of the target's: repeat the import.
    #[error("cannot {op} {path}: {source}")]
    Io {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file of a log directory is not as it should be.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The target cannot be opened. Repeat the import.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Not a directory of Kafka.
    #[error("{dir} has no meta.properties, so it is no directory of Kafka: name the directories of log.dirs")]
    NotKafka {
        /// The directory.
        dir: PathBuf,
    },
    /// Nothing to take over.
    #[error("{dir} is a directory of Ottla ({found}): start ottla-broker on it")]
    AlreadyOttla {
        /// The directory.
        dir: PathBuf,
        /// What shows it.
        found: &'static str,
    },
    /// A crash, or Kafka still runs.
    #[error(
        "{dir} was not stopped cleanly (it has no .kafka_cleanshutdown): start Kafka on it, stop it with SIGTERM, wait until \
         it has ended, then import"
    )]
    Unclean {
        /// The directory.
        dir: PathBuf,
    },
    /// Kafka runs.
    #[error("{dir} is in use (.lock is held): stop Kafka with SIGTERM, wait until it has ended, then import")]
    InUse {
        /// The directory.
        dir: PathBuf,
    },
    /// Kafka was started while it was copied. Repeat the import.
    #[error(
        "{dir} was used while it was copied: stop Kafka with SIGTERM, wait until it has ended, then import again"
    )]
    Touched {
        /// The directory.
        dir: PathBuf,
    },
    /// The directories are not those of one node.
    #[error(
        "{first} belongs to {first_owner}, but {second} to {second_owner}: name the directories of one node"
    )]
    TwoOwners {
        /// One directory.
        first: PathBuf,
        /// Its cluster and node.
        first_owner: String,
        /// Another one.
        second: PathBuf,
        /// Its cluster and node.
        second_owner: String,
    },
    /// The same directory twice, or a copy of it.
    #[error("{first} and {second} have the same directory.id {id}: name each directory once")]
    SameDirectory {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// Their id.
        id: DirectoryId,
    },
    /// The node has more log directories.
    #[error(
        "node {node} has a log directory with directory.id={missing}, which is none of those given: name all directories of \
         log.dirs"
    )]
    MissingDirectory {
        /// The node.
        node: NodeId,
        /// The directory's id.
        missing: DirectoryId,
    },
    /// The node does not know this directory.
    #[error("{dir} (directory.id={id}) is none of node {node}'s log directories: leave it out")]
    ForeignDirectory {
        /// The directory.
        dir: PathBuf,
        /// Its id.
        id: DirectoryId,
        /// The node.
        node: NodeId,
    },
    /// Nobody knows what the partitions are.
    #[error("none of the directories has __cluster_metadata-0: name metadata.log.dir too")]
    NoMetadata,
    /// Which one counts?
    #[error(
        "{first} and {second} both have __cluster_metadata-0: leave out the one that is not metadata.log.dir"
    )]
    TwoMetadata {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// The metadata log cannot be read to its end.
    #[error(
        "{path} is damaged at byte {position}: {what}. Start Kafka on it: it repairs it, or tells what is lost"
    )]
    DamagedMetadata {
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What is wrong.
        what: String,
    },
    /// A record that nobody here can read.
    #[error(
        "metadata record at offset {offset}: {source}. It is of a newer Kafka than 4.3: import with a version of Ottla that \
         knows it"
    )]
    UnknownRecord {
        /// Where it is.
        offset: Offset,
        /// What is not understood.
        source: DecodeError,
    },
    /// The records contradict each other.
    #[error("metadata up to offset {offset}: {source}")]
    Apply {
        /// Up to where they were read.
        offset: Offset,
        /// What does not fit.
        source: ottla_metadata::ApplyError,
    },
    /// What was read cannot be written.
    #[error(transparent)]
    Batch(#[from] ottla_metadata::BatchError),
    /// Which metadata is committed is known to the quorum, not to this directory.
    #[error(
        "the metadata quorum has the voters {voters:?}, and node {node} can be taken over only if it is the one controller of its \
         cluster: reduce the quorum to it (kafka-metadata-quorum remove-controller), or mirror the topics to Ottla"
    )]
    OtherVoters {
        /// All voters.
        voters: Vec<i32>,
        /// This node.
        node: NodeId,
    },
    /// The voters are not in the log.
    #[error("{dir} does not tell the voters of its quorum: start Kafka on it once more and stop it cleanly")]
    UnknownVoters {
        /// The folder of the metadata log.
        dir: PathBuf,
    },
    /// A controller alone.
    #[error(
        "node {node} is no broker of its cluster, so it has no partitions: import the directories of a node with both roles"
    )]
    NotABroker {
        /// The node.
        node: NodeId,
    },
    /// The level of a feature is out of reach.
    #[error("{feature} has level {level}, this version reads {min} to {max}: {remedy}")]
    Feature {
        /// The feature.
        feature: ByteString,
        /// Its level.
        level: i16,
        /// The lowest.
        min: i16,
        /// The highest.
        max: i16,
        /// What to do.
        remedy: &'static str,
    },
    /// Other nodes have replicas, too.
    #[error(
        "{count} partitions have replicas on other nodes than {node}, such as {example} on {replicas:?}: if those nodes are to \
         be given up and node {node} is to have the only replicas, say so with --sole-replica"
    )]
    OtherReplicas {
        /// This node.
        node: NodeId,
        /// How many.
        count: usize,
        /// One of them.
        example: TopicPartition,
        /// Its replicas.
        replicas: Vec<i32>,
    },
    /// Records would be lost.
    #[error(
        "{count} partitions are not in sync on node {node}, such as {example} (replicas {replicas:?}, in sync {isr:?}): with \
         Kafka, move them there and wait until they are in sync (kafka-reassign-partitions), then stop it and import"
    )]
    NotInSync {
        /// This node.
        node: NodeId,
        /// How many.
        count: usize,
        /// One of them.
        example: TopicPartition,
        /// Its replicas.
        replicas: Vec<i32>,
        /// Those in sync.
        isr: Vec<i32>,
    },
    /// Some of the records are elsewhere.
    #[error(
        "topic {topic} has remote.storage.enable=true, and this version has no tiered storage: disable it for the topic in Kafka \
         with remote.log.delete.on.disable=false and local copies of what is to be kept, or delete the topic"
    )]
    Tiered {
        /// The topic.
        topic: ByteString,
    },
    /// A folder that must be there is not.
    #[error(
        "{partition} lies in one of the directories by the metadata, but has no folder there: if its records are lost, delete \
         the topic in Kafka; if it was just created, start Kafka once more and stop it cleanly"
    )]
    MissingFolder {
        /// The partition.
        partition: TopicIdPartition,
    },
    /// Two folders of one partition.
    #[error(
        "{first} and {second} hold the same partition: start Kafka once more, which settles it, and stop it cleanly"
    )]
    TwoFolders {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Kafka has not finished something.
    #[error("{path} is left of a compaction: start Kafka once more, which finishes it, and stop it cleanly")]
    Unfinished {
        /// The file.
        path: PathBuf,
    },
    /// The records are gone.
    #[error(
        "{folder} has no segment, but was synced up to offset {synced}: its records are lost; delete the topic in Kafka"
    )]
    NoSegments {
        /// The partition's folder.
        folder: PathBuf,
        /// Up to where.
        synced: Offset,
    },
    /// Which directory goes where?
    #[error(
        "{sources} directories are to be imported into {targets}: give one --data-dir for all of them, or one for each in the \
         same order"
    )]
    TargetCount {
        /// How many are imported.
        sources: usize,
        /// How many targets there are.
        targets: usize,
    },
    /// The source must stay as it is.
    #[error(
        "{target} lies in {source_dir}, which is only read, or is the same: set --data-dir to a directory elsewhere"
    )]
    TargetInSource {
        /// The target.
        target: PathBuf,
        /// The source.
        source_dir: PathBuf,
    },
    /// Something is there already.
    #[error("{dir} is not empty ({found}): set --data-dir to a new directory, or empty it")]
    TargetNotEmpty {
        /// The target.
        dir: PathBuf,
        /// What is there.
        found: String,
    },
    /// No space.
    #[error("{dir} has {free} bytes free, the import needs {needed}: free some, or use another --data-dir")]
    NoSpace {
        /// The target.
        dir: PathBuf,
        /// What there is, bytes.
        free: u64,
        /// What is needed, bytes.
        needed: u64,
    },
    /// The file system does not link there. Repeat the import without.
    #[error("cannot link {from} to {to}: {source}; --link needs both in one file system: import without it")]
    Link {
        /// The source's file.
        from: PathBuf,
        /// The target's.
        to: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// What was copied does not open.
    #[error("{partition} was copied, but does not open: {source}")]
    DoesNotOpen {
        /// The partition.
        partition: TopicIdPartition,
        /// Why.
        source: StorageError,
    },
    /// A bootstrap file is of a format that this build does not know.
    #[error("{path} has format {found}, this build reads {known}: run the newer build that wrote it")]
    BootstrapFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The newest that this build reads.
        known: u16,
    },
    /// A bootstrap file is not one.
    #[error("{path} is damaged: {what}; import again into an empty directory")]
    DamagedBootstrap {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

impl ImportError {
    /// For `map_err` of a disk's call.
    pub(crate) fn io(op: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { op, path, source }
    }
}
