//! Where far files are: `ssh://[user@]host[:port]/path`.

use percent_encoding::percent_decode_str;

/// Files on another host. The path may hold the shell's `*`, `?` and `[…]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Who logs in; `ssh` decides where it is not said.
    pub user: Option<String>,
    /// A name, an address, or an alias of `ssh`'s configuration; IPv6 without brackets.
    pub host: String,
    /// `ssh` decides where it is not said.
    pub port: Option<u16>,
    /// It begins with `/`.
    pub path: String,
}

impl Address {
    /// Reads what the user wrote; `%20` and the like are decoded.
    ///
    /// # Errors
    /// It is no such address; what is said tells what was expected and found.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|found| {
            format!("expected ssh://[user@]host[:port]/path; found {found}, in {text:?}")
        })
    }

    fn read(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("ssh://").ok_or("no ssh://")?;
        let slash = rest.find('/').ok_or("no path")?;
        let (authority, path) = rest.split_at(slash);
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user_of(user)?), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place)?;
        Ok(Self {
            user,
            host: host_of(host)?,
            port: port.map(port_of).transpose()?,
            path: path_of(path)?,
        })
    }

    /// What `ssh` is told: `user@host`, or `host`.
    #[must_use]
    pub fn destination(&self) -> String {
        match &self.user {
            Some(user) => format!("{user}@{}", self.host),
            None => self.host.clone(),
        }
    }

    /// What a user calls the host: `host`, or `host:port`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.port {
            Some(port) if self.host.contains(':') => format!("[{}]:{port}", self.host),
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

fn split_port(place: &str) -> Result<(&str, Option<&str>), String> {
    let Some(inner) = place.strip_prefix('[') else {
        return Ok(match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        });
    };
    let (host, rest) = inner.split_once(']').ok_or("'[' without ']'")?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(format!("{rest:?} after ']'")),
    }
}

/// No option of `ssh`, no password, and nothing that a shell in the user's configuration of `ssh` could take for its own.
fn user_of(text: &str) -> Result<String, String> {
    let user = decoded(text)?;
    let is_hostile = |c: char| c.is_control() || c.is_whitespace() || "'`\"$;&<>|(){}:".contains(c);
    if user.is_empty() || user.starts_with('-') || user.contains(is_hostile) {
        return Err(format!("the user {user:?}"));
    }
    Ok(user)
}

fn host_of(text: &str) -> Result<String, String> {
    let host = decoded(text)?;
    let is_known = |c: char| c.is_alphanumeric() || ".-_:%".contains(c);
    if host.is_empty() || host.starts_with('-') || !host.chars().all(is_known) {
        return Err(format!("the host {host:?}"));
    }
    Ok(host)
}

fn port_of(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("the port {text:?}")),
    }
}

fn path_of(text: &str) -> Result<String, String> {
    let path = decoded(text)?;
    if path.contains(['\0', '\n']) {
        return Err(format!("the path {path:?}"));
    }
    Ok(path)
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| format!("{text:?}, which is no UTF-8"))?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        type Parts = (
            Option<&'static str>,
            &'static str,
            Option<u16>,
            &'static str,
        );
        let table: [(&str, Parts); 6] = [
            ("ssh://web1/a/*.log", (None, "web1", None, "/a/*.log")),
            (
                "ssh://me@web1:2222/a",
                (Some("me"), "web1", Some(2222), "/a"),
            ),
            ("ssh://[::1]/a", (None, "::1", None, "/a")),
            (
                "ssh://me@[fe80::1%25eth0]:22/a",
                (Some("me"), "fe80::1%eth0", Some(22), "/a"),
            ),
            (
                "ssh://me@corp@web1/a",
                (Some("me@corp"), "web1", None, "/a"),
            ),
            (
                "ssh://web1/a%20b?[0-9]@:",
                (None, "web1", None, "/a b?[0-9]@:"),
            ),
        ];
        for (text, (user, host, port, path)) in table {
            let expected = Address {
                user: user.map(str::to_owned),
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            };
            assert_eq!(Address::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "http://web1/a",
            "ssh://web1",
            "ssh:///a",
            "ssh://-oProxyCommand=x/a",
            "ssh://%2doProxyCommand/a",
            "ssh://-ox@web1/a",
            "ssh://me:secret@web1/a",
            "ssh://$(id)@web1/a",
            "ssh://web1;id/a",
            "ssh://web1:0/a",
            "ssh://web1:70000/a",
            "ssh://::1/a",
            "ssh://[::1/a",
            "ssh://[::1]x/a",
            "ssh://web1/a%00",
            "ssh://web1/a%0A",
            "ssh://web1/%ff",
        ] {
            let error = Address::parse(text).expect_err(text);
            assert!(error.contains("expected ssh://"), "{error}");
        }
    }

    #[test]
    fn hosts_are_named_as_ssh_and_users_do() {
        let address = Address::parse("ssh://me@[::1]:22/a").expect("an address");
        assert_eq!(address.destination(), "me@::1");
        assert_eq!(address.name(), "[::1]:22");
    }
}
