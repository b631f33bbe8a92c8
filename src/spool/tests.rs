//! A spool that is filled, torn, damaged and emptied.

use super::*;

fn texts(stretch: &Stretch) -> Vec<(u64, String)> {
    let text = |(at, bytes): &(u64, Vec<u8>)| (*at, String::from_utf8_lossy(bytes).into_owned());
    stretch.payloads.iter().map(text).collect()
}

/// What there is, and what is missing.
type All = (Vec<(u64, String)>, Vec<(u64, u64)>);

fn all(spool: &Spool, after: u64) -> All {
    let mut reader = spool.read_after(after);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    loop {
        let stretch = reader.read();
        if stretch.payloads.is_empty() && stretch.missing.is_none() {
            return (found, missing);
        }
        missing.extend(stretch.missing);
        found.extend(texts(&stretch));
    }
}

fn line(at: u64) -> String {
    format!("line {at} {}", "x".repeat(100))
}

fn fill(spool: &Spool, lines: std::ops::RangeInclusive<u64>) {
    let lines: Vec<String> = lines.map(line).collect();
    for some in lines.chunks(7) {
        spool.append(some).expect("appended");
    }
}

fn numbered(lines: std::ops::RangeInclusive<u64>) -> Vec<(u64, String)> {
    lines.map(|at| (at, line(at))).collect()
}

#[test]
fn what_is_appended_is_read_from_any_position_and_after_opening_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open_with(dir.path(), 4_096, 1).expect("opened");
    fill(&spool, 1..=500);
    for after in [0, 1, 36, 37, 250, 499, 500] {
        assert_eq!(all(&spool, after), (numbered(after + 1..=500), vec![]));
    }
    assert_eq!(all(&spool, 9_999).0, []);
    drop(spool);
    let spool = Spool::open_with(dir.path(), 4_096, 1).expect("opened");
    fill(&spool, 501..=600);
    assert_eq!(all(&spool, 0), (numbered(1..=600), vec![]));
}

#[test]
fn a_torn_end_is_cut_and_its_positions_are_given_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open(dir.path(), 1 << 30).expect("opened");
    fill(&spool, 1..=14);
    drop(spool);
    let path = dir.path().join(format!("{:020}.spool", 1));
    let whole = std::fs::read(&path).expect("read");
    for length in [whole.len() - 1, whole.len() / 2 + 10, 9, 3] {
        std::fs::write(&path, &whole[..length]).expect("written");
        let spool = Spool::open(dir.path(), 1 << 30).expect("opened");
        let next = *spool.head().borrow() + 1;
        assert!([1, 8].contains(&next), "{next}");
        fill(&spool, next..=20);
        assert_eq!(all(&spool, 0), (numbered(1..=20), vec![]));
    }
}

#[test]
fn damage_costs_its_file_and_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open_with(dir.path(), 4_096, 1).expect("opened");
    fill(&spool, 1..=200);
    let oldest = dir.path().join(format!("{:020}.spool", 1));
    let mut bytes = std::fs::read(&oldest).expect("read");
    bytes[1_000] ^= 1;
    std::fs::write(&oldest, bytes).expect("written");
    let (found, missing) = all(&spool, 0);
    let [(first, last)] = missing[..] else {
        panic!("{missing:?}")
    };
    let kept = numbered(1..=first - 1).into_iter();
    let rest = numbered(last + 1..=200);
    assert_eq!(found, kept.chain(rest).collect::<Vec<_>>());
    assert!(first > 1 && last < 200, "{first} {last}");
}

#[test]
fn space_is_given_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open_with(dir.path(), 4_096, 1).expect("opened");
    fill(&spool, 1..=500);
    let before = *spool.bytes().borrow();
    spool.release(250);
    assert!(*spool.bytes().borrow() < before);
    assert!(spool.oldest() > 200 && spool.oldest() <= 251);
    assert_eq!(all(&spool, 250), (numbered(251..=500), vec![]));
    // Beyond a bound the oldest go, and who is behind is told what is missing.
    spool.retain(10_000);
    let oldest = spool.oldest();
    assert!(*spool.bytes().borrow() <= 10_000 && oldest > 251);
    assert_eq!(
        all(&spool, 260),
        (numbered(oldest..=500), vec![(261, oldest - 1)])
    );
    spool.release(500);
    drop(spool);
    let spool = Spool::open_with(dir.path(), 4_096, 1).expect("opened");
    fill(&spool, 501..=510);
    assert_eq!(all(&spool, 500), (numbered(501..=510), vec![]));
}

#[test]
fn a_small_spool_gives_back_what_was_delivered() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open(dir.path(), 1_000).expect("opened");
    fill(&spool, 1..=100);
    assert!(*spool.bytes().borrow() > 1_000);
    spool.release(100);
    assert!(*spool.bytes().borrow() < 1_000);
    fill(&spool, 101..=102);
    assert_eq!(all(&spool, 100), (numbered(101..=102), vec![]));
}

#[tokio::test]
async fn readers_wait_for_what_comes() {
    let dir = tempfile::tempdir().expect("a directory");
    let spool = Spool::open(dir.path(), 1 << 30).expect("opened");
    let mut reader = spool.read_after(0);
    let waiting = tokio::spawn(async move { texts(&reader.next().await) });
    tokio::task::yield_now().await;
    fill(&spool, 1..=3);
    assert_eq!(waiting.await.expect("joined"), numbered(1..=3));
}
