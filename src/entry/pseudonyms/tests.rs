//! Texts and entries before and after.

use serde_json::json;

use super::*;
use crate::entry::Level;

/// Each text by a session of its own.
fn alone(table: &[(&str, &str)]) {
    for (text, expected) in table {
        let mut pseudonyms = Pseudonyms::default();
        let told = pseudonyms.text(text);
        assert_eq!(told, *expected, "{text}");
        assert_eq!(
            pseudonyms.text(&told),
            told,
            "tokens are not replaced again"
        );
    }
}

#[test]
fn identifiers_and_secrets_become_tokens() {
    alone(&[
        (
            "mail to Alice@Example.com and alice@example.com.",
            "mail to email-1 and email-1.",
        ),
        (
            "10.0.0.7:443 -> 10.0.0.8, 10.0.0.7",
            "ip-1:443 -> ip-2, ip-1",
        ),
        (
            "from 2001:db8::1: refused, [2001:DB8:0::1]:80",
            "from ip-1: refused, [ip-1]:80",
        ),
        (
            "mapped ::ffff:10.0.0.9 peer:e:10.0.0.1",
            "mapped ip-1 peer:e:ip-2",
        ),
        (
            "order 550E8400-e29b-41d4-a716-446655440000 done",
            "order uuid-1 done",
        ),
        (
            "\x1b[36muser\x1b[0m=alice \x1b[32m10.0.0.7\x1b[0m net_10.0.0.7",
            "user=user-1 ip-1 net_ip-1",
        ),
        (
            "paid with 4111 1111 1111 1111 (4111111111111111)",
            "paid with card-1 (card-1)",
        ),
        (
            "1234 5500-0000-0000-0004 3782 822463 10005",
            "1234 card-1 card-2",
        ),
        (
            "Authorization: Bearer abc.def-123",
            "Authorization: Bearer token-1",
        ),
        (
            "sent bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln ok",
            "sent bearer token-1 ok",
        ),
        ("key AKIAIOSFODNN7EXAMPLE used", "key token-1 used"),
        (
            "x-api-key: 12345, api_key=12345&page=2",
            "x-api-key: token-1, api_key=token-1&page=2",
        ),
        (
            "password=a password: b PASSWORD='c d'",
            "password=token-1 password: token-2 PASSWORD='token-3'",
        ),
        (
            "postgres://app:s3cr@t@db:5432/x",
            "postgres://user-1:token-1@db:5432/x",
        ),
        (
            "secret 4bf92f3577b34da6a3ce929d0e0e4736.",
            "secret token-1.",
        ),
        ("got k9Xb2LmQ7rTz4VwY8nPc3Df6Hs== back", "got token-1 back"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nnext",
            "token-1\nnext",
        ),
        (
            "user=alice logged in, alice_id=7, malice, alice's",
            "user=user-1 logged in, alice_id=7, malice, user-1's",
        ),
        (
            "customer=\"Acme Corp\" bill for Acme Corp, not Acme",
            "customer=\"user-1\" bill for user-1, not Acme",
        ),
        (
            r#"{"user_id":42,"email":"a@b.co","token":"x y","n":42}"#,
            r#"{"user_id":"user-1","email":"email-1","token":"token-1","n":42}"#,
        ),
        (
            r#"req="{\"password\":\"p\",\"user\":\"bob\"}" by bob"#,
            r#"req="{\"password\":\"token-1\",\"user\":\"user-1\"}" by user-1"#,
        ),
        (
            "client_ip=10.1.1.1:99 via 10.1.1.1 login=a@b.co a@b.co",
            "client_ip=ip-1:99 via ip-1 login=email-1 email-1",
        ),
        ("caché user=renée — renée", "caché user=user-1 — user-1"),
    ]);
}

