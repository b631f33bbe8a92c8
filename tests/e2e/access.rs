//! Every route and every kind of caller.

use std::path::Path;

use crate::support::{Screen, Service, run};

/// What a caller must be to use a route.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    AnyToken,
    Readers,
    /// Who may write somewhere: entries without a namespace go there.
    Writers,
    ReadersOfPay,
    WritersOfPay,
    /// Who may read something: the rest is left out.
    ReadersOfSome,
    /// Who may do both.
    OwnersOfPay,
}

/// The routes of streams and blobs; what is not refused for its caller may fail for what there is.
const KEPT: [(&str, &str, For); 51] = [
    (
        "POST",
        "/api/v2/namespaces/pay/events/broadcast",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/history",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/history/subscribe",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/history/e1",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/api/v2/namespaces/pay/events/history/replay/e1",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/listeners",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/api/v2/namespaces/pay/events/listeners",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/listeners/l1",
        For::ReadersOfPay,
    ),
    (
        "PUT",
        "/api/v2/namespaces/pay/events/listeners/l1",
        For::WritersOfPay,
    ),
    (
        "DELETE",
        "/api/v2/namespaces/pay/events/listeners/l1",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/wait?type=a",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/events/dead",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/api/v2/namespaces/pay/events/dead/f1",
        For::WritersOfPay,
    ),
    (
        "DELETE",
        "/api/v2/namespaces/pay/events/dead/f1",
        For::WritersOfPay,
    ),
    ("GET", "/api/v2/events/history", For::AnyToken),
    ("GET", "/api/v2/events/listeners", For::AnyToken),
    ("GET", "/api/v2/events/firings", For::AnyToken),
    ("POST", "/api/v2/streams/pay/1", For::WritersOfPay),
    ("PUT", "/api/v2/streams/pay/1", For::WritersOfPay),
    ("GET", "/api/v2/streams/pay/1?info", For::ReadersOfPay),
    ("DELETE", "/api/v2/streams/pay/1", For::WritersOfPay),
    ("GET", "/api/v2/streams", For::ReadersOfSome),
    ("GET", "/api/v2/streams?prefix=pay", For::ReadersOfPay),
    ("PUT", "/api/v2/blobs/pay/1", For::WritersOfPay),
    ("GET", "/api/v2/blobs/pay/1", For::ReadersOfPay),
    ("POST", "/api/v2/blobs/pay/1?link=upload", For::WritersOfPay),
    (
        "POST",
        "/api/v2/blobs/pay/1?link=download",
        For::ReadersOfPay,
    ),
    ("DELETE", "/api/v2/blobs/pay/1", For::WritersOfPay),
    ("GET", "/api/v2/blobs", For::ReadersOfSome),
    ("GET", "/api/v2/blobs?prefix=pay/1", For::ReadersOfPay),
    (
        "POST",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/stream",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/stream",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/blob",
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/blob",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/blob/link/upload",
        For::WritersOfPay,
    ),
    (
        "POST",
        "/api/accounts/pay/orgs/o/projects/p/builds/1/logs/s/t/blob/link/download",
        For::ReadersOfPay,
    ),
    ("GET", "/ci/streams", For::ReadersOfSome),
    ("GET", "/token?accountID=pay", For::OwnersOfPay),
    ("POST", "/stream?accountID=pay&key=k", For::WritersOfPay),
    ("GET", "/stream?accountID=pay&key=k", For::ReadersOfPay),
    (
        "DELETE",
        "/stream?accountID=pay&keyList=k",
        For::WritersOfPay,
    ),
    ("GET", "/stream/info?accountID=pay", For::ReadersOfPay),
    ("POST", "/blob?accountID=pay&key=k", For::WritersOfPay),
    ("GET", "/blob?accountID=pay&key=k", For::ReadersOfPay),
    ("GET", "/blob/exists?accountID=pay&key=k", For::ReadersOfPay),
    (
        "POST",
        "/blob/download?accountID=pay&prefix=k",
        For::ReadersOfPay,
    ),
    (
        "POST",
        "/blob/link/upload?accountID=pay&key=k",
        For::WritersOfPay,
    ),
    (
        "POST",
        "/blob/link/download?accountID=pay&key=k",
        For::ReadersOfPay,
    ),
    ("DELETE", "/blob?accountID=pay&key=k", For::WritersOfPay),
    (
        "DELETE",
        "/internal/blob?accountID=pay&key=k",
        For::WritersOfPay,
    ),
    ("GET", "/ready/healthz", For::Everybody),
];

