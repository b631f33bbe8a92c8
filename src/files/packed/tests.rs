//! What was packed comes back, from any place, whole or in part.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::blocks::{BLOCK, Blocks, MAX_MEMBERS};
use super::*;

/// Longer than any of this takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// 10,000 times `LINE`, as `xz -9` packs it.
const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x1c\x00\x00\
\x00\x10\xcf\x58\xcc\xe4\xe1\xff\x00\x92\x5d\x00\x30\x88\x09\x86\xd4\x1f\x45\xb8\x2d\xe8\x4e\x07\
\x9c\x07\xb9\x1a\x98\x1b\xd2\x22\x74\x4c\xd5\xc4\x21\x4f\x66\xfa\xb0\x24\x0b\xf6\xe6\xda\x09\x04\
\x1e\x0c\x0d\x0d\x0f\x3d\xde\x4a\x14\x95\xc8\x23\x74\x3b\x2f\x6a\x33\x32\x51\xd4\xa4\xa6\xa1\x1d\
\x53\x14\x0a\x5d\xc0\x5b\x4d\x62\x01\xe4\xcd\x2f\xe1\x0d\xdd\xf6\x13\xcb\xcb\xf4\x7d\xd7\x6d\x8f\
\x69\xd8\x16\x3d\x4d\x20\xca\x5d\xe4\xc5\x5c\x9b\x7d\xba\x4d\xe2\x89\x22\x76\x20\x9c\xfe\xfa\x17\
\x47\xf4\x15\x26\xd6\xd0\x85\x02\x67\x70\x90\x2d\xfa\xfb\xc8\x4f\xe8\x13\x3d\xb7\xe3\x80\xba\x23\
\xa8\xf8\x06\x8b\xd9\xf5\x7f\xd6\x0d\x14\x5e\x2f\x82\x00\x00\x00\x00\x6d\x7c\x1f\x33\x26\x60\x9d\
\xc1\x00\x01\xae\x01\x80\xc4\x13\x00\xc6\x44\x33\xc7\xb1\xc4\x67\xfb\x02\x00\x00\x00\x00\x04\x59\
\x5a";
const LINE: &[u8] = b"a line that is in the log again\n";

type Pack = fn(&[u8]) -> Vec<u8>;
/// Every packing that can be made here.
const PACKS: [(Packing, Pack); 4] = [
    (Packing::Gzip, gzip),
    (Packing::Zstd, zstd_frame),
    (Packing::Bzip2, bzip2_stream),
    (Packing::Lz4, lz4_frame),
];

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).expect("packed");
    encoder.finish().expect("packed")
}

fn zstd_frame(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).expect("packed")
}

fn bzip2_stream(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).expect("packed");
    encoder.finish().expect("packed")
}

fn lz4_frame(content: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    // The first write decides how large the frame's blocks are: small ones.
    for part in content.chunks(1_000) {
        encoder.write_all(part).expect("packed");
    }
    encoder.finish().expect("packed")
}

/// An archive of files, and of directories where a name ends so.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(if path.ends_with('/') {
            tar::EntryType::Directory
        } else {
            tar::EntryType::Regular
        });
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        // As it is: the library would leave out what a path does not need.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).expect("packed");
    }
    builder.into_inner().expect("packed")
}

/// Lines that compress somewhat.
fn lines(bytes: usize) -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(bytes as u64);
    let mut text = String::new();
    while text.len() < bytes {
        let (request, took) = (dice.u64(..), dice.u16(..));
        text.push_str(&format!(
            "2026-03-14 09:00:00 INFO request {request:x} took {took} us\n"
        ));
    }
    text.truncate(bytes);
    text.into_bytes()
}

/// Opens bytes as a file of the name.
fn open(name: &str, bytes: &[u8]) -> (TempDir, Packed) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    let packing = packing(bytes).expect("a packing that is known");
    let packed = Packed::open(&path, packing, Some(dir.path())).expect("opened");
    (dir, packed)
}

/// All logs in bytes, once they are unpacked.
fn unpack(bytes: &[u8]) -> (Packed, Vec<Unpacked>) {
    let (_dir, packed) = open("a", bytes);
    assert!(packed.wait(usize::MAX, PATIENCE) && packed.is_whole());
    let members = packed.members();
    (packed, members)
}

