//! `tailwater token`: who may speak to the service.

use std::io::Write;

use serde_json::json;

use crate::base::Time;
use crate::cli::args::{CreateToken, Listing, TokenAction};
use crate::cli::{Error, Verdict};
use crate::config::Settings;
use crate::service::{NewToken, Right, Token, Tokens};

pub(in crate::cli) fn run(settings: &Settings, action: TokenAction) -> Result<Verdict, Error> {
    std::fs::create_dir_all(&settings.data).map_err(Error::io("create the data directory"))?;
    let tokens = Tokens::open(&settings.data)?;
    match action {
        TokenAction::Create(args) => create(settings, &tokens, &args),
        TokenAction::List { output } => list(&tokens, output),
        TokenAction::Revoke { id } => {
            if !tokens.revoke(&id)? {
                eprintln!("there is no token {id:?}");
                return Ok(Verdict::NothingFound);
            }
            eprintln!("token {id} is revoked");
            Ok(Verdict::Done)
        }
    }
}

fn create(settings: &Settings, tokens: &Tokens, args: &CreateToken) -> Result<Verdict, Error> {
    let rights = [
        (args.read, Right::Read),
        (args.write, Right::Write),
        (args.admin, Right::Admin),
    ];
    let new = NewToken {
        namespace: settings.namespace.clone(),
        prefix: args.prefix.clone(),
        rights: rights
            .into_iter()
            .filter_map(|(wanted, right)| wanted.then_some(right))
            .collect(),
        lasts: args.expires,
    };
    let (token, text) = tokens.create(new, Time::now())?;
    eprintln!(
        "token {} {}; it is told this once:",
        token.id,
        allows(&token)
    );
    say(&text)?;
    Ok(Verdict::Done)
}

/// What a token allows, as the end of a sentence.
fn allows(token: &Token) -> String {
    let rights: Vec<&str> = token.rights.iter().copied().map(word).collect();
    let place = match (&token.namespace, &token.prefix) {
        (None, None) => "every namespace".to_owned(),
        (Some(name), None) => format!("namespace {name:?}"),
        (None, Some(prefix)) => format!("streams and blobs below {prefix}"),
        (Some(name), Some(prefix)) => {
            format!("namespace {name:?}, and streams and blobs below {prefix}")
        }
    };
    let until = token.expires.as_ref().map_or_else(
        || "until revoked".to_owned(),
        |time| format!("until {time}"),
    );
    format!("may {} {place}, {until}", rights.join(" and "))
}

fn word(right: Right) -> &'static str {
    match right {
        Right::Read => "read",
        Right::Write => "write",
        Right::Admin => "administer",
    }
}

fn list(tokens: &Tokens, output: Listing) -> Result<Verdict, Error> {
    let (all, now) = (tokens.all()?, Time::now());
    match output {
        Listing::Text => {
            for token in &all {
                let over = if token.is_expired(now) {
                    " (expired)"
                } else {
                    ""
                };
                say(&format!("{}  {}{over}", token.id, allows(token)))?;
            }
        }
        Listing::Json => {
            let tokens: Vec<_> = all
                .iter()
                .map(|token| {
                    json!({
                        "id": token.id,
                        "namespace": token.namespace,
                        "rights": token.rights,
                        "created": token.created,
                        "expires": token.expires,
                        "expired": token.is_expired(now),
                    })
                })
                .collect();
            say(&json!(tokens).to_string())?;
        }
    }
    Ok(if all.is_empty() {
        Verdict::NothingFound
    } else {
        Verdict::Done
    })
}

fn say(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(Error::io("write"))
}
