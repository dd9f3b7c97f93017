//! env::Disk in memory with crashes, torn writes and injected faults.
