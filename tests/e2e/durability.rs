//! What was acknowledged is there after the worst.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::Value;

use crate::support::{Service, wait_for};

/// All `n` of the entries "acknowledged n".
fn kept(service: &Service) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut path = "/api/v2/logs?limit=1000&direction=newer".to_owned();
    loop {
        let page = service.get(&path).json();
        for entry in page["data"].as_array().expect("data") {
            let text = entry["msg"].as_str().expect("a message");
            numbers.extend(
                text.strip_prefix("acknowledged ")
                    .and_then(|n| n.parse::<u64>().ok()),
            );
        }
        match page["meta"]["cursor"].as_str() {
            Some(cursor) => path = format!("/api/v2/logs?limit=1000&cursor={cursor}"),
            None => return numbers,
        }
    }
}

#[test]
fn acknowledged_entries_survive_kill_9() {
    let home = tempfile::tempdir().expect("a home");
    let mut service = Service::start(home.path());
    let mut acknowledged = 0;
    for round in 0..3 {
        let (url, stop, last) = (
            service.url.clone(),
            AtomicBool::new(false),
            AtomicU64::new(acknowledged),
        );
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                let http = reqwest::Client::new();
                while !stop.load(Ordering::SeqCst) {
                    let from = last.load(Ordering::SeqCst);
                    let body: String = (from..from + 50)
                        .map(|n| format!("{{\"msg\":\"acknowledged {n}\"}}\n"))
                        .collect();
                    let answer = runtime.block_on(async {
                        http.post(format!("{url}/api/v2/logs"))
                            .body(body)
                            .send()
                            .await
                    });
                    match answer {
                        Ok(response) if response.status().as_u16() == 202 => {
                            last.store(from + 50, Ordering::SeqCst);
                        }
                        _ => return,
                    }
                }
            });
            // In the middle of it: some batches are answered, one is on its way.
            wait_for("some batches", || {
                (last.load(Ordering::SeqCst) >= acknowledged + 500).then_some(())
            });
            service.kill();
            stop.store(true, Ordering::SeqCst);
        });
        acknowledged = last.load(Ordering::SeqCst);
        service.restart();
        let numbers = kept(&service);
        let distinct: BTreeSet<u64> = numbers.iter().copied().collect();
        let missing: Vec<u64> = (0..acknowledged)
            .filter(|n| !distinct.contains(n))
            .collect();
        assert!(
            missing.is_empty(),
            "round {round}: {} of {acknowledged} are missing, first {:?}",
            missing.len(),
            missing.first()
        );
        // A batch that was not answered may be there whole; then its sender's next try would double it: go on after it.
        acknowledged = distinct.last().map_or(0, |last| last + 1);
        assert_eq!(numbers.len(), distinct.len(), "nothing is doubled");
    }
}

#[test]
fn a_stop_is_clean_and_the_next_start_finds_everything() {
    let home = tempfile::tempdir().expect("a home");
    let mut service = Service::start(home.path());
    let body: String = (0..10_000)
        .map(|n| format!("{{\"msg\":\"acknowledged {n}\",\"n\":{n}}}\n"))
        .collect();
    assert_eq!(
        service.post("/api/v2/logs", body).json()["accepted"],
        10_000
    );
    assert!(service.stop().success());
    let leftover: Vec<_> = std::fs::read_dir(service.data.join("log"))
        .expect("listed")
        .filter_map(|item| item.ok()?.file_name().into_string().ok())
        .filter(|name| {
            std::path::Path::new(name)
                .extension()
                .is_none_or(|extension| extension != "parquet")
        })
        .collect();
    assert!(leftover.is_empty(), "sealed at the stop: {leftover:?}");
    service.restart();
    assert_eq!(kept(&service).len(), 10_000);
    let status: Value = service.get("/api/v2/status").json();
    assert_eq!(
        (
            status["data"]["entries"].as_u64(),
            status["data"]["head"].as_u64()
        ),
        (Some(10_000), Some(10_000))
    );
}
