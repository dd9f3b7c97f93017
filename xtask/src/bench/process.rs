//! What a process takes, as Linux tells.

use std::fs;

use crate::Failure;

/// How long a process has had the processor, its threads together, also those that have ended; seconds.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').map_or(Vec::new(), |(_, rest)| rest.split_whitespace().collect());
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    // A tick is a hundredth of a second.
    Ok((ticks(11) + ticks(12)) / 100.0)
}

/// What of its memory is there, MiB.
pub(super) fn resident_mib(pid: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.ok_or("no VmRSS")? / 1024.0)
}
