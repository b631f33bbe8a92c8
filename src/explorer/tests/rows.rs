//! Runs, silences, selections, fields.

use super::*;

/// A log in which one line is said again and again, and then nothing for a while.
fn repeating() -> Harness {
    let mut harness = Harness::new(0, (100, 36));
    for n in 1..=60 {
        let mut said = entry(n);
        said.level = Level::Info;
        if (20..50).contains(&n) {
            said.scope.namespace = "pay".into();
            said.text = "connection refused".into();
        }
        if n > 50 {
            said.time = said.time.later(std::time::Duration::from_mins(10));
        }
        harness.log.push(said);
    }
    harness.press("g");
    harness
}

#[test]
fn rows_that_say_the_same_are_one_with_a_count() {
    let mut harness = repeating();
    let screen = harness.screen().join("\n");
    assert!(screen.contains("×30 connection refused"), "{screen}");
    assert_eq!(screen.matches("connection refused").count(), 1);
    // Down over the whole run, and up again.
    let selected = |harness: &Harness| harness.state.selected().map(|row| row.entry.position.0);
    for _ in 0..18 {
        harness.press("j");
    }
    assert_eq!(selected(&harness), Some(19));
    harness.press("j");
    assert_eq!(selected(&harness), Some(49));
    harness.press("j k k");
    assert_eq!(selected(&harness), Some(19));
    // What arrives and says the same is counted.
    let mut again = harness.log[59].clone();
    again.position = Position(61);
    again.time = again.time.later(std::time::Duration::from_secs(1));
    harness.press("G");
    let (number, ..) = harness.feed.clone().expect("a feed");
    harness.tell(Message::Live(
        number,
        Live::Entries(vec![again], Position(61)),
    ));
    let screen = harness.screen().join("\n");
    assert!(screen.contains("×2 entry 60."), "{screen}");
    harness.press("R g");
    let screen = harness.screen().join("\n");
    assert!(
        !screen.contains('×') && screen.contains("entry 1."),
        "{screen}"
    );
}

#[test]
fn a_search_stops_within_a_run() {
    let mut harness = repeating();
    harness.log[29].error = Some("the needle".into());
    harness.press("G g /");
    harness.type_text("refused");
    harness.press("enter n n");
    let screen = harness.screen().join("\n");
    assert!(
        screen.matches("connection refused").count() >= 2,
        "the row that was found is shown: {screen}"
    );
    assert!(
        screen.contains("the needle"),
        "another error is another row: {screen}"
    );
}

#[test]
fn silences_are_drawn_and_rows_keep_their_place() {
    let harness = repeating();
    let screen = harness.screen();
    let silence = screen
        .iter()
        .position(|line| line.contains("10m 01s of silence"));
    let after = screen.iter().position(|line| line.contains("entry 51."));
    assert_eq!(silence.map(|line| line + 1), after, "{screen:?}");
    assert_eq!(screen.join("\n").matches("of silence").count(), 1);
}

#[test]
fn a_selection_of_rows_is_copied_compared_and_zoomed_into() {
    let mut harness = Harness::new(100, (100, 30));
    harness.press("k k v k k y");
    let copied = harness.copied.last().expect("copied").clone();
    let numbers: Vec<&str> = copied
        .lines()
        .filter_map(|line| line.split("entry ").nth(1))
        .collect();
    assert_eq!(numbers, ["96.", "97.", "98."]);
    harness.press("v j Y");
    let copied = harness.copied.last().expect("copied").clone();
    let ids: Vec<u64> = copied
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["id"]
                .as_u64()
                .expect("an id")
        })
        .collect();
    assert_eq!(ids, [96, 97]);
    harness.press("v k k D");
    assert_eq!(
        harness.state.insight.span,
        (Time(95_000_000_000), Time(97_000_000_001))
    );
    harness.press("esc enter");
    assert_eq!(harness.shown().0, [95, 96, 97]);
    assert!(harness.state.picking.is_none());
}

#[test]
fn fields_lead_to_their_values() {
    let mut harness = Harness::new(0, (100, 40));
    for n in 1..=40 {
        let mut said = entry(n);
        said.fields
            .insert("region".into(), json!(if n % 4 == 0 { "eu" } else { "us" }));
        said.fields.insert("order".into(), json!(n));
        harness.log.push(said);
    }
    harness.press("g I");
    let screen = harness.screen().join("\n");
    let place = |name: &str| screen.find(name).expect(name);
    assert!(place("region") < place("order"), "{screen}");
    assert!(screen.contains("us"), "{screen}");
    harness.press("/");
    harness.type_text("regi");
    harness.press("enter");
    assert_eq!(harness.state.values.field.name(), "region");
    assert!(harness.screen().join("\n").contains("‹ region ›"));
    harness.press("+");
    let query = harness.state.query().to_string();
    assert!(query.contains("region:pay"), "{query}");
    harness.press("-");
    let query = harness.state.query().to_string();
    assert_eq!(query, "-region:pay");
    // Only this; and all again.
    harness.press("enter");
    assert_eq!(harness.state.query().to_string(), "-region:pay region:pay");
    harness.press("l");
    assert_ne!(harness.state.values.field.name(), "region");
}

