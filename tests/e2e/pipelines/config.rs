//! How pipelines are configured, and changed while they run.

use rustix::process::Signal;

use super::{Stage, configure, files_to, lines, numbered};
use crate::support::{Events, run, tailwater, wait_for};

fn check(home: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let path = home.join("c.toml");
    let path = path.to_str().expect("a path");
    let ran = run(
        home,
        &[&["config", "check", "--config", path], arguments].concat(),
    );
    (ran.code, ran.out + &ran.err)
}

#[test]
fn mistakes_are_told_with_file_line_key_and_the_nearest_key() {
    let home = tempfile::tempdir().expect("a home");
    let good = files_to("type = \"http\"");
    let cases: [(String, &[&str]); 13] = [
        (
            good.replace("pattern", "patern"),
            &[
                "c.toml",
                "line 6",
                "pipelines.0.sources.0.patern",
                "did you mean `pattern`",
            ],
        ),
        (
            good.replace("\"http\"", "\"htp\""),
            &["expected one of", "did you mean `http`"],
        ),
        (
            good.replace("path = \"LOGS\"", "path = 5"),
            &[
                "line 5",
                "pipelines.0.sources.0.path",
                "invalid type: integer",
            ],
        ),
        (
            good.replace("[[pipelines.sinks]]", "[[pipelines.sink]]"),
            &["line 7", "pipelines.0.sink", "did you mean `sinks`"],
        ),
        (
            good.replace("\"app\"", "\"App!\""),
            &["c.toml:1", "pipelines.0", "a to z"],
        ),
        (
            good.replace("\"app\"", "\"api\""),
            &["c.toml:2", "no other route"],
        ),
        (good.clone() + &good, &["another pipeline"]),
        (
            good.clone() + "[[pipelines.filters]]\ntype = \"include\"\npatterns = [\"(\"]\n",
            &["c.toml:9", "pipelines.0.filters.0", "pattern 1"],
        ),
        (
            good.clone() + "[[pipelines.filters]]\ntype = \"level\"\nmin = \"loud\"\n",
            &["filter 1", "loud"],
        ),
        (
            good.clone() + "format = \"text\"\ntemplate = \"{{ msg\"\n",
            &["c.toml:7", "pipelines.0.sinks.0", "template"],
        ),
        (
            good.clone() + "heartbeat = \"soon\"\n",
            &[
                "line 9",
                "pipelines.0.sinks.0.heartbeat",
                "a duration such as",
            ],
        ),
        (
            "[[pipelines]]\nname = \"a\"\n".to_owned(),
            &["at least one source"],
        ),
        (
            "[serve]\nlisten = \"here\"\n".to_owned(),
            &["line 2", "serve.listen"],
        ),
    ];
    configure(home.path(), &good);
    let (code, said) = check(home.path(), &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("understood, 1 pipeline"), "{said}");
    for (config, expected) in cases {
        configure(home.path(), &config);
        let (code, said) = check(home.path(), &[]);
        assert_eq!(code, Some(2), "{config}");
        for words in expected {
            assert!(said.contains(words), "{words:?} is not in {said:?}");
        }
    }
}