/// Method, path and body of a request that succeeds for who may make it.
const ROUTES: [(&str, &str, &str, For); 35] = [
    ("GET", "/pipelines", "", For::Readers),
    ("GET", "/app/status", "", For::Readers),
    ("GET", "/app/stream", "", For::Readers),
    ("POST", "/app/ingest", r#"{"msg":"x"}"#, For::Writers),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/histogram",
        "",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/facets?field=level",
        "",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/values",
        "",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/1",
        "",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/1/context",
        "",
        For::ReadersOfPay,
    ),
    ("GET", "/", "", For::Everybody),
    ("GET", "/metrics", "", For::Readers),
    ("GET", "/api/v2/openapi.json", "", For::Everybody),
    ("POST", "/v1/logs", "{}", For::Writers),
    (
        "POST",
        "/loki/api/v1/push",
        r#"{"streams":[]}"#,
        For::Writers,
    ),
    ("PUT", "/_bulk", "{\"create\":{}}\n{}\n", For::Writers),
    ("POST", "/pay/_bulk", "{\"create\":{}}\n{}\n", For::Writers),
    ("GET", "/healthz", "", For::Everybody),
    ("GET", "/readyz", "", For::Everybody),
    ("GET", "/api/v2/status", "", For::Everybody),
    ("GET", "/api/v2/namespaces", "", For::AnyToken),
    ("GET", "/api/v2/logs", "", For::Readers),
    ("POST", "/api/v2/logs", r#"{"msg":"x"}"#, For::Writers),
    ("GET", "/api/v2/logs/subscribe", "", For::Readers),
    ("GET", "/api/v2/logs/histogram", "", For::Readers),
    ("GET", "/api/v2/logs/facets?field=level", "", For::Readers),
    ("GET", "/api/v2/logs/patterns", "", For::Readers),
    (
        "GET",
        "/api/v2/logs/compare?from=2026-03-14T09:00:00Z&to=2026-03-14T10:00:00Z",
        "",
        For::Readers,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/patterns",
        "",
        For::ReadersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/compare?from=2026-03-14T09:00:00Z&to=2026-03-14T10:00:00Z",
        "",
        For::ReadersOfPay,
    ),
    ("GET", "/api/v2/logs/values", "", For::Readers),
    ("GET", "/api/v2/logs/1", "", For::Readers),
    ("GET", "/api/v2/logs/1/context", "", For::Readers),
    ("GET", "/api/v2/namespaces/pay/logs", "", For::ReadersOfPay),
    (
        "POST",
        "/api/v2/namespaces/pay/logs",
        r#"{"msg":"x"}"#,
        For::WritersOfPay,
    ),
    (
        "GET",
        "/api/v2/namespaces/pay/logs/subscribe",
        "",
        For::ReadersOfPay,
    ),
];

fn token(home: &Path, data: &str, arguments: &[&str]) -> String {
    let create = ["token", "create", "--data", data];
    let made = run(home, &[&create, arguments].concat());
    assert_eq!(made.code, Some(0), "{}", made.err);
    made.out.trim().to_owned()
}

/// Who comes: what they are called, their token, and what they may.
type Caller = (&'static str, Option<String>, &'static [For]);

fn callers(make: impl Fn(&[&str]) -> String) -> Vec<Caller> {
    let expired = make(&["--admin", "--expires", "1ms"]);
    vec![
        ("nobody", None, &[]),
        ("a stranger", Some("tw_00000000_secret".into()), &[]),
        ("who came too late", Some(expired), &[]),
        (
            "a reader",
            Some(make(&["--read"])),
            &[
                For::AnyToken,
                For::Readers,
                For::ReadersOfPay,
                For::ReadersOfSome,
            ],
        ),
        (
            "a writer",
            Some(make(&["--write"])),
            &[For::AnyToken, For::Writers, For::WritersOfPay],
        ),
        (
            "a reader of pay",
            Some(make(&["--read", "--namespace", "pay"])),
            &[For::AnyToken, For::ReadersOfPay, For::ReadersOfSome],
        ),
        (
            "a writer of pay",
            Some(make(&["--write", "--namespace", "pay"])),
            &[For::AnyToken, For::Writers, For::WritersOfPay],
        ),
        (
            "an administrator of pay",
            Some(make(&["--admin", "--namespace", "pay"])),
            &[
                For::AnyToken,
                For::Writers,
                For::ReadersOfPay,
                For::WritersOfPay,
                For::ReadersOfSome,
                For::OwnersOfPay,
            ],
        ),
        (
            "all of another",
            Some(make(&["--read", "--write", "--namespace", "auth"])),
            &[For::AnyToken, For::Writers, For::ReadersOfSome],
        ),
        (
            "a build of another",
            Some(make(&["--read", "--write", "--prefix", "auth/1/x"])),
            &[For::AnyToken, For::ReadersOfSome],
        ),
        (
            "an administrator",
            Some(make(&["--admin"])),
            &[
                For::AnyToken,
                For::Readers,
                For::Writers,
                For::ReadersOfPay,
                For::WritersOfPay,
                For::ReadersOfSome,
                For::OwnersOfPay,
            ],
        ),
    ]
}

/// The routes of streams and blobs for one of them.
fn kept_routes(service: &Service, name: &str, token: Option<&str>, rights: &[For]) {
    for (method, path, wanted) in KEPT {
        let sent = token.as_ref().map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = sent
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let status = service.status_of(method, path, &headers, "[]");
        let may = wanted == For::Everybody || rights.contains(&wanted);
        let expected = if rights.is_empty() { 401 } else { 403 };
        if may {
            assert!(
                status != 401 && status != 403,
                "{name}: {method} {path}: {status}"
            );
        } else {
            assert_eq!(status, expected, "{name}: {method} {path}");
        }
    }
}

#[test]
fn every_route_lets_in_who_may_come_in() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let make = |arguments: &[&str]| token(home.path(), data, arguments);
    let callers = callers(make);
    let config = home.path().join("c.toml");
    let pipeline = "[[pipelines]]\nname = \"app\"\n[[pipelines.sources]]\ntype = \"http\"\n[[pipelines.sinks]]\ntype = \"http\"\n";
    std::fs::write(&config, pipeline).expect("written");
    let config = config.to_str().expect("a path");
    let arguments = ["--auth", "--config", config];
    let service = Service::start_with(home.path(), "127.0.0.1:0", &arguments);
    let admin = callers.last().and_then(|(_, token, _)| token.clone());
    let admin = format!("Bearer {}", admin.expect("a token"));
    let first = r#"{"msg":"first","namespace":"pay"}"#;
    let reply = service.ask("POST", "/api/v2/logs", &[("authorization", &admin)], first);
    assert_eq!(reply.status, 202, "{}", reply.body);
    for (name, token, rights) in &callers {
        for (method, path, body, wanted) in ROUTES {
            let sent = token.as_ref().map(|token| format!("Bearer {token}"));
            let sent = sent.iter().map(|value| ("authorization", value.as_str()));
            let headers: Vec<_> = sent.chain([("content-type", "application/json")]).collect();
            let status = service.status_of(method, path, &headers, body);
            let wanted = match wanted {
                For::Everybody => 200,
                wanted if rights.contains(&wanted) && path.starts_with("/loki") => 204,
                wanted
                    if rights.contains(&wanted)
                        && method == "POST"
                        && (path.contains("/api/") || path.ends_with("/ingest")) =>
                {
                    202
                }
                wanted if rights.contains(&wanted) => 200,
                _ if rights.is_empty() => 401,
                _ => 403,
            };
            assert_eq!(status, wanted, "{name}: {method} {path}");
        }
        kept_routes(&service, name, token.as_deref(), rights);
    }
    let direktivs = admin.trim_start_matches("Bearer ");
    for header in ["direktiv-token", "Direktiv-Api-Key"] {
        assert_eq!(
            service.status_of("GET", "/api/v2/logs", &[(header, direktivs)], ""),
            200
        );
    }
}

