//! The published Kafka jars that the wire format is checked against, fetched through Maven into `target/kafka-jars`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// A set of jars that work together.
pub(crate) struct Release {
    folder: &'static str,
    artifacts: &'static [&'static str],
}

/// Requests and responses: the ceiling of the wire surface.
pub(crate) const CEILING: Release = Release {
    folder: "4.4.0",
    artifacts: &["org.apache.kafka:kafka-clients:4.4.0", "org.slf4j:slf4j-api:2.0.17"],
};

/// Records of the metadata log and of internal topics: the newest release whose jars are all published.
pub(crate) const COMPLETE: Release = Release {
    folder: "4.3.1",
    artifacts: &[
        "org.apache.kafka:kafka-clients:4.3.1",
        "org.apache.kafka:kafka-metadata:4.3.1",
        "org.apache.kafka:kafka-group-coordinator:4.3.1",
        "org.apache.kafka:kafka-transaction-coordinator:4.3.1",
        "org.apache.kafka:kafka-share-coordinator:4.3.1",
        "org.apache.kafka:kafka-raft:4.3.1",
        "org.apache.kafka:kafka-storage:4.3.1",
        "org.apache.kafka:kafka-server-common:4.3.1",
        "org.apache.kafka:kafka-coordinator-common:4.3.1",
        "org.slf4j:slf4j-api:2.0.17",
    ],
};

/// Has Kafka's broker, which comes with loggers that are silent, tell what it does.
pub(crate) const LOGGING: Release =
    Release { folder: "slf4j-1.7.36", artifacts: &["org.slf4j:slf4j-simple:1.7.36"] };

/// Where jars keep definitions.
pub(crate) const FOLDERS: [&str; 3] = ["common/message", "common/metadata", "message"];

impl Release {
    /// The folder with the jars; fetches what is not there yet.
    pub(crate) fn fetch(&self) -> Result<PathBuf, Failure> {
        let folder = workspace_root().join("target/kafka-jars").join(self.folder);
        fs::create_dir_all(&folder)?;
        for artifact in self.artifacts {
            if !folder.join(file_name(artifact)).exists() {
                let mut maven = Command::new("mvn");
                maven.args(["-q", "-B", "-Dstyle.color=never", "dependency:copy"]);
                maven.arg(format!("-Dartifact={artifact}"));
                maven.arg(format!("-DoutputDirectory={}", folder.display()));
                fetch(&mut maven)?;
            }
        }
        Ok(folder)
    }

    /// A class path of the jars.
    pub(crate) fn class_path(&self) -> Result<String, Failure> {
        Ok(format!("{}/*", self.fetch()?.display()))
    }

    /// A new folder with the message definitions of the jars.
    pub(crate) fn definitions(&self) -> Result<tempfile::TempDir, Failure> {
        let jars = self.fetch()?;
        let folder = tempfile::tempdir()?;
        for artifact in self.artifacts.iter().filter(|artifact| artifact.starts_with("org.apache.kafka")) {
            let mut jar = Command::new("jar");
            jar.current_dir(folder.path()).arg("xf").arg(jars.join(file_name(artifact))).args(FOLDERS);
            run(&mut jar)?;
        }
        Ok(folder)
    }
}

/// `group:name:version` is `name-version.jar`.
fn file_name(artifact: &str) -> String {
    let mut parts = artifact.split(':').skip(1);
    format!("{}-{}.jar", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
}

/// Maven tells of errors on its standard output, and writes escape codes there even when it is quiet.
fn fetch(maven: &mut Command) -> Result<(), Failure> {
    let output = maven.output().map_err(|error| format!("cannot run {maven:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{maven:?}: {}", String::from_utf8_lossy(&output.stdout)).into()),
    }
}

/// Runs a program that must succeed.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo puts what it builds of the workspace in the folder `workspace` below the root.
pub(crate) fn target_dir(workspace: &str) -> PathBuf {
    let root = workspace_root();
    let workspace = root.canonicalize().unwrap_or(root).join(workspace);
    workspace.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