#[test]
fn what_is_neither_stays() {
    let table = [
        "2026-03-14T09:00:00.123456789Z order o-17 took 12ms",
        "1773478800007 1773478800000000000 4111 1111 1111 1112",
        "version 1.2.3.4, v1.2.3.4, version=\"1.2.3.4\", 1.3.6.1.4.1, 300.1.1.1, 1.2.3",
        "listening on 127.0.0.1:8080, 0.0.0.0, [::1]:80, std::vec dead::beef worker-1:: at 12:03:10.5",
        "user: Bob failed, invalid token: expired, token=null secret=*** user=root client_ip=127.0.0.1",
        "bearer authentication, basic auth, users=12 max_tokens=99 user_agent=curl",
        "payments-gateway-worker-7d9f8b6c5d-x2x4z at /usr/lib/Some/Long2/Path/Here3",
        "span 00f067aa0ba902b7 00000000-0000-0000-0000-000000000000 a@b @home",
        "email-x user-17 ip-10 token-0 \u{10F7FF}",
        "",
    ];
    alone(&table.map(|text| (text, text)));
}

#[test]
fn a_session_remembers() {
    let mut pseudonyms = Pseudonyms::default();
    for (text, expected) in [
        ("user=user-2", "user=user-1"),
        ("user=bob", "user=user-3"),
        ("user-2 and user-3: bob", "user-1 and user-3: user-3"),
        ("10.0.0.2 user=10.0.0.2", "ip-1 user=ip-1"),
        ("email=bob", "email=user-3"),
        ("user=42 took 42 ms", "user=user-4 took 42 ms"),
        ("user=4200017 has 4200017", "user=user-5 has user-5"),
        ("password=test the test", "password=token-1 the test"),
        ("password=hunter22 hunter22!", "password=token-2 token-2!"),
    ] {
        assert_eq!(pseudonyms.text(text), expected, "{text}");
    }
}

#[test]
fn an_entry_is_told_by_its_tokens() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let instance = "550e8400-e29b-41d4-a716-446655440000";
    let mut entry = Entry {
        level: Level::Error,
        text: format!(
            "alice paid o-17 {trace} {instance} {}",
            trace.replace('4', "5")
        ),
        error: Some("alice@example.com has no 10.0.0.7".to_owned()),
        source: Some("10.0.0.7:514".to_owned()),
        ..Entry::default()
    };
    entry.scope.namespace = "alice".to_owned();
    entry.scope.trace = Some(trace.to_owned());
    entry.scope.instance = Some(instance.to_owned());
    entry.scope.route = Some("/invite/alice@example.com?token=abc".to_owned());
    let fields = json!({
        "note": "by alice, alice@example.com",
        "user": {"id": 7, "name": "alice", "role": "buyer", "mail": "Alice@example.com"},
        "request": {"headers": {"Authorization": "Bearer abc", "x": [trace, "10.0.0.7"]}},
        "accounts": ["alice", "bob"],
        "accountId": 17, "card": 4_111_111_111_111_111_u64, "ok": true, "took": 1.5, "none": null,
        "app_version": "1.2.3.4", "secret": {"a": ["p", 1]}, "carol@example.com": 1,
    });
    let Value::Object(fields) = fields else {
        panic!("an object")
    };
    entry.fields = fields;

    let mut pseudonyms = Pseudonyms::default();
    let told = pseudonyms.entry(&entry);
    assert_eq!((told.level, told.time), (entry.level, entry.time));
    assert_eq!(
        told.text,
        format!("user-2 paid o-17 {trace} {instance} token-4")
    );
    assert_eq!(told.error.as_deref(), Some("email-1 has no ip-1"));
    assert_eq!(told.source.as_deref(), Some("ip-1:514"));
    assert_eq!(told.scope.namespace, "alice");
    assert_eq!(told.scope.trace, entry.scope.trace);
    assert_eq!(told.scope.instance, entry.scope.instance);
    assert_eq!(
        told.scope.route.as_deref(),
        Some("/invite/email-1?token=token-1")
    );
    let expected = json!({
        "note": "by user-2, email-1",
        "user": {"id": "user-1", "name": "user-2", "role": "buyer", "mail": "email-1"},
        "request": {"headers": {"Authorization": "Bearer token-1", "x": [trace, "ip-1"]}},
        "accounts": ["user-2", "user-3"],
        "accountId": "user-4", "card": "card-1", "ok": true, "took": 1.5, "none": null,
        "app_version": "1.2.3.4", "secret": {"a": ["token-2", "token-3"]}, "email-2": 1,
    });
    assert_eq!(Value::Object(told.fields.clone()), expected);
    assert_eq!(
        pseudonyms.entry(&told),
        told,
        "tokens are not replaced again"
    );
    assert_eq!(pseudonyms.entry(&entry), told, "the same once more");
}
