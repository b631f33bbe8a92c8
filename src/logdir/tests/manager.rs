//! Rotation and deletion of old files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use super::*;

#[test]
fn the_manager_rotates_and_deletes() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("a/b");
    let hand = Hand::at(START);
    let options = ManagerOptions {
        log_size_limit: 3 << 20,
        log_age_limit: Duration::from_mins(1),
        granularity: 3,
        clock: hand.clock(),
        ..ManagerOptions::default()
    };
    let mut manager = LogManager::new(Some(&dir), options.clone()).expect("made");
    let mode = fs::metadata(&dir).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert_eq!(manager.file(), Some(dir.join(log_name(START))));
    assert_eq!(manager.poll().expect("looked"), None);
    let fill = |manager: &LogManager| {
        fs::write(manager.file().expect("a file"), vec![0; 1 << 20]).expect("written");
    };
    let names = || {
        let mut names = Folder(dir.clone()).list().expect("listed");
        names.sort();
        names
    };
    let mut all = vec![log_name(START)];
    for _ in 0..4 {
        fill(&manager);
        hand.add(1);
        let next = manager.poll().expect("looked").expect("too large");
        assert_eq!(manager.file().as_ref(), Some(&next));
        all.push(
            next.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
        );
    }
    fill(&manager);
    // Of five the two oldest are gone: the rest is below the limit.
    assert_eq!(names(), all[2..]);
    // Another manager goes on with the newest; a file too old is left at once, one far too old is deleted.
    hand.add(20_001);
    let again = LogManager::new(Some(&dir), options.clone()).expect("opened");
    assert_eq!(again.file(), Some(dir.join(log_name(hand.now()))));
    hand.add(60_000);
    let mut last = LogManager::new(Some(&dir), options.clone()).expect("opened");
    assert_eq!(names(), [] as [String; 0]);
    // The clock steps back: names rise all the same.
    let late = last.file().expect("a file");
    hand.0.store(START, Ordering::SeqCst);
    fill(&last);
    assert!(last.poll().expect("looked") > Some(late));
    // A directory that is gone is trouble, and no end.
    fs::remove_dir_all(&dir).expect("removed");
    assert_eq!(last.poll().expect("nothing to ask"), None);

    for wrong in [
        ManagerOptions {
            granularity: 1,
            ..options.clone()
        },
        ManagerOptions {
            log_size_limit: 1000,
            ..options.clone()
        },
        ManagerOptions {
            log_age_limit: Duration::from_secs(59),
            ..options.clone()
        },
        ManagerOptions {
            granularity: 61,
            ..options.clone()
        },
    ] {
        let refused = LogManager::new(Some(&dir), wrong);
        assert!(matches!(refused, Err(Error::Option { .. })));
    }
    let nothing = LogManager::new(None, options).expect("disabled");
    assert_eq!((nothing.file(), nothing.dir()), (None, None));
}
