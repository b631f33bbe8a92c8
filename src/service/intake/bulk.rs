//! Elasticsearch's `_bulk` to entries: a line that says what to do, then the document.
//!
//! Only `index` and `create` are done: a log is appended to. The name of the index is the namespace of documents that
//! name none. Source of the format: the bulk API of Elasticsearch.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Intake, Tenant};
use crate::entry::decode::{Defaults, Pairs, from_object};
use crate::entry::{Entry, bytes};
use crate::service::Service;
use crate::service::error::Failure;

/// Actions of a body: each is answered for.
const MAX_ITEMS: usize = 100_000;

/// `{"index":{"_index":"name"}}`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Index(Target),
    Create(Target),
    Update(Target),
    Delete(Target),
}

#[derive(Debug, Default, Deserialize)]
struct Target {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id")]
    id: Option<Value>,
}

/// Takes the documents of a body; what became of each, in order.
pub(in crate::service) async fn take(
    service: &Service,
    tenant: Tenant,
    index: Option<&str>,
    body: &[u8],
) -> Result<Vec<Value>, Failure> {
    let mut intake = Intake::new(service, "bulk", tenant.clone());
    let mut items = Vec::new();
    let mut lines = body.split(|byte| *byte == b'\n').enumerate();
    while let Some((at, line)) = lines.next() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if items.len() >= MAX_ITEMS {
            let reason = format!("a body may have {MAX_ITEMS} actions");
            items.push(Target::default().refused("index", &reason));
            break;
        }
        let (verb, mut target, is_done) = match serde_json::from_slice(line) {
            Ok(Action::Index(target)) => ("index", target, true),
            Ok(Action::Create(target)) => ("create", target, true),
            Ok(Action::Update(target)) => ("update", target, false),
            Ok(Action::Delete(target)) => ("delete", target, false),
            // From here on nobody knows what is an action and what a document.
            Err(error) => {
                let expected = r#"expected an action such as {"create":{"_index":"name"}}"#;
                let reason = format!("line {}: {expected}: {error}", at + 1);
                items.push(Target::default().refused("index", &reason));
                break;
            }
        };
        target.index = target.index.or_else(|| index.map(str::to_owned));
        let document = if verb == "delete" { None } else { lines.next() };
        items.push(match document {
            _ if !is_done => target.refused(verb, "a log is only appended to"),
            None => target.refused(verb, "the action's document is missing"),
            Some((at, document)) => {
                intake.line = at as u64 + 1;
                match entry(document, &target, &tenant, &intake.defaults) {
                    Ok(entry) => {
                        intake.entry(entry).await;
                        target.created(verb)
                    }
                    Err(reason) => target.refused(verb, &reason),
                }
            }
        });
    }
    intake.finish_whole().await?;
    Ok(items)
}

fn entry(
    document: &[u8],
    target: &Target,
    tenant: &Tenant,
    defaults: &Defaults,
) -> Result<Entry, String> {
    let document: Pairs = serde_json::from_str(&bytes::decode(document))
        .map_err(|error| format!("expected a JSON object: {error}"))?;
    let index = target
        .index
        .as_ref()
        .filter(|_| tenant.namespace().is_none());
    let entry = match index {
        None => from_object(document, defaults),
        Some(index) => {
            let namespace = index.clone();
            from_object(
                document,
                &Defaults {
                    namespace,
                    ..defaults.clone()
                },
            )
        }
    };
    tenant.objection(&entry).map_or(Ok(entry), Err)
}

impl Target {
    fn created(self, verb: &str) -> Value {
        self.item(verb, json!({"status": 201, "result": "created"}))
    }

    fn refused(self, verb: &str, reason: &str) -> Value {
        let error = json!({"type": "illegal_argument_exception", "reason": reason});
        self.item(verb, json!({"status": 400, "error": error}))
    }

    fn item(self, verb: &str, outcome: Value) -> Value {
        let mut item = Map::new();
        item.insert("_index".into(), self.index.unwrap_or_default().into());
        // Senders want one; entries have positions.
        let id = self
            .id
            .unwrap_or_else(|| format!("{:016x}", fastrand::u64(..)).into());
        item.insert("_id".into(), id);
        if let Value::Object(outcome) = outcome {
            item.extend(outcome);
        }
        Value::Object(Map::from_iter([(verb.to_owned(), Value::Object(item))]))
    }
}
