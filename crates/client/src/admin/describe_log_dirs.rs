//! Describing the log directories of a broker (KIP-113).

use ottla_protocol::messages::DescribeLogDirsRequest;
use ottla_protocol::messages::describe_log_dirs::DescribeLogDirsResult;
use ottla_types::NodeId;

use super::Admin;
use crate::Result;
use crate::cluster::Retry;
use crate::error::check;

/// A log directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirInfo {
    /// Its path on the broker.
    pub path: String,
    /// Why it cannot be used, if it cannot.
    pub failure: Option<String>,
    /// Size of its file system in bytes, if the broker tells.
    pub total_bytes: Option<i64>,
    /// Free bytes there, if the broker tells.
    pub usable_bytes: Option<i64>,
    /// Whether it takes no new replicas (KIP-1066).
    pub cordoned: bool,
}

impl Admin {
    /// The log directories of `broker`, without what lies in them.
    pub async fn describe_log_dirs(&self, broker: NodeId) -> Result<Vec<LogDirInfo>> {
        let what = format!("describing the log directories of broker {broker}");
        // Of no topic: sizes of all replicas would be read from the disk.
        let request =
            DescribeLogDirsRequest { topics: Some(Vec::new()), ..DescribeLogDirsRequest::default() };
        let mut retry = Retry::new(&self.cluster, what.clone());
        loop {
            match self.ask_log_dirs(broker, &request, &what).await {
                Ok(dirs) => return Ok(dirs),
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_log_dirs(
        &self,
        broker: NodeId,
        request: &DescribeLogDirsRequest,
        what: &str,
    ) -> Result<Vec<LogDirInfo>> {
        let response = self.cluster.broker(broker).await?.call(request).await?;
        check(response.error_code, None, || what.to_owned())?;
        let mut dirs: Vec<_> = response.results.into_iter().map(dir).collect();
        dirs.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(dirs)
    }
}

fn dir(wire: DescribeLogDirsResult) -> LogDirInfo {
    let bytes = |bytes: i64| Some(bytes).filter(|bytes| *bytes >= 0);
    LogDirInfo {
        path: wire.log_dir.to_string(),
        failure: wire.error_code.is_error().then(|| wire.error_code.name().to_owned()),
        total_bytes: bytes(wire.total_bytes),
        usable_bytes: bytes(wire.usable_bytes),
        cordoned: wire.is_cordoned,
    }
}
