//! Following, holding, finding: what users of other explorers found broken.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{Lines, Screen, Service};

fn with_lines(count: usize) -> (tempfile::TempDir, Service) {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    assert_eq!(
        service
            .post("/api/v2/logs", Lines { count }.body(0..count))
            .status,
        202
    );
    (home, service)
}

#[test]
fn holding_still_while_lines_arrive() {
    let (home, service) = with_lines(500);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 499 completed");
    screen.keys("kkkkk");
    screen.wait("five rows up", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("request 494 "))
    });
    let before = screen.selected().expect("a selected row");
    let more: String = (0..300)
        .map(|n| format!("{{\"ts\":\"2026-03-14T11:00:00.{n:03}Z\",\"msg\":\"arrived {n}\"}}\n"))
        .collect();
    assert_eq!(service.post("/api/v2/logs", more).status, 202);
    screen.see("300 new below");
    assert_eq!(screen.selected(), Some(before));
    assert!(
        !screen.text().contains("arrived 0"),
        "what arrives does not move the view"
    );
    screen.keys("G");
    screen.see("arrived 299");
    screen.wait("live", |rows| rows.iter().any(|row| row.contains("LIVE")));
}

#[test]
fn scrolling_through_everything_shows_every_row_once() {
    let (home, service) = with_lines(3_000);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 2999 completed");
    let mut seen = std::collections::BTreeSet::new();
    let number = |row: &String| {
        row.split("request ")
            .nth(1)?
            .split(' ')
            .next()?
            .parse::<u32>()
            .ok()
    };
    loop {
        let rows = screen.rows();
        let shown: Vec<u32> = rows.iter().filter_map(number).collect();
        assert!(
            shown.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "rows follow each other: {shown:?}"
        );
        seen.extend(shown.iter().copied());
        let top = shown[0];
        if top == 0 {
            break;
        }
        screen.keys("\x1b[5~");
        screen.wait("the page before", |rows| {
            rows.iter()
                .find_map(number)
                .is_some_and(|first| first < top)
        });
    }
    assert_eq!(seen.len(), 3_000);
}

#[test]
fn the_nearest_error_is_found_in_the_whole_log() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let body: String = (0..5_000)
        .map(|n| format!("{{\"ts\":\"2026-03-14T09:{:02}:{:02}.{:03}Z\",\"level\":\"{}\",\"msg\":\"entry {n}\"}}\n", n / 60_000, n / 1_000 % 60, n % 1_000, if n == 123 { "error" } else { "info" }))
        .collect();
    assert_eq!(service.post("/api/v2/logs", body).status, 202);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("entry 4999");
    screen.keys("E");
    screen.wait("the only error, selected", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("entry 123"))
    });
    screen.see("entry 122");
    screen.keys("/entry 4321\r");
    screen.see("no earlier match");
    screen.keys("n");
    screen.wait("the match, selected", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("entry 4321"))
    });
}

#[test]
fn filters_are_chips_that_are_switched() {
    let (home, service) = with_lines(1_000);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 999 completed");
    screen.keys("&request 99\r");
    screen.wait("the text filter", |rows| {
        rows[0].contains("● \"request 99\"") && !rows.iter().any(|row| row.contains("request 989 "))
    });
    screen.keys("x");
    screen.wait("switched off", |rows| {
        rows[0].contains("○ \"request 99\"") && rows.iter().any(|row| row.contains("request 989 "))
    });
    screen.keys("x!");
    screen.wait("turned around", |rows| {
        rows[0].contains("● -\"request 99\"")
            && !rows.iter().skip(2).any(|row| row.contains("request 99"))
    });
    screen.keys("d5");
    screen.wait("errors only", |rows| {
        rows[0].contains("≥ ERROR")
            && rows
                .iter()
                .filter(|row| row.contains("completed"))
                .all(|row| row.contains("ERROR"))
    });
    screen.keys("0+\r");
    screen.wait("the namespace of the row", |rows| {
        rows[0].contains("● namespace:")
    });
}

