//! Fetches and builds the clients under target/clients, each only when what it is made from has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::slice;

use super::Places;
use super::session::progress;
use super::spec::{Client, Kind};
use crate::Failure;
use crate::kafka_jars::run;

/// How a client's program is started.
pub(crate) struct Program {
    pub(crate) command: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// Installs what `clients` need; gives each one's program by name.
pub(crate) fn install(
    places: &Places,
    clients: &[Client],
    kafka: bool,
) -> Result<BTreeMap<String, Program>, Failure> {
    fs::create_dir_all(&places.installed)?;
    for package in clients.iter().flat_map(|client| &client.system).collect::<BTreeSet<_>>() {
        system(package)?;
    }
    let has = |kind: Kind| clients.iter().any(|client| client.kind == kind);
    if has(Kind::Python) {
        python(places)?;
    }
    if has(Kind::Go) {
        go(places)?;
    }
    if has(Kind::Java) || kafka {
        java(places)?;
    }
    let mut programs = BTreeMap::new();
    for client in clients {
        match client.kind {
            Kind::Node => node(places, client)?,
            Kind::Cargo => cargo(places, client)?,
            Kind::Python | Kind::Go | Kind::Java => {}
        }
        programs.insert(client.name.clone(), program(places, client));
    }
    Ok(programs)
}

/// Class path of Apache Kafka and the suite's own classes.
pub(crate) fn kafka_class_path(places: &Places) -> String {
    let folder = places.installed.join("java");
    format!("{}:{}/*", folder.join("classes").display(), folder.join("libs").display())
}

fn program(places: &Places, client: &Client) -> Program {
    let main = |name: &str| client.folder.join(name).display().to_string();
    let installed = places.installed.join(&client.name);
    let set = |key: &str, path: PathBuf| vec![(key.to_owned(), path.display().to_string())];
    let (command, mut arguments, environment) = match client.kind {
        Kind::Python => (
            places.installed.join("python/bin/python"),
            vec!["-B".to_owned(), main("main.py")],
            set("PYTHONPATH", places.sources.join("python")),
        ),
        Kind::Node => {
            ("node".into(), vec![main("main.js")], set("NODE_PATH", installed.join("node_modules")))
        }
        Kind::Go => (places.installed.join("go").join(&client.name), Vec::new(), Vec::new()),
        Kind::Java => {
            // Short runs: the second compiler would never earn its keep.
            let options =
                ["-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", &kafka_class_path(places), "suite.Main"];
            ("java".into(), options.map(str::to_owned).to_vec(), Vec::new())
        }
        Kind::Cargo => (installed.join(format!("debug/client-{}", client.name)), Vec::new(), Vec::new()),
    };
    arguments.extend(client.argument.clone());
    Program { command, arguments, environment }
}

/// A command from a Debian package, where it is missing.
fn system(package: &str) -> Result<(), Failure> {
    let found = Command::new(package).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok() {
        return Ok(());
    }
    progress(&format!("installing {package}"));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        run(&mut apt)
    };
    apt(&["install", "-y", "-q", package])
        .or_else(|_| apt(&["update", "-q"]).and_then(|()| apt(&["install", "-y", "-q", package])))
        .map_err(|error| format!("{package} is missing and cannot be installed: {error}").into())
}

pub(crate) fn python(places: &Places) -> Result<(), Failure> {
    let folder = places.installed.join("python");
    let requirements = places.sources.join("python/requirements.txt");
    fresh(&folder, slice::from_ref(&requirements), "Python clients", || {
        let _ = fs::remove_dir_all(&folder);
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements);
        run(&mut pip)
    })
}

fn node(places: &Places, client: &Client) -> Result<(), Failure> {
    let folder = places.installed.join(&client.name);
    let files = ["package.json", "package-lock.json"].map(|name| client.folder.join(name));
    fresh(&folder, &files, &client.name, || {
        fs::create_dir_all(&folder)?;
        for file in &files {
            fs::copy(file, folder.join(file.file_name().unwrap_or_default()))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(&folder);
        run(npm.stdout(Stdio::null()))
    })
}

/// The go command knows itself what is up to date.
fn go(places: &Places) -> Result<(), Failure> {
    progress("building Go clients");
    let mut go = Command::new("go");
    go.args(["build", "-buildvcs=false", "-mod=readonly", "-o"]);
    go.arg(format!("{}/", places.installed.join("go").display()));
    // Everything but the harness is a main package; a folder of Go files is a client.
    go.arg("./...").current_dir(&places.sources).env("CGO_ENABLED", "0");
    fs::create_dir_all(places.installed.join("go"))?;
    run(&mut go)
}

fn java(places: &Places) -> Result<(), Failure> {
    let folder = places.installed.join("java");
    let pom = places.sources.join("java/pom.xml");
    fresh(&folder.join("libs"), slice::from_ref(&pom), "Apache Kafka", || {
        let mut maven = Command::new("mvn");
        maven.args(["-q", "-B", "-Dstyle.color=never", "-f"]).arg(&pom);
        maven.arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies");
        maven.arg(format!("-DoutputDirectory={}", folder.join("libs").display()));
        run(maven.stdout(Stdio::null()))
    })?;
    let sources = files(&places.sources.join("java/src/suite"), "java")?;
    fresh(&folder.join("classes"), &sources, "Java clients", || {
        let mut javac = Command::new("javac");
        javac.args(["-nowarn", "-proc:none", "--release", "17", "-cp"]).arg(kafka_class_path(places));
        run(javac.arg("-d").arg(folder.join("classes")).args(&sources))
    })
}

fn cargo(places: &Places, client: &Client) -> Result<(), Failure> {
    progress(&format!("building {}", client.name));
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(client.folder.join("Cargo.toml"));
    cargo.arg("--target-dir").arg(places.installed.join(&client.name));
    // From here the workspace's toolchain counts, also for a crate that names another one for itself.
    cargo.env_remove("RUSTFLAGS").current_dir(&places.sources);
    run(&mut cargo)
}

/// Runs `make` unless `folder` was made from the same `inputs` before.
fn fresh(
    folder: &Path,
    inputs: &[PathBuf],
    what: &str,
    make: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut made_from = String::new();
    for input in inputs {
        made_from
            .push_str(&fs::read_to_string(input).map_err(|error| format!("{}: {error}", input.display()))?);
    }
    let stamp = folder.join(".made-from");
    if fs::read_to_string(&stamp).is_ok_and(|before| before == made_from) {
        return Ok(());
    }
    progress(&format!("installing {what}"));
    make()?;
    Ok(fs::write(stamp, made_from)?)
}

/// The files of a folder with this extension, in order.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
