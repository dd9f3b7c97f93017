use ottla_types::Offset;

use super::*;

#[test]
fn what_is_appended_is_read() {
    let (_disk, _dir, mut log) = new_log(small());
    let info = append(&mut log, batch(&["a", "b"])).unwrap();
    assert_eq!((info.base_offset, info.last_offset, info.records), (Offset(0), Offset(1), 2));
    append(&mut log, batch(&["c"])).unwrap();
    assert_eq!(values(&mut log, 1), [(1, "b".into()), (2, "c".into())]);
    assert_eq!(log.log_end_offset(), Offset(3));
}

#[test]
fn a_log_of_many_segments_is_read_and_comes_back() {
    let (disk, dir, mut log) = new_log(small());
    let mut expected = Vec::new();
    for i in 0..500 {
        let value = format!("value {i}");
        append(&mut log, batch(&[&value])).unwrap();
        expected.push((i64::from(i), value));
    }
    assert!(log.segments().count() > 5);
    assert_eq!(values(&mut log, 0), expected);
    assert_eq!(log.flush().unwrap(), Offset(500));
    drop((log, dir));
    disk.crash();
    let (dir, report) = open_dir(&disk);
    assert_eq!(report.partitions.len(), 1);
    assert_eq!(report.partitions[0].damaged, None);
    let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
    assert_eq!(values(&mut log, 0), expected);
    append(&mut log, batch(&["more"])).unwrap();
    assert_eq!(values(&mut log, 499), [expected[499].clone(), (500, "more".into())]);
}
