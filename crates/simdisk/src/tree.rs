//! Directories: names as they are now, as power loss leaves them, and the changes in between.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use ottla_env::{DirEntry, Rng};

use crate::content::Content;

/// Names a file or directory whatever it is called (an inode number).
pub(crate) type Id = u64;

const ROOT: Id = 0;

#[derive(Clone, Debug)]
enum Node {
    File(Content),
    Dir(Names),
}

#[derive(Clone, Debug, Default)]
struct Names {
    now: BTreeMap<String, Id>,
    durable: BTreeMap<String, Id>,
}

/// One atomic change of names: `None` takes the name away.
#[derive(Clone, Debug)]
struct NameChange(Vec<(Id, String, Option<Id>)>);

impl NameChange {
    fn touches(&self, dir: Id) -> bool {
        self.0.iter().any(|(d, _, _)| *d == dir)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Tree {
    nodes: BTreeMap<Id, Node>,
    next_id: Id,
    pending: Vec<NameChange>,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::Dir(Names::default()))]), next_id: 1, pending: Vec::new() }
    }
}

impl Tree {
    pub(crate) fn find(&self, path: &Path) -> io::Result<Id> {
        let mut at = ROOT;
        for name in names(path)? {
            at = *self.dir(at)?.now.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    pub(crate) fn content(&mut self, id: Id) -> io::Result<&mut Content> {
        match self.nodes.get_mut(&id) {
            Some(Node::File(content)) => Ok(content),
            Some(Node::Dir(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn create_file(&mut self, path: &Path) -> io::Result<Id> {
        let (dir, name) = self.parent(path)?;
        let id = self.add(Node::File(Content::default()));
        self.change(NameChange(vec![(dir, name, Some(id))]))?;
        Ok(id)
    }

    pub(crate) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut at = ROOT;
        for name in names(path)? {
            at = match self.dir(at)?.now.get(name) {
                Some(id) => *id,
                None => {
                    let id = self.add(Node::Dir(Names::default()));
                    self.change(NameChange(vec![(at, name.to_owned(), Some(id))]))?;
                    id
                }
            };
        }
        self.dir(at).map(|_| ())
    }

    pub(crate) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find(path)?;
        self.content(id)?;
        let (dir, name) = self.parent(path)?;
        self.change(NameChange(vec![(dir, name, None)]))
    }

    /// Removes depth first, as a file system does: power loss may leave any part.
    pub(crate) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let id = self.find(path)?;
        let (parent, name) = self.parent(path)?;
        self.empty(id)?;
        self.change(NameChange(vec![(parent, name, None)]))
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.find(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        if let Some(target) = self.dir(to_dir)?.now.get(&to_name)
            && let Ok(names) = self.dir(*target)
            && !names.now.is_empty()
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.change(NameChange(vec![(from_dir, from_name, None), (to_dir, to_name, Some(id))]))
    }

    pub(crate) fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let names = self.dir(self.find(path)?)?;
        Ok(names
            .now
            .iter()
            .map(|(name, id)| DirEntry {
                name: name.clone(),
                is_dir: matches!(self.nodes.get(id), Some(Node::Dir(_))),
            })
            .collect())
    }

    pub(crate) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find(path)?;
        self.dir(dir)?;
        let (synced, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|change| change.touches(dir));
        self.pending = pending;
        let synced: Vec<NameChange> = synced;
        for change in &synced {
            self.make_durable(change);
        }
        Ok(())
    }

    /// Bytes of the device in use.
    pub(crate) fn used(&self) -> u64 {
        self.used_below(ROOT)
    }

    /// Power loss: unsynced names are kept or lost, unsynced bytes too.
    pub(crate) fn lose_power(&mut self, rng: &mut dyn Rng) {
        let pending = std::mem::take(&mut self.pending);
        // A journal keeps a prefix; without one any subset may survive.
        let kept = if rng.below(2) == 0 { rng.below(pending.len() as u64 + 1) } else { u64::MAX };
        for (i, change) in pending.iter().enumerate() {
            if (kept == u64::MAX && rng.below(2) == 0) || (kept != u64::MAX && (i as u64) < kept) {
                self.make_durable(change);
            }
        }
        for node in self.nodes.values_mut() {
            match node {
                Node::File(content) => content.lose_power(rng),
                Node::Dir(names) => names.now = names.durable.clone(),
            }
        }
        self.forget_unreachable();
    }

    fn make_durable(&mut self, change: &NameChange) {
        for (dir, name, id) in &change.0 {
            let Some(Node::Dir(names)) = self.nodes.get_mut(dir) else { continue };
            match id {
                Some(id) => names.durable.insert(name.clone(), *id),
                None => names.durable.remove(name),
            };
        }
    }

    fn empty(&mut self, dir: Id) -> io::Result<()> {
        for (name, id) in self.dir(dir)?.now.clone() {
            if matches!(self.nodes.get(&id), Some(Node::Dir(_))) {
                self.empty(id)?;
            }
            self.change(NameChange(vec![(dir, name, None)]))?;
        }
        Ok(())
    }

    fn change(&mut self, change: NameChange) -> io::Result<()> {
        for (dir, name, id) in &change.0 {
            let Some(Node::Dir(names)) = self.nodes.get_mut(dir) else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            match id {
                Some(id) => names.now.insert(name.clone(), *id),
                None => names.now.remove(name),
            };
        }
        self.pending.push(change);
        Ok(())
    }

    fn add(&mut self, node: Node) -> Id {
        let id = self.next_id;
        self.next_id += 1;
        self.nodes.insert(id, node);
        id
    }

    fn dir(&self, id: Id) -> io::Result<&Names> {
        match self.nodes.get(&id) {
            Some(Node::Dir(names)) => Ok(names),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn parent(&self, path: &Path) -> io::Result<(Id, String)> {
        let name = names(path)?.pop().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let dir = match path.parent() {
            Some(parent) => self.find(parent)?,
            None => ROOT,
        };
        self.dir(dir)?;
        Ok((dir, name))
    }

    fn used_below(&self, id: Id) -> u64 {
        match self.nodes.get(&id) {
            Some(Node::File(content)) => content.footprint(),
            Some(Node::Dir(names)) => names.now.values().map(|id| self.used_below(*id)).sum(),
            None => 0,
        }
    }

    fn forget_unreachable(&mut self) {
        let mut reachable = vec![ROOT];
        let mut next = 0;
        while let Some(id) = reachable.get(next) {
            if let Some(Node::Dir(names)) = self.nodes.get(id) {
                reachable.extend(names.now.values());
            }
            next += 1;
        }
        self.nodes.retain(|id, _| reachable.contains(id));
    }
}

fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut out = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => out.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?),
            Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(out)
}