#[test]
fn no_route_is_forgotten_in_the_matrix() {
    let contract = include_str!("../../src/api/mod.rs");
    let paths = contract.lines().filter_map(|line| {
        let line = line.trim().strip_prefix("pub const ")?;
        line.split('"').nth(1).filter(|path| path.starts_with('/'))
    });
    let mut known = 0;
    for path in paths {
        let steps = [
            ("account", "pay"),
            ("org", "o"),
            ("project", "p"),
            ("build", "1"),
        ];
        let steps = steps
            .into_iter()
            .chain([("stage", "s"), ("step", "t"), ("*key", "pay/1")]);
        let path = steps.fold(path.to_owned(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        });
        let path = path
            .replace("{namespace}", "pay")
            .replace("{id}", "1")
            .replace("{event}", "e1")
            .replace("{listener}", "l1")
            .replace("{firing}", "f1")
            .replace("{index}", "pay")
            .replace("{pipeline}", "app");
        let listed = ROUTES
            .iter()
            .map(|(_, listed, ..)| listed)
            .chain(KEPT.iter().map(|(_, listed, _)| listed))
            .any(|listed| listed.split('?').next() == Some(path.as_str()));
        assert!(listed, "{path} is not in the matrix");
        known += 1;
    }
    assert!(known >= 20, "{known} routes were found in the contract");
}

