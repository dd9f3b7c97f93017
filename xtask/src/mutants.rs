//! `cargo xtask mutants`: plants the bugs of `tests/mutants`, one at a time in a copy of the tree, and runs the test that each
//! of them names. The test has to fail: what nobody would notice is not tested.
//!
//! A patch begins with what it does wrong, and `Caught-by: PACKAGE TEST`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::ci::cargo;
use crate::kafka_jars::workspace_root;

/// Far above what any of the tests takes.
const TEST_WITHIN: Duration = Duration::from_secs(300);

#[derive(clap::Args, Default)]
pub(crate) struct Arguments {
    /// Only these: names of files in tests/mutants, without their suffix
    names: Vec<String>,
}

/// One planted bug.
struct Mutant {
    name: String,
    patch: PathBuf,
    package: String,
    test: String,
}

/// What became of one.
struct Outcome {
    verdict: Verdict,
    build: Duration,
    test: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Caught,
    Survived,
}

/// Plants each bug in turn; an error if one of them is not caught.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mutants = mutants(&arguments.names)?;
    let tree = Tree::copy()?;
    let mut rows = Vec::new();
    let began = Instant::now();
    unharmed(&tree, &mutants)?;
    for mutant in &mutants {
        tree.patch(&mutant.patch, false)?;
        let tried = try_out(&tree, mutant);
        tree.patch(&mutant.patch, true)?;
        let outcome = tried.map_err(|error| format!("{}: {error}", mutant.name))?;
        say(&row(mutant, &outcome));
        rows.push((mutant, outcome));
    }
    let survived: Vec<&str> = rows
        .iter()
        .filter(|(_, outcome)| outcome.verdict == Verdict::Survived)
        .map(|(mutant, _)| mutant.name.as_str())
        .collect();
    say(&format!("{} planted bugs, {} s", rows.len(), began.elapsed().as_secs()));
    if survived.is_empty() { Ok(()) } else { Err(format!("not caught: {}", survived.join(", ")).into()) }
}

fn row(mutant: &Mutant, outcome: &Outcome) -> String {
    let verdict = match outcome.verdict {
        Verdict::Caught => "caught",
        Verdict::Survived => "SURVIVED",
    };
    let (name, test) = (&mutant.name, mutant.test.rsplit("::").next().unwrap_or_default());
    let (build, ran) = (outcome.build.as_secs_f64(), outcome.test.as_secs_f64());
    format!("{name:<34} {verdict:<9} build {build:>5.1} s  test {ran:>5.1} s  {test}")
}

