//! `tailwater events`: what happened elsewhere, and what waits for it.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::api::{
    ActionForm, BroadcastParams, EventsParams, FilterForm, ListenerAnswer, ListenerForm,
    ListenersParams,
};
use crate::base::units::parse_duration;
use crate::cli::args::{EventArgs, EventsAction, ListenArgs, Listing, On};
use crate::cli::{Error, Verdict, remote};
use crate::client::Client;
use crate::config::Settings;
use crate::entry::visible;

pub(in crate::cli) async fn run(
    settings: &Settings,
    action: &EventsAction,
) -> Result<Verdict, Error> {
    let client = remote::service(settings).await?;
    let namespace = settings.namespace.as_deref().unwrap_or("default");
    match action {
        EventsAction::Send(args) => send(&client, namespace, args).await,
        EventsAction::History {
            contains,
            kind,
            output,
        } => {
            let params = EventsParams {
                event_contains: contains.clone(),
                type_contains: kind.clone(),
                ..EventsParams::default()
            };
            history(&client, namespace, params, *output).await
        }
        EventsAction::Replay { id } => {
            client.replay_event(namespace, id).await?;
            Ok(Verdict::Done)
        }
        EventsAction::Listeners {
            delete: Some(id), ..
        } => {
            client.remove_listener(namespace, id).await?;
            Ok(Verdict::Done)
        }
        EventsAction::Listeners { output, .. } => listeners(&client, namespace, *output).await,
        EventsAction::Listen(args) => listen(&client, namespace, args).await,
        EventsAction::Wait { on, timeout } => {
            wait(&client, namespace, on, timeout.as_deref()).await
        }
    }
}

async fn send(client: &Client, namespace: &str, args: &EventArgs) -> Result<Verdict, Error> {
    let mut event = json!({"specversion": "1.0", "type": args.kind, "source": args.source});
    if let Some(id) = &args.id {
        event["id"] = id.as_str().into();
    }
    for attribute in &args.attributes {
        let (name, value) = attribute.split_once('=').ok_or_else(|| {
            Error::Said(format!(
                "--attribute: expected NAME=VALUE, found {attribute:?}"
            ))
        })?;
        event[name] = value.into();
    }
    let text = match args.says.as_deref() {
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(Error::io("read standard input"))?;
            Some(text)
        }
        other => other.map(str::to_owned),
    };
    if let Some(text) = text {
        event["data"] = serde_json::from_str(&text).unwrap_or_else(|_| text.into());
    }
    let params = BroadcastParams {
        delay: args.delay.clone(),
    };
    client.broadcast(namespace, &[event], &params).await?;
    Ok(Verdict::Done)
}

async fn history(
    client: &Client,
    namespace: &str,
    mut params: EventsParams,
    output: Listing,
) -> Result<Verdict, Error> {
    let (mut out, mut found) = (std::io::stdout(), false);
    loop {
        let page = client.event_history(namespace, &params).await?;
        for one in &page.data {
            found = true;
            let text = |name: &str| one.event[name].as_str().unwrap_or_default().to_owned();
            let written = match output {
                Listing::Json => writeln!(out, "{}", json!(one)),
                Listing::Text => {
                    let line = format!(
                        "{}  {}  {}  {}",
                        one.received_at,
                        text("type"),
                        text("source"),
                        text("id")
                    );
                    writeln!(out, "{}", visible(&line).text)
                }
            };
            written.map_err(Error::io("write"))?;
        }
        if page.meta.previous_page.is_none() {
            return Ok(if found {
                Verdict::Done
            } else {
                Verdict::NothingFound
            });
        }
        params.before = page.meta.previous_page;
    }
}

async fn listeners(client: &Client, namespace: &str, output: Listing) -> Result<Verdict, Error> {
    let params = ListenersParams {
        limit: Some(crate::api::MAX_LIMIT.to_string()),
        ..ListenersParams::default()
    };
    let page = client.listeners(namespace, &params).await?;
    let mut out = std::io::stdout();
    for one in &page.data {
        let written = match output {
            Listing::Json => writeln!(out, "{}", json!(one)),
            Listing::Text => writeln!(out, "{}", visible(&told(one)).text),
        };
        written.map_err(Error::io("write"))?;
    }
    Ok(if page.data.is_empty() {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn told(listener: &ListenerAnswer) -> String {
    let types = listener.listening_for_event_types.join(", ");
    let mut line = format!("{}  {}  {types}", listener.id, listener.trigger_type);
    if !listener.still_waiting_for.is_empty() {
        let awaited = listener.still_waiting_for.join(", ");
        line.push_str(&format!("  still waits for {awaited}"));
    }
    line.push_str(&format!("  fired {} times", listener.fired));
    line
}

async fn listen(client: &Client, namespace: &str, args: &ListenArgs) -> Result<Verdict, Error> {
    let action = match (&args.webhook, &args.log) {
        (Some(url), _) => ActionForm::Webhook {
            url: url.clone(),
            secret: args.secret.clone(),
        },
        (None, text) => ActionForm::Log { text: text.clone() },
    };
    let trigger = match (args.on.all, args.on.types.len()) {
        (true, _) => "StartAnd",
        (false, 1) => "StartSimple",
        (false, _) => "StartOR",
    };
    let form = ListenerForm {
        trigger_type: trigger.to_owned(),
        listening_for_event_types: args.on.types.clone(),
        event_context_filters: filters(&args.on.filters)?,
        lifespan: args.lifespan.clone(),
        action: Some(action),
    };
    let made = client.listen(namespace, &form).await?;
    writeln!(std::io::stdout(), "{}", made.id).map_err(Error::io("write"))?;
    Ok(Verdict::Done)
}

/// Filters as they are typed: `TYPE.ATTRIBUTE=PATTERN`; types have dots of their own.
fn filters(texts: &[String]) -> Result<Vec<FilterForm>, Error> {
    let mut filters: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for text in texts {
        let parts = text.split_once('=').and_then(|(name, pattern)| {
            let (kind, name) = name.rsplit_once('.')?;
            Some((kind, name, pattern))
        });
        let (kind, name, pattern) = parts.ok_or_else(|| {
            let expected = "--filter: expected TYPE.ATTRIBUTE=PATTERN";
            Error::Said(format!("{expected}, found {text:?}"))
        })?;
        let context = filters.entry(kind.to_owned()).or_default();
        context.insert(name.to_owned(), pattern.to_owned());
    }
    let forms = filters.into_iter();
    Ok(forms
        .map(|(kind, context)| FilterForm { kind, context })
        .collect())
}

async fn wait(
    client: &Client,
    namespace: &str,
    on: &On,
    timeout: Option<&str>,
) -> Result<Verdict, Error> {
    let timeout = timeout.map(parse_duration).transpose();
    let timeout = timeout.map_err(|reason| Error::Said(format!("--timeout: {reason}")))?;
    let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut params: Vec<_> = on.types.iter().map(|kind| named("type", kind)).collect();
    params.extend(on.filters.iter().map(|filter| named("filter", filter)));
    params.push(named("mode", if on.all { "all" } else { "any" }));
    let waiting = client.wait_for_events(namespace, &params, || {});
    let events: Vec<Value> = match timeout {
        None => waiting.await?,
        Some(timeout) => match tokio::time::timeout(timeout, waiting).await {
            Ok(events) => events?,
            Err(_) => return Ok(Verdict::NothingFound),
        },
    };
    let mut out = std::io::stdout();
    for event in events {
        writeln!(out, "{event}").map_err(Error::io("write"))?;
    }
    Ok(Verdict::Done)
}
