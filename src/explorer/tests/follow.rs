//! Following, against what users of other tools complain of (threads of k9s, by their number).

use super::*;

fn selected(harness: &Harness) -> Option<u64> {
    harness.state.selected().map(|row| row.entry.position.0)
}

#[test]
fn a_burst_is_shown_whole_1483() {
    let mut harness = Harness::new(100, (100, 30));
    harness.arrive(5_000);
    assert_eq!(selected(&harness), Some(5_100));
    harness.press("g");
    for _ in 0..300 {
        harness.press("pagedown");
    }
    let numbers: Vec<u64> = harness
        .state
        .window
        .rows()
        .iter()
        .map(|row| row.entry.position.0)
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "nothing is left out"
    );
}

#[test]
fn being_behind_is_said_1019() {
    let mut harness = Harness::new(100, (100, 30));
    let (number, ..) = harness.feed.clone().expect("a feed");
    let (reason, wait_ms) = ("connection reset".to_owned(), 1_000);
    harness.tell(Message::Live(number, Live::Lost { reason, wait_ms }));
    let status = harness.screen()[28].clone();
    assert!(
        status.contains("RECONNECTING · connection reset"),
        "{status}"
    );
    harness.tell(Message::Live(number, Live::Connected));
    assert!(harness.screen()[28].contains("nothing was missed"));
}

#[test]
fn what_is_held_stays_held_155_444() {
    let mut harness = Harness::new(500, (100, 30));
    harness.press("k k k");
    let before = (harness.shown(), selected(&harness));
    for key in [
        "", "h", "U", ".", ".", "enter", "esc", "S", "esc", "H", "esc",
    ] {
        harness.press(key);
        harness.arrive(40);
        assert_eq!(selected(&harness), before.1, "after {key:?}");
    }
    assert!(!harness.state.live.following);
    let status = harness.screen()[28].clone();
    assert!(status.contains("HELD · 440 new below"), "{status}");
}

#[test]
fn a_filter_shows_its_rows_though_nothing_follows_517_1152() {
    let mut harness = Harness::new(500, (100, 30));
    harness.press("k k k 5");
    assert!(!harness.state.live.following);
    let (shown, selected) = harness.shown();
    assert!(
        shown.len() > 10 && shown.iter().all(|n| n % 10 == 3),
        "{shown:?}"
    );
    assert!(selected.is_some());
    harness.press("0");
    assert!(harness.shown().0.len() > 20);
}

#[test]
fn a_wheel_turned_fast_does_not_go_on_by_itself_732() {
    use super::super::regions::Target;
    let mut harness = Harness::new(2_000, (100, 30));
    for _ in 0..200 {
        harness.tell(Message::Wheel(Target::Row(0), -3));
        harness.settle();
    }
    let stopped = selected(&harness);
    assert_eq!(stopped, Some(2_000 - 600), "as far as it was turned");
    harness.arrive(10);
    assert_eq!(selected(&harness), stopped);
}

#[test]
fn text_moved_sideways_stays_so_while_lines_arrive_3668() {
    let mut harness = Harness::new(100, (100, 30));
    harness.press("l l");
    let moved = harness.state.scroll.sideways;
    assert!(moved > 0);
    harness.arrive(50);
    assert_eq!(harness.state.scroll.sideways, moved);
    assert!(harness.state.live.following);
}

#[test]
fn a_busy_log_leaves_keys_their_turn_776() {
    let mut harness = Harness::new(100, (100, 30));
    for _ in 0..20 {
        harness.arrive(1_000);
        harness.press("k");
        assert!(!harness.state.live.following, "the key held the view");
        harness.press("G");
        assert!(harness.state.live.following);
    }
    assert_eq!(selected(&harness), Some(20_100));
}
