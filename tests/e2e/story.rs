//! The whole story in a pseudo-terminal: what an engineer on call does, and what may go wrong meanwhile.

use crate::support::{Lines, MIDDLE_TRACE, Screen, Service, run};

#[test]
#[expect(clippy::too_many_lines, reason = "it is one story, told in order")]
fn an_engineer_on_call() {
    let home = tempfile::tempdir().expect("a home");
    let mut service = Service::start(home.path());
    let lines = Lines { count: 100_000 };
    for start in (0..lines.count).step_by(20_000) {
        let reply = service.post("/api/v2/logs", lines.body(start..start + 20_000));
        assert_eq!(
            (reply.status, reply.json()["accepted"].as_u64()),
            (202, Some(20_000))
        );
    }

    // The newest page, at once.
    let mut screen = Screen::start(home.path(), &[&service.url]);
    screen.see("request 99999 completed");
    screen.see("100,000 entries");

    // Narrow to a namespace, from the sources.
    screen.keys("S");
    screen.see("╭ Sources");
    screen.keys("jj\r");
    screen.wait("gateway rows only", |rows| {
        let mut shown = rows
            .iter()
            .filter(|row| row.contains("completed"))
            .peekable();
        rows[0].contains("namespace:gateway")
            && shown.peek().is_some()
            && shown.all(|row| row.contains("gateway"))
    });
    screen.keys("SC");
    // The newest row of all, not of the gateway, is selected again: the place to come back to.
    screen.wait("no filter", |rows| {
        let newest = screen.selected();
        !rows[0].contains("namespace:")
            && newest.is_some_and(|(_, row)| row.contains("request 99999 "))
    });

    // Find a trace's line and follow it over all namespaces; then back to the very row.
    screen.keys(&format!("ftrace:{MIDDLE_TRACE}\r"));
    let rows = screen.wait("the trace", |rows| {
        rows.iter()
            .filter(|row| row.contains("request 5000") || row.contains("request 5001"))
            .count()
            == 12
    });
    let namespaces = ["gateway", "auth", "orders", "payments"]
        .iter()
        .filter(|name| rows.iter().any(|row| row.contains(**name)))
        .count();
    assert!(namespaces >= 3, "the trace crosses namespaces: {rows:?}");
    screen.keys("\x7f");
    screen.wait("the place before", |rows| {
        rows.iter()
            .any(|row| row.contains("request 99999 completed"))
    });
    screen.keys("kkkkkkkkkk");
    screen.wait("ten rows up", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| row.contains("request 99989 "))
    });
    let before = screen.selected().expect("a selected row");
    screen.keys("t");
    screen.wait("a trace", |rows| rows[0].contains("trace:"));
    screen.wait("the same row, selected", |_| {
        screen.selected().is_some_and(|(_, row)| row == before.1)
    });
    screen.keys("\x7f");
    screen.wait("the same row on the same line", |rows| {
        !rows[0].contains("trace:") && screen.selected() == Some(before.clone())
    });

    // The oldest entry of all, page by page and at once.
    screen.keys("g");
    screen.wait("the oldest entry", |rows| {
        rows.iter().any(|row| row.contains("request 0 completed"))
    });
    screen.keys("\x1b[6~\x1b[6~");
    screen.wait("two pages on", |_| {
        screen
            .selected()
            .is_some_and(|(_, row)| !row.contains("request 0 completed"))
    });

    // Back at the end, a pushed line appears by itself.
    screen.keys("G");
    screen.see("request 99999 completed");
    let pushed = "{\"ts\":\"2026-03-14T10:00:00Z\",\"namespace\":\"pushed\",\"msg\":\"a line pushed live\"}\n";
    assert_eq!(service.post("/api/v2/logs", pushed).status, 202);
    screen.see("a line pushed live");

    // The service dies and comes back; nothing is lost, nothing doubled.
    service.kill();
    screen.see("RECONNECTING");
    service.restart();
    let more: String = (0..5).map(|n| format!("{{\"ts\":\"2026-03-14T10:00:0{}Z\",\"namespace\":\"pushed\",\"msg\":\"after restart {n}\"}}\n", n + 1)).collect();
    assert_eq!(service.post("/api/v2/logs", more).status, 202);
    let rows = screen.see("after restart 4");
    for n in 0..5 {
        let seen = rows
            .iter()
            .filter(|row| row.contains(&format!("after restart {n}")))
            .count();
        assert_eq!(seen, 1, "{rows:?}");
    }
    assert_eq!(
        rows.iter()
            .filter(|row| row.contains("a line pushed live"))
            .count(),
        1
    );
    screen.wait("live again", |rows| {
        rows.iter()
            .any(|row| row.contains("LIVE") || row.contains("connected again"))
    });

    // Leaving gives the terminal back.
    screen.keys("Q");
    assert_eq!(screen.ended(), 0);
    crate::support::wait_for("the terminal as it was", || {
        (screen.is_restored() && screen.is_cooked()).then_some(())
    });
    assert!(service.stop().success());
}