#[test]
fn queries_are_completed_and_explained() {
    let (home, service) = with_lines(1_000);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 999 completed");
    screen.keys("flevel>=loud");
    screen.see("expected a level (trace, debug, info, warn, error, fatal), found `loud`");
    screen.keys("\x15namesp");
    screen.see("│ namespace │");
    screen.keys("\tpay");
    screen.see("│ payments │");
    screen.keys("\t\r");
    screen.wait("payments only", |rows| {
        rows[1].contains("namespace:payments")
            && rows
                .iter()
                .filter(|row| row.contains("completed"))
                .all(|row| row.contains("payments"))
    });
}

#[test]
fn details_show_every_field_and_fold_long_texts() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let trace: String = (0..30).map(|n| format!("\\n  at frame {n}")).collect();
    let body = format!(
        "{{\"msg\":\"boom{trace}\",\"level\":\"error\",\"user\":{{\"id\":7}},\"tags\":[\"a\"]}}\n"
    );
    assert_eq!(service.post("/api/v2/logs", body).status, 202);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("boom ⏎ +30");
    screen.keys("\r");
    screen.see("… 25 more lines · enter shows them");
    screen.see("\"id\": 7");
    screen.keys("\t\r");
    screen.keys("G");
    screen.wait("the end of all fields", |rows| {
        rows.iter().any(|row| row.contains("│id "))
    });
    screen.keys("\x1b");
    screen.wait("closed", |rows| {
        !rows.iter().any(|row| row.contains("Details"))
    });
}

#[test]
fn a_file_is_followed_as_it_grows() {
    let home = tempfile::tempdir().expect("a home");
    let path = home.path().join("app.log");
    let mut file = std::fs::File::create(&path).expect("created");
    writeln!(file, "2026-03-14 09:00:00 INFO first").expect("written");
    let screen = Screen::start(home.path(), &[path.to_str().expect("a path")]);
    screen.see("first");
    writeln!(file, "2026-03-14 09:00:01 INFO second").expect("written");
    screen.see("second");
    std::fs::rename(&path, home.path().join("app.log.1")).expect("rotated");
    std::fs::write(&path, "2026-03-14 09:00:02 INFO third\n").expect("written");
    screen.see("third");
    assert_eq!(
        screen
            .rows()
            .iter()
            .filter(|row| row.contains("INFO"))
            .count(),
        3
    );
}

#[test]
fn an_idle_explorer_writes_nothing() {
    let (home, service) = with_lines(100);
    let screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 99 completed");
    screen.see("LIVE");
    screen.see("100 entries");
    // What else comes at the beginning settles: then nothing is written for seconds.
    let (mut quiet, mut since) = (0, Instant::now());
    crate::support::wait_for("a quiet screen", || {
        let now = screen.raw().len();
        if now != quiet {
            (quiet, since) = (now, Instant::now());
        }
        (since.elapsed() >= Duration::from_secs(3)).then_some(())
    });
    for _ in 0..200 {
        assert_eq!(service.get("/healthz").status, 200);
    }
    assert_eq!(screen.raw().len(), quiet);
}

#[test]
fn the_demo_is_ready_at_once() {
    let home = tempfile::tempdir().expect("a home");
    let mut screen = Screen::start(home.path(), &["demo", "--backlog", "5000", "--rate", "50"]);
    screen.see("LIVE");
    screen.see("payments");
    screen.keys("?");
    screen.see("more below");
    screen.keys("G");
    screen.see("Query language");
    screen.keys("q:");
    screen.see("What do you want to do?");
    screen.keys("\x1b");
    screen.wait("the palette closed", |rows| {
        !rows.iter().any(|row| row.contains("What do you want"))
    });
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn the_mouse_works_too() {
    let (home, service) = with_lines(500);
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 499 completed");
    // A click selects a row, a second one opens its details.
    screen.keys("\x1b[<0;30;10M\x1b[<0;30;10m");
    screen.wait("the clicked row", |_| {
        screen.selected().is_some_and(|(line, _)| line == 9)
    });
    screen.keys("\x1b[<0;30;10M\x1b[<0;30;10m");
    screen.see("Details");
    screen.keys("q");
    // The wheel scrolls, and holds.
    let before = screen.selected().expect("a selected row");
    screen.keys("\x1b[<64;30;20M");
    screen.wait("three rows up", |_| {
        screen.selected().is_some_and(|(_, row)| row != before.1)
    });
    screen.see("HELD");
    // A click on the badge follows again.
    screen.keys("\x1b[<0;3;39M\x1b[<0;3;39m");
    screen.see("LIVE");
}
