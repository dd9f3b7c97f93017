//! The `process_*` family that every Prometheus exporter has, read from `/proc` at scrape.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Collect, Encoder};

/// Memory, processor time, descriptors and start time of this process. Where there is no `/proc`, only the last.
#[derive(Debug)]
pub struct ProcessMetrics {
    started: SystemTime,
}

impl ProcessMetrics {
    /// Call it when the process starts: now is its start time.
    pub fn new() -> Self {
        Self { started: SystemTime::now() }
    }
}

impl Default for ProcessMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Collect for ProcessMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        encoder.gauge("process_start_time_seconds", "Start time since the Unix epoch, seconds.", started);
        if let Some((virtual_bytes, resident_bytes)) = memory() {
            encoder.gauge("process_virtual_memory_bytes", "Virtual memory, bytes.", virtual_bytes);
            encoder.gauge("process_resident_memory_bytes", "Resident memory, bytes.", resident_bytes);
        }
        if let Some((cpu, threads)) = cpu_and_threads() {
            encoder.counter("process_cpu_seconds_total", "User and system processor time, seconds.", cpu);
            encoder.gauge("process_threads", "Threads.", threads);
        }
        if let Ok(entries) = fs::read_dir("/proc/self/fd") {
            encoder.gauge("process_open_fds", "Open file descriptors.", entries.count());
        }
        if let Some(limit) = max_descriptors() {
            encoder.gauge("process_max_fds", "Limit of open file descriptors.", limit);
        }
    }
}

/// Virtual and resident bytes: the first two numbers of proc(5) `statm`, in pages.
fn memory() -> Option<(u64, u64)> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = text.split_whitespace().map(|pages| pages.parse::<u64>().ok());
    let page = rustix::param::page_size() as u64;
    Some((pages.next()?? * page, pages.next()?? * page))
}

/// Processor seconds and threads, from proc(5) `stat`.
fn cpu_and_threads() -> Option<(f64, u64)> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, in parentheses, may hold anything; field 3 follows the last one.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)?;
    Some((ticks as f64 / rustix::param::clock_ticks_per_second() as f64, number(20)?))
}

fn max_descriptors() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_family_is_there_on_linux() {
        let mut encoder = Encoder::new();
        ProcessMetrics::new().collect(&mut encoder);
        let text = encoder.finish();
        for name in [
            "resident_memory_bytes",
            "cpu_seconds_total",
            "open_fds",
            "max_fds",
            "start_time_seconds",
            "threads",
        ] {
            let line = text.lines().find(|line| line.starts_with(&format!("process_{name} ")));
            let value: f64 = line.unwrap().split(' ').nth(1).unwrap().parse().unwrap();
            assert!(value > 0.0 || name == "cpu_seconds_total", "{name} is {value}");
        }
    }
}
