//! Bits that flip: every one is noticed, and costs at most the frame or the row group it is in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::faulty::Faulty;
use super::{append, entry, walk};
use crate::entry::Entry;
use crate::query::{Direction, Query};
use crate::store::disk::Disk;
use crate::store::{Options, Store};

const DIR: &str = "/log";
const GROUP_ROWS: usize = 50;

fn open(disk: &Faulty) -> (Store, Vec<String>) {
    let options = Options {
        group_rows: GROUP_ROWS,
        ..Options::default()
    };
    let opened = Store::open_on(Arc::new(disk.clone()), Path::new(DIR), options);
    let (store, recovery) = opened.expect("damage never keeps a log from opening");
    let mut told = recovery.damage;
    // A frame that is damaged at the end of its log cannot be told from one that a crash tore.
    told.extend((0..recovery.torn).map(|_| "torn".to_owned()));
    (store, told)
}

/// 200 sealed entries in four row groups and 30 in three frames of a write-ahead log.
fn filled() -> (Faulty, Vec<Entry>) {
    let disk = Faulty::default();
    let (store, _) = open(&disk);
    let mut all = append(&store, (0..200).map(|n| entry(i64::from(n), n)).collect());
    store.seal();
    for batch in 0..3 {
        all.extend(append(
            &store,
            (0..10).map(|n| entry(1_000 + batch, n)).collect(),
        ));
    }
    store.close();
    (disk, all)
}

fn file(disk: &Faulty, extension: &str) -> PathBuf {
    let names = disk.list(Path::new(DIR)).expect("listed");
    let name = names.into_iter().find(|name| name.ends_with(extension));
    Path::new(DIR).join(name.expect("a file of that kind"))
}

/// Flips bits all over a file, one at a time; at most so many entries are missing, and the damage is told.
fn flip_all_over(extension: &str, most: usize) {
    let (disk, all) = filled();
    let path = file(&disk, extension);
    let bits = disk.bytes(&path).len() * 8;
    let mut dice = fastrand::Rng::with_seed(3);
    for _ in 0..600 {
        let bit = dice.usize(0..bits);
        let damaged = disk.copy();
        damaged.flip(&path, bit);
        let (store, mut told) = open(&damaged);
        told.extend(store.verify());
        assert!(
            !told.is_empty(),
            "bit {bit} of {bits} of {extension} was not noticed"
        );
        let found = walk(&store, &Query::default(), Direction::Newer, 1_000);
        let missing = all.iter().filter(|entry| !found.contains(entry)).count();
        assert!(
            missing <= most,
            "bit {bit} of {extension} cost {missing} entries: {told:?}"
        );
        assert!(
            found.iter().all(|entry| all.contains(entry)),
            "bit {bit} of {extension} made an entry up"
        );
        store.close();
    }
}

#[test]
fn a_flipped_bit_of_a_segment_costs_its_row_group() {
    flip_all_over(".parquet", GROUP_ROWS);
}

#[test]
fn a_flipped_bit_of_a_write_ahead_log_costs_its_frame() {
    flip_all_over(".wal", 10);
}

#[test]
fn a_log_without_damage_is_told_to_be_whole() {
    let (disk, all) = filled();
    let (store, told) = open(&disk);
    assert_eq!((told, store.verify()), (Vec::new(), Vec::new()));
    assert_eq!(
        walk(&store, &Query::default(), Direction::Newer, 1_000),
        all
    );
}