/// Whether a row of the demo tells of an error that belongs to a request.
fn is_of_a_request(row: &str) -> bool {
    row.contains("timed out") || row.contains("charge failed")
}

/// Paged at three in the morning: from "something is wrong" to the line that shows why, and to the evidence for a colleague.
#[test]
fn from_the_burst_to_its_cause() {
    let home = tempfile::tempdir().expect("a home");
    // Whenever it is told, this seed's story has an error of a request among the first four.
    let mut screen = Screen::start(home.path(), &["demo", "--rate", "0", "--seed", "6"]);
    screen.see("LIVE");
    screen.see("at most");
    let mut keystrokes = 0;
    let mut press = |screen: &mut Screen, keys: &str| {
        keystrokes += keys.chars().count();
        screen.keys(keys);
    };
    // When it started: the burst that goes on.
    press(&mut screen, "{");
    screen.see("HELD");
    // What is different in it.
    press(&mut screen, "D");
    screen.see("What is different in");
    screen.see("level = ERROR");
    press(&mut screen, "\r");
    let rows = screen.see("● level:error");
    assert!(rows[0].contains('–'), "only its time: {rows:?}");
    screen.wait("errors only", |rows| {
        !rows.iter().any(|row| row.contains(" INFO "))
    });
    // Which request shows it, in every service: of the first errors not all belong to one.
    while !screen
        .selected()
        .is_some_and(|(_, row)| is_of_a_request(&row))
    {
        let before = screen.selected();
        press(&mut screen, "j");
        screen.wait("the next error", |_| screen.selected() != before);
    }
    press(&mut screen, "t");
    screen.see("● trace:");
    screen.wait("a request of several services", |rows| {
        let has = |name: &str| rows.iter().any(|row| row.contains(name));
        has("gateway ") && has("payments ")
    });
    press(&mut screen, "C");
    screen.wait("everything", |rows| !rows[0].contains('●'));
    // What appeared since, in order: the cause stands before its symptoms.
    press(&mut screen, "p");
    screen.see("patterns of");
    press(&mut screen, "nn");
    // An on-call engineer waits until all of it was looked at: the cause is older than much else.
    let rows = screen.wait("all patterns in their order", |rows| {
        let has = |words: &str| rows.iter().any(|row| row.contains(words));
        has("in the order they appeared") && !has("looking at more")
    });
    let at = |words: &str| rows.iter().position(|row| row.contains(words));
    let (cause, symptom) = (
        at("configuration reloaded"),
        at("connection pool exhausted"),
    );
    assert!(cause.is_some() && cause < symptom, "{rows:?}");
    let first = at("PATTERN").expect("a heading") + 1;
    let down = "j".repeat(cause.expect("the cause") - first);
    press(&mut screen, &(down + "\r"));
    screen.wait("the cause", |_| {
        let selected = screen.selected();
        selected.is_some_and(|(_, row)| row.contains("pool.release_on_error changed"))
    });
    // What else happened around it.
    press(&mut screen, "z");
    screen.see("context: this");
    screen.wait("the cause is still where one is", |rows| {
        let selected = screen.selected();
        rows.iter().any(|row| row.starts_with('┊'))
            && selected.is_some_and(|(_, row)| row.contains("pool.release_on_error"))
    });
    // The evidence.
    press(&mut screen, "m");
    screen.see("note ›");
    screen.keys("the pool no longer lets go");
    press(&mut screen, "\r");
    screen.see("marked: 1 row");
    press(&mut screen, "'s");
    screen.see("save as ›");
    let path = home.path().join("incident.md");
    screen.keys(&format!("\x15{}", path.display()));
    press(&mut screen, "\r");
    screen.see("saved as");
    let evidence = std::fs::read_to_string(&path).expect("a report");
    assert!(
        evidence.contains("the pool no longer lets go"),
        "{evidence}"
    );
    assert!(
        evidence.contains("pool.release_on_error changed from true to false"),
        "{evidence}"
    );
    assert!(keystrokes <= 20, "{keystrokes} keystrokes");
    // As a case it opens again.
    let case = home.path().join("incident.case");
    screen.keys(&format!("s\x15{}\r", case.display()));
    screen.see("incident.case");
    screen.keys("'Q");
    assert_eq!(screen.ended(), 0);
    let case = case.display().to_string();
    let printed = run(home.path(), &["case", &case, "--output", "csv"]);
    assert_eq!(printed.code, Some(0), "{}", printed.err);
    assert!(
        printed.out.contains("the pool no longer lets go"),
        "{}",
        printed.out
    );
    let mut screen = Screen::start(home.path(), &["case", &case]);
    screen.keys("'");
    screen.see("the pool no longer lets go");
}
