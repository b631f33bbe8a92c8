//! Which networks may connect.

use std::net::IpAddr;

use ipnet::IpNet;

/// Networks that may connect.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

impl Networks {
    /// Reads networks (`10.0.0.0/8`) and addresses.
    ///
    /// # Errors
    /// One is neither.
    pub fn new(allow: &[String], deny: &[String]) -> Result<Self, String> {
        let read = |texts: &[String]| -> Result<Vec<IpNet>, String> {
            let one = |text: &String| {
                let network = text.parse::<IpNet>().ok();
                let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
                network.or_else(address).ok_or_else(|| {
                    let expected = "expected a network such as 10.0.0.0/8 or an address";
                    format!("{expected}, found {text:?}")
                })
            };
            texts.iter().map(one).collect()
        };
        Ok(Self {
            allow: read(allow)?,
            deny: read(deny)?,
        })
    }

    /// Whether an address may connect: not if it is denied, and only if it is allowed where some are.
    #[must_use]
    pub fn admit(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let within = |networks: &[IpNet]| networks.iter().any(|one| one.contains(&address));
        !within(&self.deny) && (self.allow.is_empty() || within(&self.allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_allowed_and_denied() {
        let list = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let networks = |allow: &[&str], deny: &[&str]| {
            Networks::new(&list(allow), &list(deny)).expect("networks")
        };
        let admitted =
            |networks: &Networks, text: &str| networks.admit(text.parse().expect("an address"));
        let some = networks(&["10.0.0.0/8", "2001:db8::/32"], &["10.9.0.0/16"]);
        for (address, is_admitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.9.2.3", false),
            ("11.0.0.1", false),
            ("2001:db8::7", true),
            ("2001:db9::7", false),
        ] {
            assert_eq!(admitted(&some, address), is_admitted, "{address}");
        }
        assert!(admitted(&networks(&[], &["10.0.0.1"]), "10.0.0.2"));
        assert!(!admitted(&networks(&[], &["10.0.0.1"]), "10.0.0.1"));
        assert!(Networks::new(&list(&["ten"]), &[]).is_err());
    }
}