/// A log's content.
fn content(log: &Unpacked) -> Vec<u8> {
    let length = usize::try_from(log.len()).expect("in memory");
    let mut content = vec![0; length + 1];
    let count = log.read_at(&mut content, 0).expect("read");
    assert_eq!(count, length, "all that is there, and no more");
    content.truncate(count);
    content
}

fn names(members: &[Unpacked]) -> Vec<&str> {
    members.iter().map(Unpacked::name).collect()
}

#[test]
fn a_name_that_would_fill_the_memory_ends_an_archive() {
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let mut archive = tar(&[("a.log", LINE)]);
        archive.truncate(1024);
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(64 << 20);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.resize(archive.len() + (64 << 20), b'a');
        let (whole, members) = unpack(&gzip(&archive));
        assert_eq!(names(&members), ["a.log"]);
        assert_eq!(content(&members[0]), LINE);
        let failure = whole.failure().expect("refused").to_string();
        assert!(failure.contains("longer than any name"), "{failure}");
    }
}

/// Where a failure says the packed bytes are damaged, and of how many.
fn damage(failure: Option<&Failure>) -> Option<(u64, u64)> {
    match failure {
        Some(Failure::Damaged { at, of, .. }) => Some((*at, *of)),
        _ => None,
    }
}

#[test]
fn every_packing_gives_the_content_of_all_its_parts() {
    // The second part is of another size, and neither ends with a block.
    let parts = [lines(3 * BLOCK + 1_234), lines(4_321)];
    for (packing, pack) in PACKS {
        let packed: Vec<u8> = parts.iter().flat_map(|part| pack(part)).collect();
        assert_eq!(super::packing(&packed), Some(packing));
        let (whole, members) = unpack(&packed);
        assert_eq!(members.len(), 1);
        assert!(content(&members[0]) == parts.concat(), "{packing:?}");
        assert_eq!(whole.failure(), None, "{packing:?}");
        let bytes = packed.len() as u64;
        assert_eq!(members[0].progress(), (bytes, bytes));
    }
}

#[test]
fn xz_streams_are_read_as_xz_writes_them() {
    let (whole, members) = unpack(&[XZ, XZ].concat());
    assert_eq!(whole.failure(), None);
    assert!(content(&members[0]) == LINE.repeat(20_000));
}

#[test]
fn a_log_has_the_name_of_its_file_without_the_ending() {
    let (_dir, packed) = open("app.log.gz", &gzip(b"x\n"));
    assert!(packed.wait(1, PATIENCE));
    assert_eq!(names(&packed.members()), ["app.log"]);
}

#[test]
fn any_place_is_read_however_often_blocks_are_forgotten() {
    let text = lines(24 * BLOCK + 77);
    let (_packed, members) = unpack(&zstd_frame(&text));
    let log = &members[0];
    let config = ProptestConfig::with_cases(200);
    proptest!(config, |(offset in 0..text.len() + 100, size in 0..3 * BLOCK)| {
        let mut buffer = vec![0; size];
        let count = log.read_at(&mut buffer, offset as u64).expect("read");
        let start = offset.min(text.len());
        let wanted = &text[start..text.len().min(start + size)];
        prop_assert!(buffer[..count] == *wanted);
    });
    let mut buffer = [0; 10];
    assert_eq!(log.read_at(&mut buffer, u64::MAX).expect("read"), 0);
}

#[test]
fn what_is_cut_off_gives_what_stands_before_and_where_it_ends() {
    let text = lines(3 * BLOCK);
    for (packing, pack) in PACKS {
        let packed = pack(&text);
        let cut = packed.len() * 2 / 3;
        let (whole, members) = unpack(&packed[..cut]);
        let prefix = content(&members[0]);
        assert!(
            !prefix.is_empty() && text.starts_with(&prefix),
            "{packing:?}"
        );
        let failure = members[0].failure().expect("cut off");
        assert_eq!(whole.failure(), Some(failure.clone()));
        assert_eq!(damage(Some(&failure)), Some((cut as u64, cut as u64)));
        let told = failure.to_string();
        let name = packing.name();
        let wanted =
            format!("expected the rest of the {name} data, found its end at byte {cut} of");
        assert!(told.contains(&wanted), "{told}");
    }
    let (whole, members) = unpack(&XZ[..150]);
    assert!(LINE.repeat(10_000).starts_with(&content(&members[0])));
    assert_eq!(damage(whole.failure().as_deref()), Some((150, 150)));
}