#[test]
fn tokens_are_listed_revoked_and_asked_for() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let refused = run(
        home.path(),
        &["serve", "--listen", "127.0.0.1:0", "--auth", "--data", data],
    );
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("tailwater token create"),
        "{}",
        refused.err
    );
    let beyond = run(
        home.path(),
        &["serve", "--listen", "0.0.0.0:0", "--data", data],
    );
    assert_eq!(beyond.code, Some(2));
    assert!(beyond.err.contains("--no-auth"), "{}", beyond.err);

    let text = token(
        home.path(),
        data,
        &["--read", "--namespace", "pay", "--expires", "30d"],
    );
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let status = service.get("/api/v2/status").json();
    assert_eq!(status["data"]["requiresAuth"], true);
    let bearer = format!("Bearer {text}");
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(
        service.status_of("GET", "/api/v2/namespaces", &headers, ""),
        200
    );
    let listed = run(home.path(), &["token", "list", "--data", data]);
    assert!(
        listed.out.contains("may read namespace \"pay\", until "),
        "{}",
        listed.out
    );
    let id = listed
        .out
        .split_whitespace()
        .next()
        .expect("an id")
        .to_owned();
    // A secret may have the mark in it that stands before it.
    let secret = text.splitn(3, '_').nth(2).expect("a secret");
    assert!(secret.len() > 40, "{secret}");
    assert!(!listed.out.contains(secret), "{}", listed.out);
    let revoked = run(home.path(), &["token", "revoke", &id, "--data", data]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.err);
    assert_eq!(
        service.status_of("GET", "/api/v2/namespaces", &headers, ""),
        401
    );
    let again = run(home.path(), &["token", "revoke", &id, "--data", data]);
    assert_eq!(again.code, Some(1));
    let rights = run(home.path(), &["token", "create", "--data", data]);
    assert_eq!(rights.code, Some(2), "a token allows something");
}

#[test]
fn every_route_is_described() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let described = service.get("/api/v2/openapi.json").json();
    assert_eq!(described["openapi"], "3.1.0");
    let paths = described["paths"].as_object().expect("paths");
    for (method, path, ..) in ROUTES {
        let path = path.split('?').next().expect("a path");
        let fits = |described: &str| {
            let (mut described, mut path) = (described.split('/'), path.split('/'));
            loop {
                match (described.next(), path.next()) {
                    (None, None) => return true,
                    (Some(one), Some(other)) if one == other || one.starts_with('{') => {}
                    _ => return false,
                }
            }
        };
        let method = method.to_lowercase();
        let found = paths
            .iter()
            .any(|(described, methods)| fits(described) && methods.get(&method).is_some());
        assert!(found, "{method} {path} is not described");
    }
    // Clients that are made from the description name their functions so.
    let operations = paths.values().filter_map(|methods| methods.as_object());
    let names: Vec<&str> = operations
        .flat_map(|methods| methods.values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let different: std::collections::BTreeSet<&&str> = names.iter().collect();
    assert!(names.contains(&"get_logs") && names.contains(&"post_namespaces_namespace_logs"));
    assert_eq!(different.len(), names.len(), "{names:?}");
}

