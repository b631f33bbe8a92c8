//! Who may do what: the one place where it is decided.
//!
//! A listener is open (loopback, the Unix socket) or guarded by tokens. The guard stands before every route; a route that
//! [`Need::of`] does not know needs an administrator.

mod secret;
mod subject;
mod tokens;

use std::time::Duration;

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Service;
use super::error::Failure;
use super::intake::Tenant;
use crate::api::path;
use crate::base::Time;
use crate::blobs::{Key, Permit, Prefix};

pub use secret::Secret;
pub(super) use secret::seconds;
pub(super) use subject::{Subject, parameter};
pub use tokens::{NewToken, Right, Scope, Token, TokenError, Tokens};

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
        let allows = |token: &Token| token.allows(Right::Read, Scope::Namespace(namespace));
        self.0.as_ref().is_none_or(allows)
    }

    /// Whether the caller may do something with the streams and blobs of a prefix.
    pub fn may(&self, right: Right, prefix: &Prefix) -> bool {
        let allows = |token: &Token| token.allows(right, Scope::Below(prefix));
        self.0.as_ref().is_none_or(allows)
    }

    /// Whether the caller may give another a token of an account: who may read and write it, by a token that can be
    /// revoked. One that was handed on ends with its time.
    pub fn may_hand_on(&self, account: &Key) -> bool {
        let account = Prefix::from(account.clone());
        let is_kept = self.0.as_ref().is_none_or(Token::is_kept);
        is_kept && self.may(Right::Read, &account) && self.may(Right::Write, &account)
    }

    /// What of a prefix the caller may list.
    pub fn listing(&self, prefix: Prefix) -> Result<Prefix, Failure> {
        let Some(token) = &self.0 else {
            return Ok(prefix);
        };
        let own = token.below().unwrap_or_default();
        if token.allows(Right::Read, Scope::Below(&prefix)) {
            return Ok(prefix);
        }
        let is_within = own.key().is_some_and(|own| prefix.holds(own));
        if is_within && token.allows(Right::Read, Scope::Below(&own)) {
            return Ok(own);
        }
        Err(Failure::token_denied(denial(
            Right::Read,
            &Subject::Prefix(prefix),
        )))
    }

    /// Whether the token still is worth something: a stream may outlive it.
    pub fn is_still_welcome(&self, service: &Service) -> bool {
        match (&self.0, &service.options.access) {
            (Some(token), _) if !token.is_kept() => !token.is_expired(Time::now()),
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
            path::HARNESS_READY if reading => Self::Nothing,
            // What the token does not allow is left out.
            path::NAMESPACES | path::ALL_EVENTS | path::ALL_LISTENERS | path::FIRINGS
                if reading =>
            {
                Self::Token
            }
            path::STREAMS | path::BLOBS | path::STEP_STREAMS | path::HARNESS_INFO if reading => {
                Self::Token
            }
            path::STREAM
            | path::BLOB
            | path::STEP_STREAM
            | path::STEP_BLOB
            | path::HARNESS_STREAM
            | path::HARNESS_BLOB
            | path::HARNESS_EXISTS
            | path::HARNESS_ARCHIVE
            | path::STEP_DOWNLOAD
            | path::HARNESS_DOWNLOAD
                if reading =>
            {
                Self::Right(Right::Read)
            }
            path::HARNESS_ARCHIVE | path::STEP_DOWNLOAD | path::HARNESS_DOWNLOAD if writing => {
                Self::Right(Right::Read)
            }
            // Which right a link needs, the handler knows.
            path::BLOB if writing => Self::Token,
            path::STREAM
            | path::BLOB
            | path::STEP_STREAM
            | path::STEP_BLOB
            | path::HARNESS_STREAM
            | path::HARNESS_BLOB
            | path::STEP_UPLOAD
            | path::HARNESS_UPLOAD
            | path::HARNESS_INTERNAL => Self::Right(Right::Write),
            // Who may hand an account on, the handler knows.
            path::HARNESS_TOKEN if reading => Self::Token,
            path::PIPELINES | path::PIPELINE_STATUS | path::PIPELINE_STREAM if reading => {
                Self::Right(Right::Read)
            }
            path::LOGS
            | path::SUBSCRIBE
            | path::HISTOGRAM
            | path::FACETS
            | path::PATTERNS
            | path::COMPARE
            | path::VALUES
            | path::ENTRY
            | path::CONTEXT
            | path::METRICS
            | path::NAMESPACE_LOGS
            | path::NAMESPACE_SUBSCRIBE
            | path::NAMESPACE_HISTOGRAM
            | path::NAMESPACE_FACETS
            | path::NAMESPACE_PATTERNS
            | path::NAMESPACE_COMPARE
            | path::NAMESPACE_VALUES
            | path::NAMESPACE_ENTRY
            | path::NAMESPACE_CONTEXT
            | path::EVENTS
            | path::EVENTS_SUBSCRIBE
            | path::EVENT
            | path::LISTENERS
            | path::LISTENER
            | path::EVENTS_WAIT
            | path::DEAD_LETTERS
                if reading =>
            {
                Self::Right(Right::Read)
            }
            path::NAMESPACE_LOGS
            | path::BROADCAST
            | path::EVENT_REPLAY
            | path::LISTENERS
            | path::LISTENER
            | path::DEAD_LETTER => Self::Right(Right::Write),
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
    let route = route.as_str();
    let subject = Subject::of(route, &params, request.uri());
    // Who may not come in learns nothing else.
    let caller = match &subject {
        Ok(subject) if is_linked(&service, route, subject, &request)? => Caller(None),
        Ok(subject) => {
            let need = Need::of(request.method(), route);
            let presented = presented(request.headers(), request.uri());
            admit(&service, presented, need, subject)?
        }
        Err(_) => {
            let presented = presented(request.headers(), request.uri());
            admit(&service, presented, Need::Token, &Subject::All)?
        }
    };
    let subject = subject?;
    request.extensions_mut().insert(caller);
    if let Subject::Key(key) = subject {
        request.extensions_mut().insert(key);
    }
    Ok(next.run(request).await)
}

/// Whether a request comes by a link of ours, which allows what it says and nothing else.
fn is_linked(
    service: &Service,
    route: &str,
    subject: &Subject,
    request: &Request,
) -> Result<bool, Failure> {
    let (path::BLOB, Subject::Key(key)) = (route, subject) else {
        return Ok(false);
    };
    let parameters: Vec<_> =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let value = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let Some(signature) = value("signature") else {
        return Ok(false);
    };
    let is_archive = value("zip").is_some();
    let permit = match *request.method() {
        Method::GET | Method::HEAD if is_archive => Permit::Archive,
        Method::GET | Method::HEAD => Permit::Download,
        Method::PUT => Permit::Upload,
        _ => return Err(Failure::link_denied()),
    };
    let expires = value("expires")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let is_ours = service
        .secret
        .verify(permit, key, expires, signature, Time::now());
    (is_ours && parameters.len() == 2 + usize::from(is_archive))
        .then_some(true)
        .ok_or_else(Failure::link_denied)
}

/// Who pushes by another protocol than HTTP/1's.
pub(super) fn admit_pushing(service: &Service, headers: &HeaderMap) -> Result<Caller, Failure> {
    let presented = presented(headers, &Uri::default());
    admit(service, presented, Need::Pushing, &Subject::All)
}

fn admit(
    service: &Service,
    presented: Option<String>,
    need: Need,
    subject: &Subject,
) -> Result<Caller, Failure> {
    let Access::Guarded(tokens) = &service.options.access else {
        return Ok(Caller(None));
    };
    if need == Need::Nothing {
        return Ok(Caller(None));
    }
    let presented = presented.ok_or_else(Failure::token_missing)?;
    let token = tokens.check(&presented, Time::now());
    let token = token.map_err(|error| {
        tracing::error!(%error, "nobody is let in");
        Failure::tokens_unreadable()
    })?;
    let of_account = || {
        let (account, expires) = service.secret.account(&presented, Time::now())?;
        let rights = vec![Right::Read, Right::Write];
        Some(Token::of_account(account, rights, expires))
    };
    let token = token
        .or_else(of_account)
        .ok_or_else(Failure::token_invalid)?;
    service.limits.token(&token.id)?;
    let allowed = match need {
        Need::Right(right) => {
            let allowed = subject.allows(|scope| token.allows(right, scope));
            allowed.then_some(()).ok_or((right, subject.clone()))
        }
        Need::Pushing => {
            let subject = token
                .namespace
                .clone()
                .map_or(Subject::All, Subject::Namespace);
            let allowed = subject.allows(|scope| token.allows(Right::Write, scope));
            allowed.then_some(()).ok_or((Right::Write, subject))
        }
        Need::Nothing | Need::Token => Ok(()),
    };
    match allowed {
        Ok(()) => Ok(Caller(Some(token))),
        Err((right, subject)) => Err(Failure::token_denied(denial(right, &subject))),
    }
}

fn denial(right: Right, subject: &Subject) -> String {
    let right = match right {
        Right::Read => "read",
        Right::Write => "write to",
        Right::Admin => "administer",
    };
    format!("the token does not allow to {right} {subject}")
}

/// The token of a request: as most clients send it, or as Direktiv's do.
fn presented(headers: &HeaderMap, uri: &Uri) -> Option<String> {
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
        .or_else(|| text("x-harness-token"))
        // Browsers cannot send a header with a stream. Addresses are in no log of ours.
        .or_else(|| parameter(uri, "X-Harness-Token"))
}
