//! Who may do what: the one place where it is decided.
//!
//! A listener is open (loopback, the Unix socket) or guarded by tokens. The guard stands before every route; a route that
//! [`Need::of`] does not know needs an administrator.

mod tokens;

use std::time::Duration;

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Service;
use super::error::Failure;
use super::intake::Tenant;
use crate::api::path;
use crate::base::Time;

pub use tokens::{NewToken, Right, Token, TokenError, Tokens};

/// How often it is looked whether a stream's token is still worth something.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

/// Whom a listener lets in.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Everybody, to everything.
    #[default]
    Open,
    /// Who shows a token, to what it allows.
    Guarded(Tokens),
}

/// Who asks, where tokens are asked for.
#[derive(Clone, Debug)]
pub(super) struct Caller(Option<Token>);

impl Caller {
    /// Whether the caller may read a namespace.
    pub fn may_read(&self, namespace: &str) -> bool {
        let allows = |token: &Token| token.allows(Right::Read, Some(namespace));
        self.0.as_ref().is_none_or(allows)
    }

    /// Whether the token still is worth something: a stream may outlive it.
    pub fn is_still_welcome(&self, service: &Service) -> bool {
        match (&self.0, &service.options.access) {
            (Some(token), Access::Guarded(tokens)) => {
                let is_same =
                    |other: &Token| other.id == token.id && !other.is_expired(Time::now());
                tokens.all().is_ok_and(|tokens| tokens.iter().any(is_same))
            }
            _ => true,
        }
    }

    /// Ends when the token is revoked or its time is over.
    pub async fn until_unwelcome(&self, service: &Service) {
        let mut looks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            looks.tick().await;
            if !self.is_still_welcome(service) {
                return;
            }
        }
    }

    /// The namespaces that the caller may write into.
    pub fn tenant(&self) -> Tenant {
        let namespace = self.0.as_ref().and_then(|token| token.namespace.clone());
        namespace.map_or(Tenant::Any, Tenant::OfToken)
    }
}

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// Any token; the handler leaves out what it does not allow.
    Token,
    /// In the namespace of the path, or in all.
    Right(Right),
    /// Writing into whatever namespace the token is for; the handler refuses entries of others.
    Pushing,
}

impl Need {
    fn of(method: &Method, route: &str) -> Self {
        let reading = method == Method::GET || method == Method::HEAD;
        let writing = method == Method::POST;
        match route {
            path::HEALTH | path::READY | path::STATUS | path::OPENAPI | path::BULK_HELLO
                if reading =>
            {
                Self::Nothing
            }
            path::NAMESPACES if reading => Self::Token,
            path::PIPELINES | path::PIPELINE_STATUS | path::PIPELINE_STREAM if reading => {
                Self::Right(Right::Read)
            }
            path::LOGS
            | path::SUBSCRIBE
            | path::HISTOGRAM
            | path::FACETS
            | path::VALUES
            | path::ENTRY
            | path::CONTEXT
            | path::METRICS
            | path::NAMESPACE_LOGS
            | path::NAMESPACE_SUBSCRIBE
            | path::NAMESPACE_HISTOGRAM
            | path::NAMESPACE_FACETS
            | path::NAMESPACE_VALUES
            | path::NAMESPACE_ENTRY
            | path::NAMESPACE_CONTEXT
                if reading =>
            {
                Self::Right(Right::Read)
            }
            path::NAMESPACE_LOGS if writing => Self::Right(Right::Write),
            path::LOGS | path::OTLP | path::LOKI | path::PIPELINE_INGEST if writing => {
                Self::Pushing
            }
            path::BULK | path::BULK_INDEX if writing || method == Method::PUT => Self::Pushing,
            _ => Self::Right(Right::Admin),
        }
    }
}

/// Lets in who may come in.
pub(super) async fn guard(
    State(service): State<Service>,
    route: MatchedPath,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let need = Need::of(request.method(), route.as_str());
    let mut params = params.iter();
    let namespace = params.find(|(name, _)| *name == "namespace");
    let namespace = namespace.map(|(_, value)| value);
    let caller = admit(&service, request.headers(), need, namespace)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Who pushes by another protocol than HTTP/1's.
pub(super) fn admit_pushing(service: &Service, headers: &HeaderMap) -> Result<Caller, Failure> {
    admit(service, headers, Need::Pushing, None)
}

fn admit(
    service: &Service,
    headers: &HeaderMap,
    need: Need,
    namespace: Option<&str>,
) -> Result<Caller, Failure> {
    let Access::Guarded(tokens) = &service.options.access else {
        return Ok(Caller(None));
    };
    if need == Need::Nothing {
        return Ok(Caller(None));
    }
    let presented = presented(headers).ok_or_else(Failure::token_missing)?;
    let token = tokens.check(&presented, Time::now());
    let token = token.map_err(|error| {
        tracing::error!(%error, "nobody is let in");
        Failure::tokens_unreadable()
    })?;
    let token = token.ok_or_else(Failure::token_invalid)?;
    service.limits.token(&token.id)?;
    let (right, namespace) = match need {
        Need::Right(right) => (Some(right), namespace),
        Need::Pushing => (Some(Right::Write), token.namespace.as_deref()),
        Need::Nothing | Need::Token => (None, None),
    };
    if let Some(right) = right
        && !token.allows(right, namespace)
    {
        return Err(Failure::token_denied(denial(right, namespace)));
    }
    Ok(Caller(Some(token)))
}

fn denial(right: Right, namespace: Option<&str>) -> String {
    let right = match right {
        Right::Read => "read",
        Right::Write => "write to",
        Right::Admin => "administer",
    };
    let what = namespace.map_or_else(
        || "all namespaces".to_owned(),
        |name| format!("namespace {name:?}"),
    );
    format!("the token does not allow to {right} {what}")
}

/// The token of a request: as most clients send it, or as Direktiv's do.
fn presented(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, rest) = value.split_once(' ')?;
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" => Some(rest.trim().to_owned()),
            // Whoever can only do that gives the token as the password; the name is its own affair.
            "basic" => {
                let pair = BASE64_STANDARD.decode(rest.trim()).ok()?;
                let pair = String::from_utf8(pair).ok()?;
                Some(pair.split_once(':')?.1.to_owned())
            }
            _ => None,
        }
    });
    let text = |name: &str| text(name).map(str::to_owned);
    own.or_else(|| text("direktiv-token"))
        .or_else(|| text("direktiv-api-key"))
}
