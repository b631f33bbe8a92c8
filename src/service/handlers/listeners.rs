//! `/api/v2/namespaces/{namespace}/events/listeners` and `…/wait`: what waits for events.

use axum::extract::{Path, Query as Params, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::api::{
    ErrorAnswer, FilterForm, ListenerAnswer, ListenerForm, ListenersAnswer, ListenersParams,
    MAX_LIMIT, ServerSentEvent, WaitParams,
};
use crate::backend::{action_of, listener_answer, listener_page};
use crate::base::units;
use crate::events::{ContextFilter, NewListener, Trigger, Wait};
use crate::service::access::Caller;
use crate::service::error::Failure;
use crate::service::question::number;
use crate::service::{Service, sse};

/// Listeners in a page when the caller does not say.
const PAGE: usize = 100;

/// The listeners of a namespace: the newest of them, oldest first.
#[utoipa::path(
    get,
    path = crate::api::path::LISTENERS,
    tag = "events",
    params(("namespace" = String, Path), ListenersParams),
    responses((status = 200, description = "A page", body = ListenersAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn list(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    Params(params): Params<ListenersParams>,
) -> Result<Json<ListenersAnswer>, Failure> {
    page(&service, &caller, Some(&namespace), &params)
}

/// The listeners of every namespace: the newest of them, oldest first.
#[utoipa::path(
    get,
    path = crate::api::path::ALL_LISTENERS,
    tag = "events",
    params(ListenersParams),
    responses((status = 200, description = "A page, of the namespaces that the token is for", body = ListenersAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn all(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<ListenersParams>,
) -> Result<Json<ListenersAnswer>, Failure> {
    page(&service, &caller, None, &params)
}

fn page(
    service: &Service,
    caller: &Caller,
    namespace: Option<&str>,
    params: &ListenersParams,
) -> Result<Json<ListenersAnswer>, Failure> {
    let limit = number("limit", params.limit.as_deref(), PAGE, MAX_LIMIT)?;
    let offset = match params.offset.as_deref().map(str::parse::<usize>) {
        None => 0,
        Some(Ok(offset)) => offset,
        Some(Err(_)) => return Err(Failure::invalid("offset: expected a whole number from 0")),
    };
    let may_read = |namespace: &str| caller.may_read(namespace);
    let page = listener_page(service.events()?, namespace, (limit, offset), may_read);
    Ok(Json(page))
}

/// Makes a listener.
#[utoipa::path(
    post,
    path = crate::api::path::LISTENERS,
    tag = "events",
    params(("namespace" = String, Path)),
    request_body = ListenerForm,
    responses((status = 201, description = "Made", body = ListenerAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn create(
    State(service): State<Service>,
    Path(namespace): Path<String>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<ListenerAnswer>), Failure> {
    let made = service.events()?.listen(form(namespace, &body)?).await?;
    Ok((StatusCode::CREATED, Json(listener_answer(&made))))
}

/// One listener.
#[utoipa::path(
    get,
    path = crate::api::path::LISTENER,
    tag = "events",
    params(("namespace" = String, Path), ("listener" = String, Path, description = "Its id")),
    responses((status = 200, description = "As it is now", body = ListenerAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn get(
    State(service): State<Service>,
    Path((namespace, id)): Path<(String, String)>,
) -> Result<Json<ListenerAnswer>, Failure> {
    let found = service.events()?.listener(&namespace, parsed(&id)?)?;
    Ok(Json(listener_answer(&found)))
}

/// Changes a listener; what it holds of types that it still waits for stays.
#[utoipa::path(
    put,
    path = crate::api::path::LISTENER,
    tag = "events",
    params(("namespace" = String, Path), ("listener" = String, Path, description = "Its id")),
    request_body = ListenerForm,
    responses((status = 200, description = "As it is now", body = ListenerAnswer), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn change(
    State(service): State<Service>,
    Path((namespace, id)): Path<(String, String)>,
    body: axum::body::Bytes,
) -> Result<Json<ListenerAnswer>, Failure> {
    let events = service.events()?;
    let changed = events.change(parsed(&id)?, form(namespace, &body)?).await?;
    Ok(Json(listener_answer(&changed)))
}

/// Takes a listener away.
#[utoipa::path(
    delete,
    path = crate::api::path::LISTENER,
    tag = "events",
    params(("namespace" = String, Path), ("listener" = String, Path, description = "Its id")),
    responses((status = 204, description = "It is gone"), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn remove(
    State(service): State<Service>,
    Path((namespace, id)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    service.events()?.remove(&namespace, parsed(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Waits for events: `armed` tells when it began, and the listener, `fired` the events.
#[utoipa::path(
    get,
    path = crate::api::path::EVENTS_WAIT,
    tag = "events",
    params(("namespace" = String, Path), WaitParams),
    responses((status = 200, description = "armed: data is the listener; fired: data is an array of events", content_type = "text/event-stream", body = ServerSentEvent), (status = "4XX", description = "Refused: the body says why", body = ErrorAnswer), (status = "5XX", description = "Failed", body = ErrorAnswer))
)]
pub(in crate::service) async fn wait(
    State(service): State<Service>,
    Extension(caller): Extension<Caller>,
    Path(namespace): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let params = waited_for(query.as_deref().unwrap_or_default());
    let events = service.events()?;
    let mut wait = match &params.listener {
        Some(id) => events.wait_again(&namespace, parsed(id)?)?,
        None => events.wait(waiting(namespace, &params)?).await?,
    };
    let (sender, receiver) = mpsc::channel(2);
    let told = sender.clone();
    sse::send_while_wanted(service, caller, sender, async move {
        tell(&mut wait, &told).await;
    });
    Ok(sse::live(sse::EVENTS, receiver))
}

/// The parameters of waiting, of which some may be given several times.
fn waited_for(query: &str) -> WaitParams {
    let mut params = WaitParams::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        match name.as_str() {
            "type" => params.types.push(value),
            "filter" => params.filter.push(value),
            "mode" => params.mode = Some(value),
            "listener" => params.listener = Some(value),
            _ => {}
        }
    }
    params
}

fn waiting(namespace: String, params: &WaitParams) -> Result<NewListener, Failure> {
    let trigger = match (params.mode.as_deref(), params.types.len()) {
        (Some("all"), _) => Trigger::WaitAnd,
        (None | Some("any" | ""), 1) => Trigger::WaitSimple,
        (None | Some("any" | ""), _) => Trigger::WaitOr,
        (Some(found), _) => {
            let message = format!("mode: expected all or any, found {found:?}");
            return Err(Failure::invalid(message));
        }
    };
    let typed = FilterForm::parse_all(&params.filter);
    let typed = typed.map_err(|reason| Failure::invalid(format!("filter: {reason}")))?;
    Ok(NewListener {
        namespace,
        trigger,
        types: params.types.clone(),
        filters: filters(typed),
        lifespan: None,
        action: None,
    })
}

async fn tell(wait: &mut Wait, sender: &mpsc::Sender<axum::body::Bytes>) {
    let armed = format!(
        "event: armed\ndata: {{\"listener\":\"{}\"}}\n\n",
        wait.listener
    );
    if sender.send(armed.into()).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            fired = wait.fired() => {
                let Some(firing) = fired else { return };
                let events = serde_json::to_string(&firing.events).unwrap_or_default();
                let told = format!("event: fired\nid: {}\ndata: {events}\n\n", firing.id);
                if sender.send(told.into()).await.is_ok()
                    && let Err(error) = wait.told(&firing).await
                {
                    tracing::warn!(%error, "a firing that was told is kept");
                }
                return;
            }
            () = tokio::time::sleep(sse::SILENCE) => {
                if sender.send(sse::PING.into()).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn filters(forms: Vec<FilterForm>) -> Vec<ContextFilter> {
    let filters = forms.into_iter().map(|form| ContextFilter {
        kind: form.kind,
        context: form.context,
    });
    filters.collect()
}

fn parsed(id: &str) -> Result<Uuid, Failure> {
    let id = Uuid::parse_str(id);
    id.map_err(|_| Failure::not_found("there is no such listener: its id is a UUID"))
}

fn form(namespace: String, body: &[u8]) -> Result<NewListener, Failure> {
    let form: ListenerForm = serde_json::from_slice(body)
        .map_err(|error| Failure::invalid(format!("expected a listener: {error}")))?;
    let trigger = serde_json::from_value(form.trigger_type.as_str().into());
    let trigger: Trigger = trigger.map_err(|_| {
        let found = &form.trigger_type;
        Failure::invalid(format!(
            "triggerType: expected StartSimple, StartOR, StartAnd, WaitSimple, WaitOR or WaitAnd, found {found:?}"
        ))
    })?;
    let lifespan = form.lifespan.as_deref().map(units::parse_duration);
    let lifespan = lifespan.transpose();
    Ok(NewListener {
        namespace,
        trigger,
        types: form.listening_for_event_types,
        filters: filters(form.event_context_filters),
        lifespan: lifespan.map_err(|reason| Failure::invalid(format!("lifespan: {reason}")))?,
        action: form.action.map(action_of),
    })
}
