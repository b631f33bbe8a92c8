//! What makes the original give up costs only the blocks it touches.

use std::fs;

use super::*;
use crate::logdir::block::{SEPARATOR, escape, unescape};

/// The files of a fixture, to be damaged.
fn copy(folder: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    for file in fs::read_dir(fixture(folder).join("logs"))
        .expect("listed")
        .flatten()
    {
        let bytes = fs::read(file.path()).expect("read");
        fs::write(home.path().join(file.file_name()), bytes).expect("written");
    }
    home
}

/// Everything, in both directions, which must be mirrors; and what was passed over.
fn all(dir: &Path) -> (Vec<LogEntry>, Vec<Damage>) {
    let mut reader = LogReader::new(LogDirectorySource::new(dir).immutable(true));
    let forward = reader.range(0, FOREVER).expect("opened");
    let forward: Vec<LogEntry> = forward.collect::<Result<_, _>>().expect("read");
    let damage: Vec<Damage> = reader.damage().cloned().collect();
    let backward = reader.range_reversed(0, FOREVER).expect("opened");
    let mut backward: Vec<LogEntry> = backward.collect::<Result<_, _>>().expect("read");
    backward.reverse();
    assert_eq!(forward, backward);
    assert!(reader.damage().eq(&damage), "both directions meet the same");
    (forward, damage)
}

/// Where the blocks of a file end.
fn ends(bytes: &[u8]) -> Vec<usize> {
    memchr::memchr_iter(SEPARATOR, bytes)
        .map(|at| at + 1)
        .collect()
}

const FILE: &str = "01714521600000.log";

#[test]
fn a_damaged_block_costs_only_itself() {
    let (whole, none) = all(&fixture("all-types-uncompressed/logs"));
    assert_eq!(none, []);
    let bytes = fs::read(fixture("all-types-uncompressed/logs").join(FILE)).expect("read");
    let ends = ends(&bytes);
    // A block of one entry each; the hundredth is made another.
    let (start, end) = (ends[99], ends[100]);
    let lost: Vec<&[u8]> = vec![
        b"",
        b"\xF8\x09",
        b"\x07\x01\x8F\x31\x73\x72\x21\x00\x04\x03",
        b"\x24\x01\x8F\x31\x73\x72\x21\x00\x04\x03\x40half",
        b"\x28\x01\x8F\x31\x73\x72\x21\x00\x04more",
        b"\x87\x9C\x01\x02",
        b"\x87",
    ];
    let defects = [
        Defect::Empty,
        Defect::Escape(Some(9)),
        Defect::EventType(7),
        Defect::Short,
        Defect::Short,
        Defect::Zlib,
        Defect::Zlib,
    ];
    for (block, defect) in lost.into_iter().zip(defects) {
        let home = copy("all-types-uncompressed");
        let damaged = [&bytes[..start], block, &bytes[end - 1..]].concat();
        fs::write(home.path().join(FILE), damaged).expect("written");
        let (found, damage) = all(home.path());
        let mut expected = whole.clone();
        expected.remove(100);
        assert_eq!(found, expected, "{block:02X?}");
        let length = block.len() as u64 + 1;
        let offset = start as u64;
        let file = FILE.to_owned();
        assert_eq!(
            damage,
            [Damage {
                file,
                offset,
                length,
                defect
            }]
        );
    }
    let damage = Damage {
        file: FILE.to_owned(),
        offset: 7,
        length: 9,
        defect: Defect::Escape(None),
    };
    assert_eq!(
        damage.to_string(),
        "01714521600000.log: 9 bytes at 7 passed over: the escape byte F8 is followed by the end, expected 01, 02 or 03"
    );
}

#[test]
fn a_file_that_ends_inside_a_block_costs_only_that_block() {
    let (whole, _) = all(&fixture("rotated/logs"));
    let files = ["01714780800000.log", "01714781080991.log"];
    for (name, is_last) in files.into_iter().zip([false, true]) {
        let home = copy("rotated");
        let path = home.path().join(name);
        let bytes = fs::read(&path).expect("read");
        let last = bytes[..bytes.len() - 1]
            .iter()
            .rposition(|byte| *byte == SEPARATOR);
        let last = last.expect("several blocks") + 1;
        for cut in [1, 2, 5] {
            fs::write(&path, &bytes[..bytes.len() - cut]).expect("written");
            let (found, damage) = all(home.path());
            assert!(found.len() < whole.len() && found.len() > whole.len() - 60);
            assert!(found.iter().all(|entry| whole.contains(entry)));
            // Of the newest file the rest may still come.
            let expected = Damage {
                file: name.to_owned(),
                offset: last as u64,
                length: (bytes.len() - cut - last) as u64,
                defect: Defect::Torn,
            };
            assert_eq!(damage, if is_last { vec![] } else { vec![expected] });
            // Nothing of it is sent in bulk either, so that the next file's first block is not glued to it.
            let mut reader = LogReader::new(LogDirectorySource::new(home.path()));
            for older in [false, true] {
                let mut parsed = Vec::new();
                if older {
                    let pieces = reader.bulk_range_reversed(0, FOREVER).expect("opened");
                    for block in BulkParser::read_reversed(pieces) {
                        let block = block.expect("read");
                        parsed.extend(BulkParser::parse(&block).expect("whole").rev());
                    }
                    parsed.reverse();
                } else {
                    let pieces = reader.bulk_range(0, FOREVER).expect("opened");
                    for block in BulkParser::read(pieces) {
                        parsed.extend(BulkParser::parse(&block.expect("read")).expect("whole"));
                    }
                }
                assert_eq!(parsed, found);
            }
        }
    }
}

