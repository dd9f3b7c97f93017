//! Who is asked for metrics at a scrape.

use std::fmt::{self, Debug};
use std::sync::{Arc, PoisonError, RwLock};

use crate::Encoder;

/// Writes metrics when somebody scrapes.
pub trait Collect: Send + Sync {
    /// Adds the samples of this moment.
    fn collect(&self, encoder: &mut Encoder);
}

/// All collectors of a process.
#[derive(Default)]
pub struct Registry {
    collectors: RwLock<Vec<Arc<dyn Collect>>>,
}

impl Registry {
    /// No collectors yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Asks `collector` at every scrape from now on.
    pub fn add(&self, collector: Arc<dyn Collect>) {
        self.collectors.write().unwrap_or_else(PoisonError::into_inner).push(collector);
    }

    /// The text of one scrape.
    pub fn render(&self) -> String {
        let collectors = self.collectors.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut encoder = Encoder::new();
        for collector in collectors {
            collector.collect(&mut encoder);
        }
        encoder.finish()
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
