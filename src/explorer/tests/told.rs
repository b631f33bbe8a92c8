//! What services tell in these tests.

use super::*;

pub(super) fn pipelines(given: u64) -> Vec<PipelineStatus> {
    let part = |id: &str, kind: &str, given: u64| PartStatus {
        id: id.into(),
        kind: kind.into(),
        given,
        ..PartStatus::default()
    };
    let failing = PartStatus {
        trouble: Some(Trouble {
            time: "2026-11-21T00:00:00Z".into(),
            text: "http://b:1: nobody \u{1b}[31m answers".into(),
            is_over: false,
        }),
        ..part("http_client http://b:1", "http_client", 0)
    };
    let app = PipelineStatus {
        name: "app".into(),
        sources: vec![PartStatus {
            lag_bytes: 3 << 20,
            ..part("directory /var/log/*.log", "directory", given)
        }],
        filters: vec![part("1", "include", given / 2)],
        sinks: vec![part("store", "store", given / 2), failing],
        endpoints: vec!["/app/status".into()],
        ..PipelineStatus::default()
    };
    let other = PipelineStatus {
        name: "other".into(),
        ..app.clone()
    };
    vec![app, other]
}

pub(super) fn stream(key: &str, last: u64) -> StreamAnswer {
    StreamAnswer {
        key: key.into(),
        state: "open".into(),
        opened: "1970-01-01T00:00:00Z".into(),
        written: "1970-01-01T00:01:30Z".into(),
        expires: None,
        closed: None,
        first: 1,
        last,
        bytes: 3 << 20,
        rate: 240.0,
        subscribers: 2,
    }
}

pub(super) fn blob(key: &str) -> BlobAnswer {
    BlobAnswer {
        key: key.into(),
        size: 5 << 20,
        sha256: None,
        content_type: Some("text/plain".into()),
        modified: "2026-11-21T10:00:00Z".into(),
    }
}

pub(super) fn event(number: u64, kind: &str, trace: Option<&str>) -> EventAnswer {
    EventAnswer {
        event: json!({"type": kind, "source": "ci", "id": number.to_string(), "data": "\u{1b}[2J"}),
        namespace: "pay".into(),
        received_at: format!("1970-01-01T00:01:{number:02}Z"),
        serial_id: number,
        trace: trace.map(str::to_owned),
    }
}

pub(super) fn listener() -> ListenerAnswer {
    ListenerAnswer {
        id: "l".into(),
        created_at: String::new(),
        updated_at: String::new(),
        namespace: "pay".into(),
        trigger_type: "StartAnd".into(),
        listening_for_event_types: vec!["alert".into(), "deploy.failed".into()],
        still_waiting_for: vec!["deploy.failed".into()],
        event_context_filters: Vec::new(),
        received_events_for_and_trigger: vec![HeldAnswer {
            kind: "alert".into(),
            id: "20".into(),
            source: "ci".into(),
        }],
        lifespan_of_received_events: 0,
        fired: 3,
        trigger_workflow: Some("webhook http://x".into()),
        trigger_instance: None,
        action: None,
    }
}