#[test]
fn flags_go_over_the_environment_over_the_file() {
    let home = tempfile::tempdir().expect("a home");
    configure(home.path(), &files_to("type = \"http\""));
    let path = home.path().join("c.toml");
    let show = |variables: &[(&str, &str)], flags: &[&str]| {
        let mut command = tailwater(home.path());
        let command = command
            .args(["config", "show", "--config"])
            .arg(&path)
            .args(flags);
        let output = command
            .envs(variables.iter().copied())
            .output()
            .expect("ran");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    };
    let shown = show(&[], &[]);
    for line in [
        "name = \"app\"  # line 2",
        "pattern = \"*.log\"  # line 6",
        "recursive = false  # default",
        "drain = \"5s\"  # default",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    let variables = [
        ("TAILWATER_PIPELINES__0__NAME", "web"),
        ("TAILWATER_PIPELINES__0__SOURCES__0__RECURSIVE", "true"),
        ("TAILWATER_PIPELINES__0__SINKS__1__TYPE", "store"),
        ("TAILWATER_SERVE__DRAIN", "7s"),
        ("TAILWATER_DATA", "/tmp/elsewhere"),
    ];
    let flags = [
        "--set",
        "pipelines.0.name=flag",
        "--set",
        "serve.connections=9",
    ];
    let shown = show(&variables, &flags);
    for line in [
        "name = \"flag\"  # --set pipelines.0.name",
        "recursive = true  # TAILWATER_PIPELINES__0__SOURCES__0__RECURSIVE",
        "type = \"store\"  # TAILWATER_PIPELINES__0__SINKS__1__TYPE",
        "drain = \"7s\"  # TAILWATER_SERVE__DRAIN",
        "connections = 9  # --set serve.connections",
        "data = \"/tmp/elsewhere\"  # --data or TAILWATER_DATA",
        "pattern = \"*.log\"  # line 6",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    let wrong = run(home.path(), &["config", "check", "--set", "serve.liste=x"]);
    assert_eq!(wrong.code, Some(2));
    assert!(
        wrong.err.contains("--set serve.liste") && wrong.err.contains("`listen`"),
        "{}",
        wrong.err
    );
    let wrong = run(
        home.path(),
        &["config", "check", "--set", "pipelines.3.name=x"],
    );
    assert!(wrong.err.contains("pipelines has 0 items"), "{}", wrong.err);
}

#[test]
fn only_what_changed_restarts_and_streams_of_the_rest_go_on() {
    let other = files_to("type = \"http\"").replace("\"app\"", "\"other\"");
    let stage = Stage::new(&(files_to("type = \"http\"") + &other));
    let kept = Events::follow(&stage.service.url, "/app/stream", &[]);
    let ended = Events::follow(&stage.service.url, "/other/stream", &[]);
    assert_eq!(
        [kept.next().name, ended.next().name],
        ["connected", "connected"]
    );
    stage.append("a.log", &lines(0..10));
    assert_eq!(kept.texts(10), numbered(0..10));
    assert_eq!(ended.texts(10), numbered(0..10));
    let since = || stage.status("other")["since"].clone();
    let before = since();
    let changed = other + "[[pipelines.filters]]\ntype = \"exclude\"\npatterns = [\"line 11$\"]\n";
    stage.configure(&(files_to("type = \"http\"") + &changed));
    stage.service.signal(Signal::HUP);
    let last = ended.rest().pop().expect("an end");
    assert_eq!(
        (last.name.as_str(), last.data.as_str()),
        ("disconnect", "{\"reason\":\"pipeline_changed\"}")
    );
    // Until the pipeline is there anew, its ended stream is found.
    wait_for("the pipeline anew", || (since() != before).then_some(()));
    stage.append("a.log", &lines(10..13));
    assert_eq!(kept.texts(3), numbered(10..13));
    let again = Events::follow(&stage.service.url, "/other/stream?after=10", &[]);
    assert_eq!(again.texts(2), ["line 10", "line 12"]);
    // What is wrong changes nothing; the change is seen without being told.
    stage.configure(&(files_to("type = \"nothing\"") + &changed));
    let said = stage.service.logged("the configuration is left as it was");
    assert!(said.contains("nothing"), "{said}");
    stage.append("a.log", &lines(13..15));
    assert_eq!(kept.texts(2), numbered(13..15));
    assert_eq!(again.texts(2), numbered(13..15));
    // One that cannot begin leaves all as they were, too.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = taken.local_addr().expect("an address").port();
    let unlucky = format!(
        "[[pipelines]]\nname = \"zed\"\n[[pipelines.sources]]\ntype = \"tcp\"\nport = {port}\n[[pipelines.sinks]]\ntype = \"store\"\n"
    );
    stage.configure(&(files_to("type = \"http\"") + &unlucky));
    stage.service.logged("cannot listen on");
    stage.append("a.log", &lines(15..16));
    assert_eq!(kept.texts(1), numbered(15..16));
    let back = Events::follow(&stage.service.url, "/other/stream?after=14", &[]);
    assert_eq!(back.texts(1), numbered(15..16));
}

#[test]
fn a_service_with_a_broken_configuration_does_not_begin() {
    let home = tempfile::tempdir().expect("a home");
    configure(home.path(), &files_to("type = \"htp\""));
    let path = home.path().join("c.toml");
    let ran = run(
        home.path(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--config",
            path.to_str().expect("a path"),
        ],
    );
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("did you mean `http`"), "{}", ran.err);
}
