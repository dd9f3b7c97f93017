//! The ottla command line, as a library.
//!
//! `ottla NOUN VERB`: results go to standard output, as text for people or as JSON (`--format json`); notes
//! and errors go to standard error. Exit codes: 0 done, 1 failed, 2 bad usage, 3 not found, 5 no broker
//! could be reached. It speaks to any Kafka cluster through `ottla-client` and to nothing else; only
//! `ottla storage` works on files, those of a node that is stopped.
//!
//! Enter through [`Cli`] and [`Cli::run`]; one command per file: `ottla topic create` is
//! `topic/create.rs`.

mod args;
mod base64;
mod cluster;
mod config;
mod error;
mod group;
mod output;
mod position;
mod storage;
mod topic;

pub use crate::args::{Cli, Format};
pub use crate::error::CliError;
