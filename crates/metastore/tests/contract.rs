//! What every `MetaStore` promises, checked on each implementation.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use ottla_metastore::{
    KeyRange, MAX_KEY_BYTES, MAX_VALUE_BYTES, MemMetaStore, MetaBatch, MetaStore, MetaStoreError,
    SledMetaStore, Tree,
};

const A: Tree = Tree("a");
const B: Tree = Tree("b");

/// Runs one fact on each implementation, every time on an empty store.
macro_rules! contract {
    ($($fact:ident),* $(,)?) => {
        mod mem {
            $(#[test] fn $fact() { super::$fact(&super::MemMetaStore::default()); })*
        }
        mod sled {
            $(#[test] fn $fact() {
                let dir = tempfile::tempdir().unwrap();
                let opened = super::SledMetaStore::open(dir.path().join("store")).unwrap();
                assert_eq!(opened.moved_aside, None);
                super::$fact(&opened.store);
            })*
        }
    };
}

contract!(
    a_missing_key_is_none,
    the_last_change_of_a_key_counts,
    trees_are_apart,
    scans_are_ordered_and_bounded,
    prefixes_end_where_they_should,
    empty_and_inverted_ranges_yield_nothing,
    oversized_batches_change_nothing,
    the_largest_sizes_fit,
    an_empty_batch_and_an_empty_value_are_fine,
    scans_survive_changes_made_meanwhile,
);

fn keys(store: &dyn MetaStore, tree: Tree, range: KeyRange) -> Vec<Vec<u8>> {
    store.scan(tree, range).unwrap().map(|item| item.unwrap().0.to_vec()).collect()
}

fn a_missing_key_is_none(store: &dyn MetaStore) {
    assert_eq!(store.get(A, b"x").unwrap(), None);
    store.apply(MetaBatch::new(A).delete(&b"x"[..])).unwrap();
    assert_eq!(store.get(A, b"x").unwrap(), None);
}

fn the_last_change_of_a_key_counts(store: &dyn MetaStore) {
    store
        .apply(MetaBatch::new(A).put(&b"k"[..], &b"1"[..]).delete(&b"k"[..]).put(&b"k"[..], &b"2"[..]))
        .unwrap();
    assert_eq!(store.get(A, b"k").unwrap().unwrap(), &b"2"[..]);
    store.apply(MetaBatch::new(A).put(&b"k"[..], &b"3"[..]).delete(&b"k"[..])).unwrap();
    assert_eq!(store.get(A, b"k").unwrap(), None);
    store.sync().unwrap();
}

fn trees_are_apart(store: &dyn MetaStore) {
    store.apply(MetaBatch::new(A).put(&b"k"[..], &b"a"[..])).unwrap();
    store.apply(MetaBatch::new(B).put(&b"k"[..], &b"b"[..])).unwrap();
    store.apply(MetaBatch::new(A).delete(&b"k"[..])).unwrap();
    assert_eq!(store.get(A, b"k").unwrap(), None);
    assert_eq!(store.get(B, b"k").unwrap().unwrap(), &b"b"[..]);
}

fn scans_are_ordered_and_bounded(store: &dyn MetaStore) {
    let mut batch = MetaBatch::new(A);
    for i in (0..300u32).rev() {
        batch = batch.put(i.to_be_bytes().to_vec(), vec![7; 100]);
    }
    store.apply(batch).unwrap();
    let all = keys(store, A, KeyRange::all());
    assert_eq!(all.len(), 300);
    assert!(all.is_sorted());
    let some = keys(store, A, KeyRange::between(255u32.to_be_bytes(), 257u32.to_be_bytes()));
    assert_eq!(some, [255u32.to_be_bytes(), 256u32.to_be_bytes()]);
}

fn prefixes_end_where_they_should(store: &dyn MetaStore) {
    let all: [&[u8]; 6] = [b"a", b"a\xff", b"a\xff\xff", b"b", b"\xff", b"\xff\xffz"];
    for key in all {
        store.apply(MetaBatch::new(A).put(key.to_vec(), &b""[..])).unwrap();
    }
    assert_eq!(keys(store, A, KeyRange::prefix(&b"a"[..])), all[..3]);
    assert_eq!(keys(store, A, KeyRange::prefix(&b"a\xff"[..])), all[1..3]);
    assert_eq!(keys(store, A, KeyRange::prefix(&b"\xff"[..])), all[4..]);
    assert_eq!(keys(store, A, KeyRange::prefix(&b""[..])), all);
}

fn empty_and_inverted_ranges_yield_nothing(store: &dyn MetaStore) {
    store.apply(MetaBatch::new(A).put(&b"k"[..], &b"v"[..])).unwrap();
    assert!(keys(store, A, KeyRange::between(&b"k"[..], &b"k"[..])).is_empty());
    assert!(keys(store, A, KeyRange::between(&b"z"[..], &b"a"[..])).is_empty());
    assert!(keys(store, B, KeyRange::all()).is_empty());
}

fn oversized_batches_change_nothing(store: &dyn MetaStore) {
    let value = MetaBatch::new(A).put(&b"good"[..], &b"v"[..]).put(&b"bad"[..], vec![0; MAX_VALUE_BYTES + 1]);
    assert!(matches!(store.apply(value), Err(MetaStoreError::ValueTooLarge { tree: "a", size: 4097 })));
    let key = MetaBatch::new(A).put(&b"good"[..], &b"v"[..]).delete(vec![0; MAX_KEY_BYTES + 1]);
    assert!(matches!(store.apply(key), Err(MetaStoreError::KeyTooLong { tree: "a", size: 513 })));
    assert_eq!(store.get(A, b"good").unwrap(), None);
}

fn the_largest_sizes_fit(store: &dyn MetaStore) {
    for i in 0..500u16 {
        let mut key = vec![0xab; MAX_KEY_BYTES];
        key[..2].copy_from_slice(&i.to_be_bytes());
        store.apply(MetaBatch::new(A).put(key, vec![0xcd; MAX_VALUE_BYTES])).unwrap();
    }
    store.sync().unwrap();
    let found: Vec<_> = store.scan(A, KeyRange::all()).unwrap().map(Result::unwrap).collect();
    assert_eq!(found.len(), 500);
    assert!(found.iter().all(|(key, value)| key.len() == MAX_KEY_BYTES && value.len() == MAX_VALUE_BYTES));
}

fn an_empty_batch_and_an_empty_value_are_fine(store: &dyn MetaStore) {
    let batch = MetaBatch::new(A);
    assert!(batch.is_empty());
    store.apply(batch).unwrap();
    store.apply(MetaBatch::new(A).put(&b"k"[..], &b""[..])).unwrap();
    assert_eq!(store.get(A, b"k").unwrap().unwrap().len(), 0);
}

fn scans_survive_changes_made_meanwhile(store: &dyn MetaStore) {
    for i in 0..100u8 {
        store.apply(MetaBatch::new(A).put(vec![i], &b"v"[..])).unwrap();
    }
    let mut scan = store.scan(A, KeyRange::all()).unwrap();
    assert_eq!(scan.next().unwrap().unwrap().0, &[0][..]);
    store.apply(MetaBatch::new(A).delete(vec![50]).put(vec![200], &b"new"[..])).unwrap();
    let rest: Vec<_> = scan.map(|item| item.unwrap().0[0]).collect();
    assert!(rest.is_sorted() && rest.len() >= 98, "{rest:?}");
}
