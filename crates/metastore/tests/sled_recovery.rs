//! What the sled adapter adds: reopening, and surviving a folder that sled cannot open.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use ottla_metastore::{KeyRange, MAX_KEY_BYTES, MAX_VALUE_BYTES, MetaBatch, MetaStore, SledMetaStore, Tree};

const T: Tree = Tree("t");

fn fill(path: &Path) {
    let opened = SledMetaStore::open(path).unwrap();
    for i in 0..1000u32 {
        opened.store.apply(MetaBatch::new(T).put(i.to_be_bytes().to_vec(), vec![1; 64])).unwrap();
    }
    opened.store.sync().unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn synced_state_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    fill(&path);
    let opened = SledMetaStore::open(&path).unwrap();
    assert_eq!(opened.moved_aside, None);
    assert_eq!(opened.store.scan(T, KeyRange::all()).unwrap().count(), 1000);
}

#[test]
fn synced_state_is_there_in_a_copy_taken_while_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let opened = SledMetaStore::open(&path).unwrap();
    opened.store.apply(MetaBatch::new(T).put(&b"k"[..], &b"v"[..])).unwrap();
    opened.store.sync().unwrap();
    let killed = dir.path().join("copy");
    copy(&path, &killed);
    let again = SledMetaStore::open(&killed).unwrap();
    assert_eq!(again.moved_aside, None);
    assert_eq!(again.store.get(T, b"k").unwrap().unwrap(), &b"v"[..]);
}

#[test]
fn a_damaged_folder_is_moved_aside_and_starts_empty() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    fill(&path);
    fs::write(path.join("conf"), b"no such thing").unwrap();

    let opened = SledMetaStore::open(&path).unwrap();
    let aside = opened.moved_aside.unwrap();
    assert!(aside.join("db").exists());
    assert_eq!(opened.store.scan(T, KeyRange::all()).unwrap().count(), 0);
    drop(opened.store);

    // The second time replaces the first copy.
    fs::write(path.join("conf"), b"no such thing either").unwrap();
    assert_eq!(SledMetaStore::open(&path).unwrap().moved_aside.unwrap(), aside);
}

#[test]
fn a_file_in_place_of_the_folder_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    fs::write(&path, b"a file").unwrap();
    let opened = SledMetaStore::open(&path).unwrap();
    assert!(opened.moved_aside.is_some());
}

#[test]
fn nothing_lands_in_the_files_that_are_never_synced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledMetaStore::open(&path).unwrap().store;
    // Large keys and values, in order, in reverse, and rewritten, so that nodes grow before they split.
    for round in 0..3u8 {
        for i in 0..400u16 {
            let i = if round == 1 { 399 - i } else { i };
            let mut key = vec![0xab; MAX_KEY_BYTES];
            key[..2].copy_from_slice(&i.to_be_bytes());
            store.apply(MetaBatch::new(T).put(key, vec![round; MAX_VALUE_BYTES])).unwrap();
        }
        store.sync().unwrap();
        assert_eq!(fs::read_dir(path.join("blobs")).unwrap().count(), 0, "round {round}");
    }
    let mut large = MetaBatch::new(T);
    for i in 0..200u16 {
        large = large.put(i.to_be_bytes().to_vec(), vec![9; MAX_VALUE_BYTES]);
    }
    store.apply(large).unwrap();
    store.sync().unwrap();
    assert_eq!(fs::read_dir(path.join("blobs")).unwrap().count(), 0, "one batch");
}
