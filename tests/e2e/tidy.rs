//! The sources keep the plan of the house: who may import whom, which libraries stay in which rooms, sizes, doors.

use std::path::{Path, PathBuf};

/// Each room and the rooms it may import.
const ROOMS: [(&str, &[&str]); 19] = [
    ("base", &[]),
    ("spool", &["base"]),
    ("entry", &["base"]),
    ("query", &["base", "entry"]),
    ("store", &["base", "entry", "query"]),
    ("files", &["base", "entry", "query"]),
    ("logdir", &["base", "entry", "query"]),
    ("api", &["base", "entry", "query"]),
    ("client", &["base", "entry", "query", "api"]),
    ("blobs", &["base"]),
    (
        "streams",
        &["base", "spool", "entry", "query", "store", "blobs"],
    ),
    ("events", &["base", "entry", "query", "store", "client"]),
    (
        "pipelines",
        &[
            "base", "spool", "entry", "query", "store", "files", "logdir", "client",
        ],
    ),
    (
        "backend",
        &[
            "base",
            "entry",
            "query",
            "api",
            "client",
            "store",
            "files",
            "logdir",
            "blobs",
            "streams",
            "events",
            "pipelines",
        ],
    ),
    (
        "service",
        &[
            "base",
            "entry",
            "query",
            "store",
            "files",
            "api",
            "client",
            "blobs",
            "streams",
            "events",
            "pipelines",
            "backend",
        ],
    ),
    ("explorer", &["base", "entry", "query", "backend", "api"]),
    (
        "config",
        &[
            "base",
            "store",
            "files",
            "blobs",
            "streams",
            "events",
            "pipelines",
            "service",
            "explorer",
        ],
    ),
    (
        "cli",
        &[
            "base",
            "entry",
            "query",
            "store",
            "files",
            "logdir",
            "api",
            "client",
            "blobs",
            "streams",
            "events",
            "pipelines",
            "backend",
            "service",
            "explorer",
            "config",
        ],
    ),
    ("lib", &[]),
];

/// Libraries that stay in one room.
const OUTWARD: [(&str, &str); 15] = [
    ("axum", "service"),
    ("ratatui", "explorer"),
    ("crossterm", "explorer"),
    ("terminput", "explorer"),
    ("tui_input", "explorer"),
    ("reqwest", "client"),
    ("reqwest_eventsource", "client"),
    ("clap", "cli"),
    ("arrow_array", "store"),
    ("arrow_buffer", "store"),
    ("arrow_schema", "store"),
    ("arrow_select", "store"),
    ("parquet", "store"),
    ("object_store", "blobs"),
    ("redis", "streams"),
];

/// Rooms and parts of rooms that know no runtime and no clock.
const PURE: [&str; 7] = [
    "entry",
    "query",
    "api",
    "explorer/state",
    "explorer/update",
    "explorer/panes",
    "explorer/widgets",
];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for item in std::fs::read_dir(dir).expect("listed").flatten() {
            let path = item.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let name = |path: &Path| {
        path.strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .into_owned()
    };
    paths
        .into_iter()
        .map(|path| (name(&path), std::fs::read_to_string(&path).expect("read")))
        .collect()
}

/// The source without its tests: they may use more.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn room(path: &str) -> &str {
    path.split('/')
        .next()
        .unwrap_or(path)
        .trim_end_matches(".rs")
}

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let here = room(&path);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == here) else {
            assert!(
                ["main"].contains(&here),
                "{path}: the plan knows no room {here}"
            );
            continue;
        };
        if here == "lib" {
            continue;
        }
        for (number, line) in code(&text).lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                // `use crate::{a, b}` names several rooms.
                let names: Vec<&str> = match part.strip_prefix('{') {
                    Some(list) => list
                        .split(['{', '}', ','])
                        .map(|name| name.trim().split("::").next().unwrap_or_default())
                        .collect(),
                    None => vec![
                        part.split(|c: char| !c.is_alphanumeric() && c != '_')
                            .next()
                            .unwrap_or_default(),
                    ],
                };
                for name in names {
                    let is_room = ROOMS.iter().any(|(room, _)| *room == name);
                    if is_room && name != here && !allowed.contains(&name) {
                        wrong.push(format!("{path}:{}: {here} imports {name}", number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (library, home) in OUTWARD {
            // Some values of the configuration are values of the command line too.
            let excused = library == "clap" && room(&path) == "config";
            if room(&path) != home && !excused && code(&text).contains(&format!("{library}::")) {
                wrong.push(format!("{path} uses {library}, which stays in {home}"));
            }
        }
        for pure in PURE {
            if path.starts_with(pure)
                && [
                    "tokio::",
                    "Instant::now",
                    "SystemTime",
                    "Time::now",
                    "std::fs",
                    "std::net",
                ]
                .iter()
                .any(|word| code(&text).contains(word))
            {
                wrong.push(format!("{path} is not pure"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn doors_speak_first_and_files_stay_small() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            wrong.push(format!("{path} does not say what it is"));
        }
        let lines = code(&text).lines().count();
        if lines > 400 && !path.ends_with("tests.rs") {
            wrong.push(format!("{path} has {lines} lines"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