#[test]
fn a_token_of_one_namespace_explores_that() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let own = token(
        home.path(),
        data,
        &["--read", "--write", "--namespace", "pay"],
    );
    let other = token(home.path(), data, &["--write"]);
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let other = format!("Bearer {other}");
    let headers = [("authorization", other.as_str())];
    let body = "{\"msg\":\"of another\",\"namespace\":\"auth\",\"secret\":1}\n\
        {\"msg\":\"of ours\",\"namespace\":\"pay\",\"level\":\"fatal\",\"amount\":2}\n";
    assert_eq!(
        service.ask("POST", "/api/v2/logs", &headers, body).status,
        202
    );
    let mut screen = Screen::start(home.path(), &[&service.url, "--token", &own]);
    let shown = screen.see("of ours");
    assert!(shown.iter().any(|row| row.contains("FATAL")), "{shown:?}");
    screen.see("LIVE");
    assert!(!screen.text().contains("of another"));
    // Pushed with the same token, it arrives.
    let own_header = format!("Bearer {own}");
    let headers = [("authorization", own_header.as_str())];
    let live = r#"{"msg":"arrived"}"#;
    assert_eq!(
        service.ask("POST", "/api/v2/logs", &headers, live).status,
        202
    );
    screen.see("arrived");
    screen.keys("famo");
    screen.wait("the completion", |rows| {
        rows.iter()
            .any(|row| row.trim().starts_with("amount") || row.contains(" amount "))
    });
    screen.keys("\t2\r");
    screen.wait("the narrowed view", |rows| {
        let has = |text: &str| rows.iter().any(|row| row.contains(text));
        has("of ours") && !has("arrived")
    });
    let entry = |id: u64| {
        let path = format!("/api/v2/namespaces/pay/logs/{id}");
        service.ask("GET", &path, &headers, "").status
    };
    assert_eq!((entry(1), entry(2)), (404, 200));
    let context = "/api/v2/namespaces/pay/logs/1/context";
    assert_eq!(service.ask("GET", context, &headers, "").status, 404);
    for path in ["values", "values?field=namespace", "facets?field=namespace"] {
        let path = format!("/api/v2/namespaces/pay/logs/{path}");
        let told = service.ask("GET", &path, &headers, "").body;
        assert!(!told.contains("secret") && !told.contains("auth"), "{told}");
    }
    let histogram = "/api/v2/namespaces/pay/logs/histogram";
    let counted = service.ask("GET", histogram, &headers, "").json();
    assert_eq!(
        counted["data"]["buckets"]
            .to_string()
            .matches(",1]")
            .count(),
        1,
        "{counted}"
    );
}

#[test]
fn names_of_namespaces_are_exact() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    let shouting = token(home.path(), data, &["--read", "--namespace", "PAY"]);
    let writer = token(home.path(), data, &["--write"]);
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let (writer, shouting) = (format!("Bearer {writer}"), format!("Bearer {shouting}"));
    let body =
        "{\"msg\":\"quiet\",\"namespace\":\"pay\"}\n{\"msg\":\"LOUD\",\"namespace\":\"PAY\"}\n";
    let headers = [("authorization", writer.as_str())];
    assert_eq!(
        service.ask("POST", "/api/v2/logs", &headers, body).status,
        202
    );
    let headers = [("authorization", shouting.as_str())];
    for path in [
        "",
        "?query=namespace%3Apay%20OR%20LOUD",
        "/2/context",
        "/facets?field=text",
        "/values?field=text",
    ] {
        let path = format!("/api/v2/namespaces/PAY/logs{path}");
        let told = service.ask("GET", &path, &headers, "");
        assert_eq!(told.status, 200, "{path}");
        assert!(
            told.body.contains("LOUD") && !told.body.contains("quiet"),
            "{path}: {}",
            told.body
        );
    }
    let counts = service
        .ask("GET", "/api/v2/namespaces/PAY/logs/histogram", &headers, "")
        .json();
    assert_eq!(
        counts["data"]["buckets"].to_string().matches('1').count(),
        1,
        "{counts}"
    );
    let stream = service.stream(
        "/api/v2/namespaces/PAY/logs/subscribe",
        &[("authorization", shouting.as_str()), ("last-event-id", "0")],
        |text| text.contains("LOUD"),
    );
    assert!(!stream.contains("quiet"), "{stream}");
}

#[test]
fn streams_end_with_their_token() {
    let home = tempfile::tempdir().expect("a home");
    let data = home.path().join("data");
    let data = data.to_str().expect("a path");
    // It starts where there is a token; this one is made when it is there, and lasts for what is asked.
    token(home.path(), data, &["--read"]);
    let service = Service::start_with(home.path(), "127.0.0.1:0", &["--auth"]);
    let text = token(home.path(), data, &["--read", "--expires", "15s"]);
    let bearer = format!("Bearer {text}");
    let headers = [("authorization", bearer.as_str())];
    // Read until the service ends it; patience would run out otherwise.
    let stream = service.stream("/api/v2/logs/subscribe", &headers, |_| false);
    assert!(stream.starts_with(':'), "{stream}");
    assert_eq!(service.status_of("GET", "/api/v2/logs", &headers, ""), 401);
}

#[test]
fn web_pages_of_foreign_names_stay_out() {
    let home = tempfile::tempdir().expect("a home");
    let service = Service::start(home.path());
    let as_host = |host: &str| service.ask("GET", "/api/v2/logs", &[("host", host)], "");
    for host in ["localhost:7420", "127.0.0.1", "[::1]:7420", "x.localhost"] {
        assert_eq!(as_host(host).status, 200, "{host}");
    }
    let refused = as_host("rebound.example:7420");
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"]["code"], "access_host");
}
