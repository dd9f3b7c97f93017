//! Files that are replaced as a whole.

use ottla_env::{Disk, OpenOptions};

use super::*;
use crate::text_file;

const PATH: &str = "/data/file";

fn content(disk: &SimDisk) -> Vec<u8> {
    text_file::read(disk, Path::new(PATH), 1 << 20).unwrap().unwrap()
}

#[test]
fn what_is_replaced_is_all_old_or_all_new_after_power_loss() {
    // Longer than a page, so that it can be torn.
    let (old, new) = (vec![b'o'; 9000], vec![b'n'; 10_000]);
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/data")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        text_file::replace(&disk, Path::new(PATH), &old).unwrap();
        disk.crash_at(1 + seed % 6);
        let replaced = text_file::replace(&disk, Path::new(PATH), &new);
        disk.restart();
        let found = content(&disk);
        assert!(found == new || found == old && replaced.is_err(), "seed {seed}: {} bytes", found.len());
    }
}

#[test]
fn a_leftover_of_a_replacement_does_no_harm() {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/data")).unwrap();
    let leftover = disk.open(Path::new("/data/file.tmp"), OpenOptions::CREATE).unwrap();
    leftover.write_all_at(&[b'x'; 100], 0).unwrap();
    text_file::replace(&disk, Path::new(PATH), b"new").unwrap();
    assert_eq!(content(&disk), b"new");
}
