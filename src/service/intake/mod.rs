//! What senders push, whatever they speak, to entries in the log.
//!
//! ```text
//! NDJSON, JSON, text: read as it comes, line by line --+
//! OTLP, Loki, _bulk: read whole ---> decoded ----------+--> Intake: batches --> Appender --> answer when durable
//! ```
//!
//! Invariants: what is answered as accepted is durable; what is not accepted is told with its place and reason; memory
//! is bounded over all senders together ([`Budget`]), and a sender that finds it used up is asked to come again.

mod batch;
mod budget;
pub(super) mod bulk;
pub(super) mod loki;
pub(super) mod otlp;
mod reading;
mod tenant;

pub(super) use batch::{Intake, Outcome};
pub(super) use budget::{Budget, Share};
pub(super) use reading::{MAX_EXPORT_BYTES, read_lines, read_text, whole, whole_within};
pub(super) use tenant::Tenant;

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use axum::body::{Body, to_bytes};
    use axum::http::{Request, header};
    use tokio_util::sync::CancellationToken;
    use tower::ServiceExt;

    use super::*;
    use crate::service::Service;
    use crate::store::{Durability, Options, Store};

    const RECORD: &str =
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
    /// A push in every protocol, and what answers it when all is well.
    const PUSHES: [(&str, &str, u16); 5] = [
        ("/api/v2/logs", "{\"msg\":\"x\"}", 202),
        ("/api/v2/namespaces/a/logs", "[{\"msg\":\"x\"}]", 202),
        ("/v1/logs", RECORD, 200),
        (
            "/loki/api/v1/push",
            r#"{"streams":[{"stream":{},"values":[["1","x"]]}]}"#,
            204,
        ),
        ("/_bulk", "{\"create\":{}}\n{\"msg\":\"x\"}\n", 200),
    ];

    fn service(dir: &std::path::Path, budget: Budget) -> Service {
        let options = Options {
            durability: Durability::None,
            ..Options::default()
        };
        let (store, _) = Store::open(dir, options).expect("a store");
        Service {
            budget,
            ..Service::new(store, CancellationToken::new())
        }
    }

    /// Status, `Retry-After` and code of an answer.
    async fn push(service: &Service, path: &str, body: &str) -> (u16, String, String) {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let answer = service.clone().router().oneshot(request).await;
        let answer = answer.expect("an answer");
        let wait = answer.headers().get(header::RETRY_AFTER);
        let wait = wait
            .map_or("", |wait| wait.to_str().expect("words"))
            .to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let code = told["error"]["code"].as_str().unwrap_or_default();
        (status, wait, code.to_owned())
    }

    /// Takes all that may fly, once what flies has given its share back: that is a moment after it is in the log.
    async fn fly(budget: &Budget) -> Share {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Ok(all) = budget.fly(1 << 20).await {
                return all;
            }
            assert!(Instant::now() < deadline, "a share is not given back");
        }
    }

    #[tokio::test]
    async fn who_finds_the_log_behind_is_asked_to_come_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let budget = Budget::of(1 << 20, 1 << 20, Duration::from_millis(5));
        let service = service(dir.path(), budget.clone());
        let behind = (429, "2".to_owned(), "log_behind".to_owned());
        for (path, body, well) in PUSHES {
            let flying = fly(&budget).await;
            assert_eq!(push(&service, path, body).await, behind, "{path}");
            drop(flying);
            let mut reading = Share::default();
            budget.read(&mut reading, 1 << 20).expect("all there is");
            assert_eq!(push(&service, path, body).await, behind, "{path}");
            drop(reading);
            assert_eq!(push(&service, path, body).await.0, well, "{path}");
        }
        // What was refused left nothing behind, and what was taken gave its share back.
        assert_eq!(service.store.count(), PUSHES.len() as u64);
        drop(fly(&budget).await);
    }

    #[tokio::test]
    async fn what_is_taken_in_part_is_told_with_the_failures_status() {
        let dir = tempfile::tempdir().expect("a directory");
        let budget = Budget::of(64 << 20, 1 << 20, Duration::from_millis(5));
        let service = service(dir.path(), budget.clone());
        // The body comes in two halves; between them the log falls behind.
        let half = "{\"msg\":\"x\"}\n".repeat(1_000);
        let (sender, receiver) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
        let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
        let request = Request::post("/api/v2/logs").body(body).expect("a request");
        let answering = tokio::spawn(service.clone().router().oneshot(request));
        sender.send(Ok(half.clone())).await.expect("sent");
        let mut head = service.store.head();
        head.wait_for(|head| head.0 == 1_000)
            .await
            .expect("appended");
        let flying = fly(&budget).await;
        sender.send(Ok(half)).await.expect("sent");
        drop(sender);
        let answer = answering.await.expect("joined").expect("an answer");
        assert_eq!(answer.status().as_u16(), 429);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
        let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
        let told: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(told["accepted"], 1_000);
        drop(flying);
    }

    #[tokio::test]
    async fn a_batch_larger_than_the_budget_has_it_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let budget = Budget::of(64 << 20, 64 << 10, Duration::from_secs(30));
        let service = service(dir.path(), budget);
        let line = format!("{{\"msg\":\"{}\"}}\n", "x".repeat(1_000));
        let body = line.repeat(3_000);
        let pushes = (0..4).map(|_| push(&service, "/api/v2/logs", &body));
        for answer in futures_util::future::join_all(pushes).await {
            assert_eq!(answer.0, 202);
        }
        assert_eq!(service.store.count(), 12_000);
    }
}
