//! The terminal is given back however the program ends, and log text never reaches it raw.

use rustix::process::{Signal, kill_process};

use crate::support::{Screen, wait_for};

fn log(home: &tempfile::TempDir, text: &[u8]) -> String {
    let file = home.path().join("app.log");
    std::fs::write(&file, text).expect("written");
    file.to_str().expect("a path").to_owned()
}

#[test]
fn every_ending_gives_the_terminal_back() {
    let home = tempfile::tempdir().expect("a home");
    let file = log(&home, b"2026-03-14 09:00:00 INFO started\n");
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let mut screen = Screen::start(home.path(), &[&file]);
        screen.see("started");
        assert!(
            !screen.is_cooked() && !screen.is_restored(),
            "the terminal is taken"
        );
        kill_process(screen.pid(), signal).expect("told");
        screen.ended();
        wait_for("the terminal as it was", || {
            (screen.is_restored() && screen.is_cooked()).then_some(())
        });
    }
    for keys in ["q", "Q", "\x03\x03"] {
        let mut screen = Screen::start(home.path(), &[&file]);
        screen.see("started");
        screen.keys(keys);
        assert_eq!(screen.ended(), 0, "{keys:?}");
        wait_for("the terminal as it was", || {
            (screen.is_restored() && screen.is_cooked()).then_some(())
        });
    }
}

#[test]
fn suspending_gives_the_terminal_back_and_coming_back_takes_it() {
    let home = tempfile::tempdir().expect("a home");
    let file = log(&home, b"2026-03-14 09:00:00 INFO started\n");
    let screen = Screen::start(home.path(), &[&file]);
    screen.see("started");
    kill_process(screen.pid(), Signal::TSTP).expect("told");
    wait_for("the terminal as it was", || {
        (screen.is_restored() && screen.is_cooked()).then_some(())
    });
    // It stops a moment later: what goes on before has nothing to come back from.
    let stat = format!("/proc/{}/stat", screen.pid().as_raw_nonzero());
    wait_for("it is stopped", || {
        let stat = std::fs::read_to_string(&stat).expect("a process");
        let (_, state) = stat.rsplit_once(") ").expect("a state");
        state.starts_with('T').then_some(())
    });
    kill_process(screen.pid(), Signal::CONT).expect("told");
    wait_for("the screen again", || {
        (!screen.is_restored() && screen.text().contains("started")).then_some(())
    });
}

#[test]
fn a_terminal_that_vanishes_ends_the_program() {
    let home = tempfile::tempdir().expect("a home");
    let file = log(&home, b"2026-03-14 09:00:00 INFO started\n");
    let mut screen = Screen::start(home.path(), &[&file]);
    screen.see("started");
    screen.hang_up();
    screen.ended();
}

#[test]
fn hostile_text_is_visible_and_harmless() {
    let home = tempfile::tempdir().expect("a home");
    let attacks: [&[u8]; 10] = [
        b"copy \x1b]52;c;UFdO\x07 end",
        b"title \x1b]0;PWNTITLE\x07 end",
        b"clear \x1b[2JPWNCLEAR end",
        b"alt \x1b[?1049lPWNALT end",
        b"colour \x1b[31mPWNSGR end",
        b"c1 \xc2\x9b31mPWNC1 end",
        b"raw \x9b31mPWNRAW end",
        b"back PWN\x08\x08\x08XXX end",
        "bidi \u{202e}nigdda\u{202c} PWNBIDI".as_bytes(),
        b"nul \x00 bell \x07 del \x7f PWNNUL",
    ];
    let mut text = Vec::new();
    for attack in attacks {
        text.extend_from_slice(b"2026-03-14 09:00:00 INFO ");
        text.extend_from_slice(attack);
        text.push(b'\n');
    }
    let mut screen = Screen::start(home.path(), &[&log(&home, &text)]);
    let rows = screen.see("PWNNUL").join("\n");
    for mark in [
        "copy ␛]52;c;UFdO␇ end",
        "c1 <9B>31mPWNC1",
        "raw <9B>31mPWNRAW",
        "PWN␈␈␈XXX",
        "<U+202E>nigdda<U+202C>",
        "nul ␀ bell ␇ del ␡",
    ] {
        assert!(rows.contains(mark), "{mark} is not in\n{rows}");
    }
    screen.keys("\rkkk\x17");
    screen.see("Details");
    let raw = screen.raw();
    for live in [
        &b"\x1b]52;c;UFdO"[..],
        b"\x1b]0;PWN",
        b"\x1b[2JPWN",
        b"\x1b[?1049lPWN",
        b"\x1b[31mPWN",
        b"\xc2\x9b",
        b"\x08",
        b"\xe2\x80\xae",
        b"\x00",
    ] {
        assert!(
            memchr::memmem::find(&raw, live).is_none(),
            "{live:?} reached the terminal"
        );
    }
}

#[test]
fn long_and_wide_lines_keep_the_layout() {
    let home = tempfile::tempdir().expect("a home");
    let mut text = format!("2026-03-14 09:00:00 INFO long {}\n", "x".repeat(1 << 20));
    text.push_str(&format!(
        "2026-03-14 09:00:01 INFO wide {}\n",
        "日本語👩‍🚀".repeat(100)
    ));
    text.push_str("2026-03-14 09:00:02 INFO last row\n");
    let mut screen = Screen::start_sized(home.path(), &[&log(&home, text.as_bytes())], 80, 24);
    screen.see("last row");
    // The end of a file is shown before its beginning is read.
    let rows = screen.see("09:00:00");
    assert!(
        rows.iter()
            .filter(|row| row.contains("09:00:0") && row.contains(" I "))
            .count()
            == 3,
        "{rows:?}"
    );
    screen.keys("\x17");
    screen.see("last row");
    screen.keys("k\r");
    screen.see("Details");
    screen.resize(40, 10);
    screen.wait("the smallest screen", |rows| {
        rows.len() == 10 && rows.iter().any(|row| row.contains("tailwater"))
    });
    screen.resize(30, 8);
    screen.see("larger window");
    screen.resize(100, 30);
    screen.see("Details");
}
