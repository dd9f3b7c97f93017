//! Why a command failed, and the exit code for it.

use std::io;

use ottla_client::{ClientError, ErrorKind};
use ottla_storage::StorageError;
use ottla_storage_import::ImportError;

use crate::args::Context;

pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The cluster or the way to it.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The command line says something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// Standard output.
    #[error("the output could not be written: {0}")]
    Output(io::Error),
    /// Standard input.
    #[error("the input could not be read: {0}")]
    Input(io::Error),
    /// A directory is not taken over.
    #[error("{0}")]
    Import(Box<ImportError>),
    /// A file cannot be dumped.
    #[error("{0}")]
    Storage(#[from] StorageError),
    /// What was dumped has faults; each was shown.
    #[error("{0} faults were found; see bad and crc_holds above")]
    Damaged(u64),
    /// Not all is well with the cluster; each fault was shown.
    #[error("the cluster is not healthy; see the faults above")]
    Unhealthy,
    /// The cluster cannot do what was asked for as it is.
    #[error("{0}")]
    Blocked(String),
    /// Some of several things failed; each was reported.
    #[error("{failed} of {total} {what} failed")]
    Partial {
        /// How many failed.
        failed: u64,
        /// Of how many.
        total: u64,
        /// What they are.
        what: &'static str,
    },
}

impl CliError {
    /// Reports the errors of several things: a single one as it is, more as a count after a note each.
    pub(crate) fn all(
        context: &Context,
        mut errors: Vec<ClientError>,
        total: u64,
        what: &'static str,
    ) -> Result<()> {
        if let Some(error) = errors.pop_if(|_| total == 1) {
            return Err(error.into());
        }
        for error in &errors {
            context.out.note(&format!("error: {error}"));
        }
        match errors.len() as u64 {
            0 => Ok(()),
            failed => Err(Self::Partial { failed, total, what }),
        }
    }

    /// 1 failed, 2 bad usage, 3 not found, 5 no broker could be reached.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Import(error) => match **error {
                ImportError::TargetCount { .. } | ImportError::TargetInSource { .. } => 2,
                _ => 1,
            },
            Self::Blocked(_)
            | Self::Unhealthy
            | Self::Output(_)
            | Self::Input(_)
            | Self::Storage(_)
            | Self::Damaged(_)
            | Self::Partial { .. } => 1,
            Self::Client(error) => match error.kind() {
                ErrorKind::NotFound => 3,
                ErrorKind::Unreachable => 5,
                ErrorKind::Invalid if matches!(error, ClientError::Invalid { .. }) => 2,
                _ => 1,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_what_kind_of_failure_it_was() {
        let unknown = ClientError::UnknownTopic { topic: "t".into() };
        assert_eq!(CliError::from(unknown).exit_code(), 3);
        let away = ClientError::Unreachable { addresses: "x:1".into(), reason: "refused".into() };
        assert_eq!(CliError::from(away).exit_code(), 5);
        assert_eq!(CliError::Usage("no".into()).exit_code(), 2);
        assert_eq!(CliError::Partial { failed: 1, total: 2, what: "topics" }.exit_code(), 1);
    }
}
