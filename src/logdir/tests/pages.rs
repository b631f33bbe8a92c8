//! How little is read for how little.

use super::*;

/// One process that logs once in ten milliseconds and pings every ten seconds, for so many seconds.
fn written(seconds: u64) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let hand = Hand::at(START);
    let file = home.path().join(log_name(START));
    let options = LoggerOptions {
        compression: false,
        ..by_hand(&hand)
    };
    let master = MasterLogger::new(Some(&file), options).expect("opened");
    master.starting_up().expect("written");
    for tick in 0..seconds * 100 {
        if tick % 1000 == 0 {
            // To the same file: a ping.
            master.rotate(&file).expect("written");
        }
        hand.add(10);
        let text = format!("tick {tick} of the clock on the wall");
        master.log(LogLevel::Info, &text).expect("taken");
        if tick % 20 == 0 {
            master.flush().expect("written");
        }
    }
    home
}

#[test]
fn a_second_is_found_with_a_logarithmic_number_of_pages() {
    let (mut pages, mut sizes) = (Vec::new(), Vec::new());
    for seconds in [30, 900] {
        let home = written(seconds);
        let size = std::fs::metadata(home.path().join(log_name(START)));
        sizes.push(size.expect("there").len() / PAGE_BYTES as u64);
        let mut most = 0;
        for part in 1..10 {
            let mut reader = reader(home.path());
            let min = i64::try_from(START + seconds * 100 * part).expect("48 bits");
            let range = reader.range(min, min + 999).expect("opened");
            // A ping may be among them.
            assert!((100..=101).contains(&range.count()));
            most = most.max(reader.reads().pages);
        }
        pages.push(most);
    }
    assert!(sizes[1] > 25 * sizes[0] && sizes[1] > 1_000, "{sizes:?}");
    // Both read what lies between pings; the larger one adds a few guesses for thirty times the pages.
    assert!(pages[1] <= pages[0] + 10, "{pages:?} of {sizes:?}");
    assert!(pages[1] < 64, "{pages:?} of {sizes:?}");
}