/// The patches, all or those that are named.
fn mutants(names: &[String]) -> Result<Vec<Mutant>, Failure> {
    let folder = workspace_root().join("tests/mutants");
    let mut mutants = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let patch = fs::canonicalize(entry?.path())?;
        let Some(name) = patch.file_name().and_then(|name| name.to_str()?.strip_suffix(".patch")) else {
            continue;
        };
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            mutants.push(parse(name, &patch)?);
        }
    }
    if let Some(unknown) = names.iter().find(|name| mutants.iter().all(|mutant| mutant.name != **name)) {
        return Err(format!("there is no tests/mutants/{unknown}.patch").into());
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

fn parse(name: &str, patch: &Path) -> Result<Mutant, Failure> {
    let text = fs::read_to_string(patch)?;
    let caught_by = text.lines().find_map(|line| line.strip_prefix("Caught-by: "));
    let (package, test) = caught_by
        .and_then(|words| words.split_once(' '))
        .ok_or_else(|| format!("tests/mutants/{name}.patch: no line `Caught-by: PACKAGE TEST`"))?;
    Ok(Mutant {
        name: name.to_owned(),
        patch: patch.to_owned(),
        package: package.to_owned(),
        test: test.to_owned(),
    })
}

/// A test that fails anyway catches nothing.
fn unharmed(tree: &Tree, mutants: &[Mutant]) -> Result<(), Failure> {
    let mut tests: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for mutant in mutants {
        tests.entry(&mutant.package).or_default().insert(&mutant.test);
    }
    for (package, tests) in tests {
        tree.build(package)?;
        for test in tests {
            if !tree.test(package, test)?.success() {
                return Err(format!("{package} {test} fails without a planted bug").into());
            }
        }
    }
    Ok(())
}

fn try_out(tree: &Tree, mutant: &Mutant) -> Result<Outcome, Failure> {
    let began = Instant::now();
    tree.build(&mutant.package)?;
    let (build, began) = (began.elapsed(), Instant::now());
    let status = tree.test(&mutant.package, &mutant.test)?;
    let verdict = if status.success() { Verdict::Survived } else { Verdict::Caught };
    Ok(Outcome { verdict, build, test: began.elapsed() })
}

/// A copy of the files that git knows, beside which nothing else is touched. What does not change between two mutants is
/// built once, and dependencies not at all if the workspace has been built.
struct Tree {
    root: PathBuf,
}

impl Tree {
    fn copy() -> Result<Self, Failure> {
        let source = fs::canonicalize(workspace_root())?;
        let root = source.join("target/mutants/tree");
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&source)
            .output()?;
        if !listed.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr)).into());
        }
        let names = String::from_utf8(listed.stdout)?;
        let names: BTreeSet<&str> = names.split('\0').filter(|name| source.join(name).is_file()).collect();
        for name in &names {
            let (from, to) = (fs::read(source.join(name))?, root.join(name));
            // One that is written is one that is built.
            if fs::read(&to).ok().as_ref() != Some(&from) {
                fs::create_dir_all(to.parent().unwrap_or(&root))?;
                fs::write(&to, from)?;
            }
        }
        remove_others(&root, &root, &names)?;
        Ok(Self { root })
    }

    fn patch(&self, patch: &Path, reverse: bool) -> Result<(), Failure> {
        let mut git = Command::new("git");
        // The copy lies within a repository, which has nothing to do with it.
        git.env("GIT_CEILING_DIRECTORIES", self.root.parent().unwrap_or(&self.root)).current_dir(&self.root);
        git.arg("apply").args(reverse.then_some("--reverse")).arg(patch);
        let output = git.output()?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{} does not apply; write it anew for the code as it is: {why}", patch.display()).into())
    }

    fn cargo(&self, package: &str) -> Command {
        let mut cargo = cargo();
        cargo.args(["test", "--locked", "--quiet", "--package", package, "--lib"]).current_dir(&self.root);
        // The one that this program was built in: there are the dependencies.
        cargo.env("CARGO_TARGET_DIR", self.root.join("../.."));
        cargo
    }

    fn build(&self, package: &str) -> Result<(), Failure> {
        let output = self.cargo(package).arg("--no-run").output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("does not compile, which catches nothing: {}", String::from_utf8_lossy(&output.stderr))
            .into())
    }

    /// Runs one test; an error if there is no such test, or it does not end.
    fn test(&self, package: &str, test: &str) -> Result<ExitStatus, Failure> {
        let log = self.root.join("../last-test.log");
        let output = File::create(&log)?;
        let mut cargo = self.cargo(package);
        cargo.args(["--", "--exact", test]).stdout(output.try_clone()?).stderr(Stdio::from(output));
        let mut running = cargo.env("RUST_BACKTRACE", "0").spawn()?;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = running.try_wait()? {
                break status;
            }
            if began.elapsed() > TEST_WITHIN {
                running.kill()?;
                running.wait()?;
                return Err(format!("{test} does not end within {} s", TEST_WITHIN.as_secs()).into());
            }
            thread::sleep(Duration::from_millis(20));
        };
        let told = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        if !told.contains("running 1 test\n") {
            return Err(format!("{package} has no test {test}: {told}").into());
        }
        Ok(status)
    }
}

/// Removes what is not in `names` any more.
fn remove_others(root: &Path, folder: &Path, names: &BTreeSet<&str>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(root, &path, names)?;
            continue;
        }
        let name = path.strip_prefix(root)?.to_str().ok_or("a file name that is not UTF-8")?;
        if !names.contains(name) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this command is for")]
fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mutant_names_a_test_and_changes_a_file_that_is_there() {
        let mutants = mutants(&[]).unwrap();
        assert!(mutants.len() >= 10);
        for mutant in mutants {
            let text = fs::read_to_string(&mutant.patch).unwrap();
            let changed = text.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap();
            assert!(workspace_root().join(changed).is_file(), "{}: {changed}", mutant.name);
            let (module, test) = mutant.test.rsplit_once("::").unwrap();
            // A module of tests beside the code is in its file.
            let file = module.strip_suffix("::tests").unwrap_or(module).replace("::", "/");
            let crate_dir = mutant.package.strip_prefix("ottla-").unwrap();
            let path = workspace_root().join(format!("crates/{crate_dir}/src/{file}.rs"));
            let tests = fs::read_to_string(&path).unwrap();
            assert!(tests.contains(&format!("fn {test}(")), "{}: {}", mutant.name, mutant.test);
        }
    }
}
