//! What a panic of a task must not go without.

/// Runs what it holds if a panic drops it. For tasks that nobody waits for: without them the process would look well, and not be.
#[derive(Debug)]
pub struct OnPanic<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnPanic<F> {
    /// To be kept for as long as the task runs.
    pub const fn new(run: F) -> Self {
        Self(Some(run))
    }
}

impl<F: FnOnce()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(run) = self.0.take()
        {
            run();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn it_runs_when_the_task_panics_and_not_when_it_ends() {
        let mut runs = 0;
        drop(OnPanic::new(|| runs += 1));
        assert_eq!(runs, 0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _kept = OnPanic::new(|| runs += 1);
            panic!("as a test");
        }));
        assert!(panicked.is_err());
        assert_eq!(runs, 1);
    }
}
