//! `tailwater events`: what happened elsewhere, and what waits for it.

use std::io::{Read, Write};

use serde::Serialize;
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
        EventsAction::Dead {
            retry: Some(id), ..
        } => {
            client.bury(namespace, id, true).await?;
            Ok(Verdict::Done)
        }
        EventsAction::Dead {
            delete: Some(id), ..
        } => {
            client.bury(namespace, id, false).await?;
            Ok(Verdict::Done)
        }
        EventsAction::Dead { output, .. } => dead(&client, namespace, *output).await,
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
        let page = client.event_history(Some(namespace), &params).await?;
        for one in &page.data {
            found = true;
            let text = |name: &str| one.event[name].as_str().unwrap_or_default().to_owned();
            let line = || {
                let event = [text("type"), text("source"), text("id")].join("  ");
                format!("{}  {event}", one.received_at)
            };
            print(&mut out, output, one, line)?;
        }
        if !page.meta.has_more {
            return Ok(verdict(found));
        }
        params.before = page.meta.previous_page;
    }
}

async fn listeners(client: &Client, namespace: &str, output: Listing) -> Result<Verdict, Error> {
    let mut out = std::io::stdout();
    let mut told_of = 0;
    loop {
        let params = ListenersParams {
            limit: Some(crate::api::MAX_LIMIT.to_string()),
            offset: Some(told_of.to_string()),
        };
        let page = client.listeners(Some(namespace), &params).await?;
        for one in page.data.iter().rev() {
            print(&mut out, output, one, || told(one))?;
        }
        told_of += page.data.len();
        if page.data.len() < crate::api::MAX_LIMIT {
            return Ok(verdict(told_of > 0));
        }
    }
}

async fn dead(client: &Client, namespace: &str, output: Listing) -> Result<Verdict, Error> {
    let letters = client.dead_letters(namespace).await?;
    let mut out = std::io::stdout();
    for one in &letters {
        let line = || format!("{}  {}  {}", one.at, one.firing.id, one.reason);
        print(&mut out, output, one, line)?;
    }
    Ok(verdict(!letters.is_empty()))
}

/// A line of a listing.
fn print(
    out: &mut impl Write,
    output: Listing,
    one: &impl Serialize,
    line: impl FnOnce() -> String,
) -> Result<(), Error> {
    let written = match output {
        Listing::Json => writeln!(out, "{}", json!(one)),
        Listing::Text => writeln!(out, "{}", visible(&line()).text),
    };
    written.map_err(Error::io("write"))
}

fn verdict(found: bool) -> Verdict {
    if found {
        Verdict::Done
    } else {
        Verdict::NothingFound
    }
}

fn told(listener: &ListenerAnswer) -> String {
    let types = listener.listening_for_event_types.join(", ");
    let mut line = format!("{}  {}  {types}", listener.id, listener.trigger_type);
    if !listener.still_waiting_for.is_empty() {
        let awaited = listener.still_waiting_for.join(", ");
        line.push_str(&format!("  still waits for {awaited}"));
    }
    if let Some(target) = &listener.trigger_workflow {
        line.push_str(&format!("  {target}"));
    }
    line.push_str(&format!("  fired {} times", listener.fired));
    line
}

async fn listen(client: &Client, namespace: &str, args: &ListenArgs) -> Result<Verdict, Error> {
    let action = match (&args.webhook, &args.command, &args.view) {
        (Some(url), ..) => ActionForm::Webhook {
            url: url.clone(),
            secret: args.secret.clone(),
        },
        (_, Some(name), _) => ActionForm::Command { name: name.clone() },
        (_, _, Some(query)) => ActionForm::View {
            query: Some(query.clone()).filter(|query| !query.is_empty()),
            text: args.text.clone(),
        },
        (None, None, None) => ActionForm::Log {
            text: args.log.clone(),
        },
    };
    let trigger = match (args.on.all, args.on.types.len()) {
        (true, _) => "StartAnd",
        (false, 1) => "StartSimple",
        (false, _) => "StartOR",
    };
    let form = ListenerForm {
        trigger_type: trigger.to_owned(),
        listening_for_event_types: args.on.types.clone(),
        event_context_filters: FilterForm::parse_all(&args.on.filters)
            .map_err(|reason| Error::Said(format!("--filter: {reason}")))?,
        lifespan: args.lifespan.clone(),
        action: Some(action),
    };
    let made = client.listen(namespace, &form).await?;
    writeln!(std::io::stdout(), "{}", made.id).map_err(Error::io("write"))?;
    Ok(Verdict::Done)
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