#[test]
fn a_run_that_was_cut_off_is_forgotten_however_it_ended() {
    let entry = b"\x28\x01\x8F\x31\x73\x70\x00\x00\x00".as_slice();
    let log = b"\x38\x01\x8F\x31\x73\x70\x03\x00\x01\x02[]".as_slice();
    for rest in [
        &b""[..],
        b"\x38\x01",
        b"\x38\xF8",
        b"\x38\xF8\x09",
        b"\x38\xF8\x01\xF8\xF8",
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let blocks = [
            b"\xF8\x03",
            entry,
            b"\xFA",
            log,
            b"\xFA",
            rest,
            b"\xF8\x03",
            entry,
            b"\xFA",
        ];
        fs::write(home.path().join(FILE), blocks.concat()).expect("written");
        let (found, damage) = all(home.path());
        assert_eq!((found.len(), damage.len()), (3, 0), "{rest:02X?}");
    }
}

#[test]
fn directories_of_release_3_are_read() {
    for folder in ["all-types", "all-types-uncompressed"] {
        let home = copy(folder);
        for file in fs::read_dir(home.path()).expect("listed").flatten() {
            // The same blocks as that release stored them: other escapes, and no markers.
            let bytes = fs::read(file.path()).expect("read");
            let mut old = Vec::new();
            for block in bytes.split_inclusive(|byte| *byte == SEPARATOR) {
                let stored = block.strip_suffix(&[SEPARATOR]).expect("whole blocks");
                for byte in unescape(stored).expect("whole").iter() {
                    match byte {
                        0xF8 => old.extend([0xF8, 0xF8]),
                        0xFA => old.extend([0xF8, 0xF9]),
                        byte => old.push(*byte),
                    }
                }
                old.push(SEPARATOR);
            }
            assert_ne!(old, bytes);
            fs::write(file.path(), old).expect("written");
        }
        let logs = fixture(folder).join("logs");
        let (whole, _) = all(&logs);
        assert_eq!(all(home.path()), (whole.clone(), vec![]));
        let middle = i64::try_from(whole[120].timestamp).expect("48 bits");
        assert_eq!(
            range(home.path(), middle, middle + 500),
            range(&logs, middle, middle + 500)
        );
    }
}

#[test]
fn files_come_and_go() {
    // None at all, and some that are none.
    let home = tempfile::tempdir().expect("a directory");
    assert_eq!(all(home.path()), (vec![], vec![]));
    fs::create_dir(home.path().join("01714521600000.log")).expect("made");
    fs::write(home.path().join("notes.txt"), "x").expect("written");
    assert_eq!(all(home.path()), (vec![], vec![]));

    let (whole, _) = all(&fixture("rotated/logs"));
    let home = copy("rotated");
    // Empty ones in the middle and at the end.
    fs::write(home.path().join("01714781045001.log"), "").expect("written");
    fs::write(home.path().join("01714781080999.log"), "").expect("written");
    assert_eq!(all(home.path()), (whole.clone(), vec![]));
    assert_eq!(range(home.path(), 0, FOREVER), whole);
    // One in the middle is gone: the rest is joined.
    fs::remove_file(home.path().join("01714781055000.log")).expect("removed");
    let (found, damage) = all(home.path());
    assert!(found.len() < whole.len() && damage.is_empty());
    assert!(found.iter().all(|entry| whole.contains(entry)));
}

#[test]
fn a_file_deleted_while_it_is_read_is_read_on_unless_files_are_opened_late() {
    let (whole, _) = all(&fixture("rotated/logs"));
    let home = copy("rotated");
    let mut reader = reader(home.path());
    let mut range = reader.range(0, FOREVER).expect("opened");
    let first = range.next().expect("one").expect("read");
    let mut lazy = LogReader::new(LogDirectorySource::new(home.path()).lazy(true));
    let mut late = lazy.range(0, FOREVER).expect("opened");
    assert_eq!(late.next().expect("one").expect("read"), first);
    for file in fs::read_dir(home.path()).expect("listed").flatten() {
        fs::remove_file(file.path()).expect("removed");
    }
    let rest: Vec<LogEntry> = range.collect::<Result<_, _>>().expect("read");
    assert_eq!(rest, whole[1..]);
    let error = late.find_map(Result::err).expect("a file is missed");
    assert!(
        error.to_string().starts_with("cannot read 0171478"),
        "{error}"
    );
    assert!(late.next().is_none(), "an error ends it");
}