#[test]
fn what_follows_and_is_not_packed_is_a_failure_after_the_content() {
    let text = lines(BLOCK);
    let packed = gzip(&text);
    let (whole, members) = unpack(&[&packed[..], &[b'?'; 100]].concat());
    assert!(content(&members[0]) == text);
    let (at, of) = damage(whole.failure().as_deref()).expect("damaged");
    let end = packed.len() as u64;
    assert!((end..end + 100).contains(&at), "{at}");
    assert_eq!(of, end + 100);
}

#[test]
fn no_content_is_a_log_without_content() {
    for (packing, pack) in PACKS {
        let (whole, members) = unpack(&pack(b""));
        assert_eq!(members.len(), 1, "{packing:?}");
        assert!(content(&members[0]).is_empty() && members[0].is_whole());
        assert_eq!(whole.failure(), None, "{packing:?}");
    }
}

#[test]
fn each_file_in_an_archive_is_a_log() {
    let (long, old) = (lines(2 * BLOCK + 5), lines(1_000));
    let archive = tar(&[
        ("./var/log/", b""),
        ("./var/log/app.log", &long),
        ("var/log/empty.log", b""),
        ("var/log/app.log.1.gz", &gzip(&old)),
        ("var/log/last.log", b"last\n"),
    ]);
    for packed in [archive.clone(), gzip(&archive), bzip2_stream(&archive)] {
        let (whole, members) = unpack(&packed);
        assert_eq!(whole.failure(), None);
        assert_eq!(
            names(&members),
            [
                "var/log/app.log",
                "var/log/empty.log",
                "var/log/app.log.1.gz",
                "var/log/last.log"
            ]
        );
        let contents: Vec<_> = members.iter().map(content).collect();
        let wanted: [&[u8]; 4] = [&long, b"", &old, b"last\n"];
        assert!(contents == wanted);
    }
}

#[test]
fn an_archive_that_is_cut_off_fails_in_the_file_that_is() {
    let (first, second) = (lines(1_000), lines(2 * BLOCK));
    let archive = tar(&[("first.log", &first), ("second.log", &second)]);
    let cut = archive.len() / 2;
    for packed in [archive[..cut].to_vec(), gzip(&archive[..cut])] {
        let (whole, members) = unpack(&packed);
        assert_eq!(names(&members), ["first.log", "second.log"]);
        assert!(content(&members[0]) == first && members[0].failure().is_none());
        let prefix = content(&members[1]);
        assert!(!prefix.is_empty() && second.starts_with(&prefix));
        let bytes = packed.len() as u64;
        assert!(members[1].failure().is_some());
        assert_eq!(damage(whole.failure().as_deref()), Some((bytes, bytes)));
    }
}

#[test]
fn damage_within_a_file_of_an_archive_is_of_that_file() {
    let packed = gzip(&lines(BLOCK));
    let cut = &packed[..packed.len() / 2];
    let (whole, members) = unpack(&tar(&[("a.gz", cut), ("b.log", b"fine\n")]));
    let told = members[0].failure().expect("cut off").to_string();
    assert!(told.contains("the rest of the gzip data of a.gz"), "{told}");
    assert_eq!(content(&members[1]), b"fine\n");
    assert_eq!((members[1].failure(), whole.failure()), (None, None));
}

#[test]
fn files_beyond_the_bound_are_told() {
    let names: Vec<_> = (0..=MAX_MEMBERS).map(|n| n.to_string()).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], &b""[..])).collect();
    let (whole, members) = unpack(&gzip(&tar(&files)));
    assert_eq!(members.len(), MAX_MEMBERS);
    let failure = whole.failure().expect("too many");
    assert!(matches!(*failure, Failure::TooMany { .. }));
    assert!(members.iter().all(|member| member.failure().is_none()));
}

/// A stream of what is sent, which waits for more.
struct Sent(Receiver<Vec<u8>>, Vec<u8>);

