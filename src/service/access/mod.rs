//! Who may do what: the one place where it is decided.
//!
//! A listener is open (loopback, the Unix socket) or guarded by tokens. The guard stands before every route; a route that
//! [`Need::of`] does not know needs an administrator.

mod tokens;

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Service;
use super::error::Failure;
use crate::api::path;
use crate::base::Time;

pub use tokens::{NewToken, Right, Token, TokenError, Tokens};

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
}

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// Any token; the handler leaves out what it does not allow.
    Token,
    /// In the namespace of the path, or in all.
    Right(Right),
}

impl Need {
    fn of(method: &Method, route: &str) -> Self {
        let reading = method == Method::GET || method == Method::HEAD;
        let writing = method == Method::POST;
        match route {
            path::HEALTH | path::READY | path::STATUS if reading => Self::Nothing,
            path::NAMESPACES if reading => Self::Token,
            path::LOGS
            | path::SUBSCRIBE
            | path::HISTOGRAM
            | path::FACETS
            | path::VALUES
            | path::ENTRY
            | path::CONTEXT
            | path::NAMESPACE_LOGS
            | path::NAMESPACE_SUBSCRIBE
                if reading =>
            {
                Self::Right(Right::Read)
            }
            path::LOGS | path::NAMESPACE_LOGS if writing => Self::Right(Right::Write),
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
    let Access::Guarded(tokens) = &service.access else {
        request.extensions_mut().insert(Caller(None));
        return Ok(next.run(request).await);
    };
    let need = Need::of(request.method(), route.as_str());
    if need == Need::Nothing {
        return Ok(next.run(request).await);
    }
    let presented = presented(request.headers()).ok_or_else(Failure::token_missing)?;
    let token = tokens.check(presented, Time::now());
    let token = token.map_err(|error| {
        tracing::error!(%error, "nobody is let in");
        Failure::tokens_unreadable()
    })?;
    let token = token.ok_or_else(Failure::token_invalid)?;
    let namespace = params
        .iter()
        .find(|(name, _)| *name == "namespace")
        .map(|(_, value)| value);
    if let Need::Right(right) = need
        && !token.allows(right, namespace)
    {
        return Err(Failure::token_denied(right, namespace));
    }
    request.extensions_mut().insert(Caller(Some(token)));
    Ok(next.run(request).await)
}

/// The token of a request: as most clients send it, or as Direktiv's do.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer
        .or_else(|| text("direktiv-token"))
        .or_else(|| text("direktiv-api-key"))
}