#[test]
fn pages_that_were_read_need_no_file() {
    let home = copy("rotated");
    let mut paged = Paged::new(LogDirectorySource::new(home.path()).lazy(true));
    paged.setup().expect("opened");
    let size = paged.size().expect("a size");
    assert_eq!(size, 67_046);
    let before = paged.read(0, 20_480).expect("read");
    fs::remove_dir_all(home.path()).expect("removed");
    assert_eq!(paged.read(0, 20_480).expect("kept"), before);
    assert!(paged.read(40_960, 10).is_err());
    fs::create_dir(home.path()).expect("made again, to be removed");
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let home = copy("rotated");
    let mut reader = LogReader::new(LogDirectorySource::new(home.path()).cache_size(0));
    let mut range = reader.range(0, FOREVER).expect("opened");
    range.next().expect("one").expect("read");
    fs::write(home.path().join("01714781070991.log"), "").expect("cut");
    let error = range.find_map(Result::err).expect("bytes are missed");
    assert_eq!(
        error.to_string(),
        "01714781070991.log has shrunk: expected 17264 bytes at least, found 0"
    );
}

/// The times that one process wrote.
pub fn stepping(times: &[u64]) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(0);
    let options = LoggerOptions {
        output_delay: Duration::ZERO,
        ..by_hand(&hand)
    };
    let file = home.path().join(log_name(0));
    let master = MasterLogger::new(Some(&file), options).expect("opened");
    master.starting_up().expect("written");
    for time in times {
        hand.add(time.wrapping_sub(hand.now()));
        master.log(LogLevel::Info, &"tick").expect("written");
    }
    home
}

#[test]
fn after_a_clock_stepped_back_an_exhaustive_reader_finds_everything() {
    let home = stepping(&[10, 20, 30, 5, 6, 7, 40, 50]);
    // What is proved by rising times cannot be found by them; the order is the stored one.
    assert_eq!(range(home.path(), 5, 7), []);
    let mut reader = reader(home.path()).exhaustive(true);
    let times = |entries: Vec<Result<LogEntry, Error>>| -> Vec<u64> {
        let entries = entries.into_iter();
        entries
            .map(|entry| entry.expect("read").timestamp)
            .collect()
    };
    let forward = reader.range(5, 7).expect("opened").collect();
    assert_eq!(times(forward), [5, 6, 7]);
    let backward = reader.range_reversed(5, 30).expect("opened").collect();
    assert_eq!(times(backward), [7, 6, 5, 30, 20, 10]);
    let stat = Stat::of(LogDirectorySource::new(home.path())).expect("read");
    assert_eq!(stat.clock_step, 25);
    let mut enough = super::reader(home.path()).clock_slack(Duration::from_millis(stat.clock_step));
    let found = enough.range(5, 7).expect("opened").collect();
    assert_eq!(times(found), [5, 6, 7]);
    let everything = reader.range(0, FOREVER).expect("opened").collect();
    assert_eq!(times(everything), [0, 10, 20, 30, 5, 6, 7, 40, 50]);
}

#[test]
fn blocks_larger_than_pages_and_chunks_are_read() {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(1000);
    let options = LoggerOptions {
        compression: false,
        ..by_hand(&hand)
    };
    let master = MasterLogger::new(Some(&home.path().join(log_name(1000))), options);
    let master = master.expect("opened");
    master.starting_up().expect("written");
    for size in [10, 200_000, 5, 33_000, 5_000_000, 1] {
        hand.add(1);
        master
            .log(LogLevel::Info, &"x".repeat(size))
            .expect("taken");
        master.flush().expect("written");
    }
    let sizes = |entries: &[LogEntry]| -> Vec<usize> {
        let data = entries.iter().filter_map(LogEntry::data);
        data.map(|data| data.len() - 2).collect()
    };
    let (found, damage) = all(home.path());
    assert_eq!(sizes(&found), [10, 200_000, 5, 33_000, 5_000_000, 1]);
    assert_eq!(damage, []);
    for (at, size) in [(1001, 10), (1002, 200_000), (1005, 5_000_000), (1006, 1)] {
        assert_eq!(sizes(&range(home.path(), at, at)), [size]);
        assert_eq!(sizes(&reversed(home.path(), at, at)), [size]);
    }
}

#[test]
fn a_block_beyond_the_bound_is_passed_over_without_being_held() {
    let home = tempfile::tempdir().expect("a directory");
    let small = escape(b"\x28\x01\x8F\x31\x73\x70\x00\x00\x00");
    let huge = vec![0x38; MAX_BLOCK_BYTES + 1];
    let bytes = [&small[..], b"\xFA", &huge, b"\xFA", &small, b"\xFA"].concat();
    fs::write(home.path().join(FILE), bytes).expect("written");
    let (found, damage) = all(home.path());
    assert_eq!(found.len(), 2);
    assert_eq!(damage.len(), 1);
    assert_eq!(damage[0].defect, Defect::TooLarge);
}