impl Read for Sent {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            // Once nobody sends any more, there is nothing: the end.
            self.1 = self.0.recv().unwrap_or_default();
        }
        let count = self.1.len().min(buffer.len());
        for (place, byte) in buffer.iter_mut().zip(self.1.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }
}

fn temporary() -> Blocks {
    let file = tempfile::tempfile().expect("a file");
    Blocks::new(file, "a".to_owned(), 0, "/tmp".to_owned())
}

#[test]
fn what_is_unpacked_is_read_while_more_comes() {
    let parts = [lines(BLOCK + 1_000), lines(2_000)];
    let (sender, receiver) = channel();
    let source = Sent(receiver, Vec::new());
    let packed = Packed::begin(source, Packing::Gzip, "a", temporary()).expect("begun");
    sender.send(gzip(&parts[0])).expect("taken");
    assert!(packed.wait(1, PATIENCE));
    let log = packed.members().remove(0);
    assert!(log.wait(BLOCK as u64, PATIENCE));
    assert!(content(&log) == parts[0][..BLOCK] && !log.is_whole());
    assert!(!log.wait(u64::MAX, Duration::ZERO), "not in no time");
    sender.send(gzip(&parts[1])).expect("taken");
    drop(sender);
    assert!(log.wait(u64::MAX, PATIENCE) && log.is_whole());
    assert!(content(&log) == parts.concat());
    assert_eq!(log.failure(), None);
}

/// The same bytes over and over.
struct Endless {
    bytes: Vec<u8>,
    at: usize,
    _alive: Sender<()>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (self.bytes.len() - self.at).min(buffer.len());
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at = (self.at + count) % self.bytes.len();
        Ok(count)
    }
}

#[test]
fn the_thread_stops_when_nobody_holds_it() {
    for part in [gzip(&lines(BLOCK)), gzip(b"")] {
        let (sender, receiver) = channel();
        let source = Endless {
            bytes: part,
            at: 0,
            _alive: sender,
        };
        let packed = Packed::begin(source, Packing::Gzip, "a", temporary()).expect("begun");
        // Without content, nothing is known yet: it stops at its next read.
        packed.wait(1, Duration::from_millis(20));
        let held = (packed.clone(), packed.members());
        drop(packed);
        let alive = receiver.recv_timeout(Duration::ZERO);
        assert_eq!(alive, Err(RecvTimeoutError::Timeout));
        drop(held);
        let alive = receiver.recv_timeout(PATIENCE);
        assert_eq!(alive, Err(RecvTimeoutError::Disconnected));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    let full = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/full");
    let blocks = Blocks::new(
        full.expect("opened"),
        "a".to_owned(),
        0,
        "/spool".to_owned(),
    );
    let source = io::Cursor::new(gzip(&lines(2 * BLOCK)));
    let packed = Packed::begin(source, Packing::Gzip, "a", blocks).expect("begun");
    assert!(packed.wait(usize::MAX, PATIENCE));
    let failure = packed.failure().expect("full");
    assert!(matches!(*failure, Failure::NoRoom { .. }));
    let told = failure.to_string();
    assert!(told.contains("/spool: No space left on device"), "{told}");
    let members = packed.members();
    assert_eq!(members[0].failure(), Some(failure));
    assert!(content(&members[0]).is_empty());
}

/// Some bytes, then what a broken disk says.
struct Broken(io::Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is broken")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_on_is_told() {
    let text = lines(2 * BLOCK);
    let packed = gzip(&text);
    let source = Broken(io::Cursor::new(packed[..packed.len() / 2].to_vec()));
    let packed = Packed::begin(source, Packing::Gzip, "a", temporary()).expect("begun");
    assert!(packed.wait(usize::MAX, PATIENCE));
    let failure = packed.failure().expect("broken");
    assert!(matches!(*failure, Failure::Unreadable { .. }));
    assert!(failure.to_string().contains("the disk is broken"));
    let prefix = content(&packed.members()[0]);
    assert!(!prefix.is_empty() && text.starts_with(&prefix));
}

#[test]
fn a_file_that_is_not_there_is_refused_at_once() {
    let opened = Packed::open(Path::new("/nowhere/a.gz"), Packing::Gzip, None);
    assert_eq!(
        opened.map_err(|error| error.kind()).err(),
        Some(io::ErrorKind::NotFound)
    );
}