#[test]
fn columns_are_moved_widened_and_taken_away() {
    let mut harness = Harness::new(20, (100, 30));
    harness.press("O 0 > + + esc");
    let row = harness
        .screen()
        .into_iter()
        .find(|line| line.contains("entry 19."))
        .expect("a row");
    assert!(
        row.contains("auth INFO      entry 19.") || row.contains("auth INFO     "),
        "{row}"
    );
    harness.press("O d d esc");
    let row = harness
        .screen()
        .into_iter()
        .find(|line| line.contains("entry 19."))
        .expect("a row");
    assert!(!row.contains("INFO") && !row.contains("auth"), "{row}");
    harness.press("O 0 a / t r a c e enter");
    assert_eq!(
        harness.state.columns.print(),
        ["level", "namespace", "trace"]
    );
    let screen = harness.screen().join("\n");
    assert!(screen.contains("Columns ·"), "back in the list: {screen}");
}

#[test]
fn details_are_searched() {
    let mut harness = Harness::new(20, (100, 40));
    for said in &mut harness.log {
        said.text = "first\n".to_owned() + &"filler\n".repeat(20) + "the needle";
    }
    harness.press("g enter enter /");
    harness.type_text("needle");
    harness.press("enter");
    let detail = harness.state.detail.clone().expect("details");
    assert!(detail.unfolded);
    let lines = harness.screen();
    assert!(
        lines.iter().any(|line| line.contains("the needle")),
        "{lines:?}"
    );
    harness.press("/");
    harness.type_text("nowhere");
    harness.press("enter");
    assert!(
        harness
            .screen()
            .join("\n")
            .contains("the details do not have it")
    );
}

#[test]
fn what_follows_a_time_is_in_sight() {
    let mut harness = Harness::new(1_000, (100, 30));
    harness.press("@");
    harness.type_text("00:05:00");
    harness.press("enter");
    let screen = harness.screen();
    let line = screen.iter().position(|row| row.starts_with('▌'));
    assert!(line.is_some_and(|line| line < 15), "{screen:?}");
    assert!(
        screen.iter().any(|row| row.contains("entry 305.")),
        "{screen:?}"
    );
}

#[test]
fn a_place_is_found_though_its_rows_come_later() {
    let mut harness = Harness::new(0, (100, 30));
    let at = Some(Time(20_000_000_000));
    let effects = start(&mut harness.state, at);
    harness.take(effects);
    harness.settle();
    let (number, ..) = harness.feed.clone().expect("a feed");
    // A file is read from its end.
    for part in [41..=50_u64, 16..=40, 1..=15] {
        let entries = part.map(entry).collect();
        harness.tell(Message::Live(number, Live::Entries(entries, Position(50))));
    }
    let selected = harness.state.selected().map(|row| row.entry.position.0);
    assert_eq!(selected, Some(20));
}

#[test]
fn values_that_are_offered_are_narrowed_by_typing() {
    let mut explorer = Harness::new(100, (100, 24));
    explorer.press("+");
    let offered = |explorer: &Harness| {
        let rows = explorer.screen();
        let is_offered = |name: &&str| rows.iter().any(|row| row.contains(&format!("│{name:<12}")));
        let names = ["namespace", "level", "trace"];
        names.into_iter().filter(is_offered).collect::<Vec<_>>()
    };
    assert_eq!(offered(&explorer), ["namespace", "level", "trace"]);
    explorer.press("/");
    explorer.type_text("TRA");
    assert_eq!(offered(&explorer), ["trace"]);
    explorer.type_text("zz");
    let screen = explorer.screen().join("\n");
    assert!(screen.contains("nothing is called so"), "{screen}");
    explorer.press("enter enter esc");
    assert_eq!(offered(&explorer), ["namespace", "level", "trace"]);
    explorer.press("/");
    explorer.type_text("trace");
    explorer.press("enter");
    assert_eq!(explorer.shown().0, [100], "of the trace t25");
    explorer.press("X C c /");
    explorer.type_text("q");
    explorer.press("esc q");
    assert!(explorer.state.overlays.is_empty() && !explorer.left);
}

#[test]
fn a_field_that_nobody_has_is_told_what_it_may_be() {
    let mut explorer = Harness::new(100, (100, 24));
    explorer.press("f");
    explorer.type_text("levle:error");
    explorer.press("enter");
    let screen = explorer.screen().join("\n");
    assert!(screen.contains("nothing matches"), "{screen}");
    assert!(screen.contains("did you mean level by levle?"), "{screen}");
    explorer.press("C f");
    explorer.type_text("level:fatal");
    explorer.press("enter");
    let screen = explorer.screen().join("\n");
    assert!(!screen.contains("did you mean"), "{screen}");
}
