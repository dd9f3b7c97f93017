//! Logs, metrics and the admin HTTP listener of a process.
//!
//! A crate counts in its own plain atomics ([`Counter`], [`Gauge`], [`Histogram`]) and owns the names of its metrics: it
//! implements [`Collect`], which writes them when somebody scrapes. Nothing is registered or looked up per
//! request, and series of partitions exist only for the moment of a scrape.
//!
//! What it does not do: it knows no Kafka concept, keeps no history beyond what a quantile needs, sends nothing anywhere.
//!
//! Entry points: [`init_logs`], [`LogLevels`], [`Registry`], [`AdminServer`].

mod admin;
mod collect;
mod encoder;
mod health;
mod histogram;
mod log_format;
mod log_levels;
mod logs;
mod process;
mod timer;
mod values;

pub use crate::admin::{AdminError, AdminServer};
pub use crate::collect::{Collect, Registry};
pub use crate::encoder::{Encoder, Family, Kind};
pub use crate::health::{Condition, Health};
pub use crate::histogram::{Histogram, HistogramSnapshot, QuantileWindow};
pub use crate::log_levels::{LogLevel, LogLevels, ROOT_LOGGER};
pub use crate::logs::{LogError, init_logs};
pub use crate::process::ProcessMetrics;
pub use crate::timer::Timer;
pub use crate::values::{Counter, Gauge};
