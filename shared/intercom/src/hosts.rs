//! Where Intercom keeps files, and which addresses of machines are public: nothing else is ever fetched.
//! <https://www.intercom.com/help/en/articles/3894-using-intercom-with-content-security-policy>

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{
    error::Error,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// The hosts of files in all regions.
const HOSTS: &[&str] = &[
    "downloads.intercomcdn.com",
    "uploads.intercomcdn.com",
    "uploads.intercomusercontent.com",
    "gifs.intercomcdn.com",
    "video-messages.intercomcdn.com",
    "static.intercomassets.com",
    "downloads.intercomcdn.eu",
    "uploads.eu.intercomcdn.com",
    "static.intercomassets.eu",
    "downloads.au.intercomcdn.com",
    "uploads.au.intercomcdn.com",
    "static.au.intercomassets.com",
];

/// Below these each workspace has a host of its own.
const OF_WORKSPACES: &[&str] = &["intercom-attachments.eu", "au.intercom-attachments.com"];

/// Where the API is at Intercom itself: no files are there.
const API: &[&str] = &["api.intercom.io", "api.eu.intercom.io", "api.au.intercom.io"];

/// Where files may be fetched from.
pub(crate) struct Hosts {
    /// A server that stands for Intercom, where another than Intercom's own is set: its files are taken for Intercom's.
    stand_in: Option<Url>,
}

impl Hosts {
    /// Intercom's own, and that of this API.
    pub(crate) fn new(base_url: &str) -> Self {
        let base = Url::parse(base_url).ok();
        Self {
            stand_in: base.filter(|base| !base.host_str().is_some_and(|host| API.contains(&host))),
        }
    }

    /// Whether a file at this address lies with Intercom, whatever the address is like besides.
    pub(crate) fn have(&self, url: &Url) -> bool {
        self.is_stand_in(url) || url.host_str().is_some_and(is_intercoms)
    }

    /// Whether this address may be asked: over HTTPS, at the usual port, without a name and a password in it.
    pub(crate) fn may_be_asked(&self, url: &Url) -> bool {
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_safe = url.scheme() == "https" && url.port_or_known_default() == Some(443);
        is_plain && (self.is_stand_in(url) || is_safe && self.have(url))
    }

    /// The name of the machine whose address need not be public.
    pub(crate) fn stand_in(&self) -> Option<&str> {
        self.stand_in.as_ref()?.host_str()
    }

    fn is_stand_in(&self, url: &Url) -> bool {
        let Some(base) = &self.stand_in else { return false };
        base.origin() == url.origin()
    }
}

fn is_intercoms(host: &str) -> bool {
    let is_numbered = |number| {
        let domain = format!("intercom-attachments-{number}.com");
        host == domain || is_right_below(host, &domain)
    };
    HOSTS.contains(&host) || OF_WORKSPACES.iter().any(|domain| is_right_below(host, domain)) || (1..=9).any(is_numbered)
}

fn is_right_below(host: &str, domain: &str) -> bool {
    let workspace = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    workspace.is_some_and(|workspace| !workspace.is_empty() && !workspace.contains('.'))
}

/// Finds machines by name, and only public ones: a name of Intercom's that leads into the network of the bridge is followed no further.
pub(crate) struct PublicOnly {
    /// But for this one.
    pub(crate) stand_in: Option<String>,
}

/// The name leads to a machine that is not public, or to none.
#[derive(Debug)]
pub(crate) struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name leads to no public address")
    }
}

impl Error for NotPublic {}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_stand_in = self.stand_in.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let all_public = found.iter().all(|address| is_public(address.ip()));
            if found.is_empty() || !(all_public || is_stand_in) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether a machine at this address is one of the public Internet:
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    !special
}

/// Of the one block that is given out, what is not for protocols, examples, or tunnels to version 4.
fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn only_intercoms_own_hosts_are_asked() {
        let hosts = Hosts::new("https://api.eu.intercom.io");
        let own = [
            "https://downloads.intercomcdn.com/i/o/1/2/a.png?expires=1&signature=x",
            "https://acme.intercom-attachments-1.com/a.pdf",
            "https://intercom-attachments-9.com/a.pdf",
            "https://acme.intercom-attachments.eu/a.pdf",
            "https://acme.au.intercom-attachments.com:443/a.pdf",
            "https://DOWNLOADS.intercomcdn.com/a",
        ];
        for own in own {
            assert!(hosts.have(&url(own)) && hosts.may_be_asked(&url(own)), "{own}");
        }
        let foreign = [
            "https://media.giphy.com/a.gif",
            "https://downloads.intercomcdn.com.evil.example/a",
            "https://evil-downloads.intercomcdn.com/a",
            "https://evil.example/downloads.intercomcdn.com",
            "https://downloads.intercomcdn.com@evil.example/a",
            "https://evilintercom-attachments-1.com/a",
            "https://a.b.intercom-attachments-1.com/a",
            "https://acme.intercom-attachments-10.com/a",
            "https://acme.intercom-attachments-1.com.evil.example/a",
            "https://intercom-attachments.eu/a",
            "https://evilintercom-attachments.eu/a",
            "https://api.intercom.io/me",
            "https://127.0.0.1/a",
            "https://[::1]/a",
            "https://169.254.169.254/latest/meta-data",
        ];
        for foreign in foreign {
            assert!(
                !hosts.have(&url(foreign)) && !hosts.may_be_asked(&url(foreign)),
                "{foreign}"
            );
        }
        let unsafe_ways = [
            "http://downloads.intercomcdn.com/a",
            "https://downloads.intercomcdn.com:8443/a",
            "https://ann:secret@downloads.intercomcdn.com/a",
            "ftp://downloads.intercomcdn.com/a",
        ];
        for way in unsafe_ways {
            assert!(hosts.have(&url(way)) && !hosts.may_be_asked(&url(way)), "{way}");
        }
    }

    #[test]
    fn what_stands_for_intercom_counts_as_intercom() {
        let hosts = Hosts::new("http://127.0.0.1:4000");
        assert!(hosts.may_be_asked(&url("http://127.0.0.1:4000/downloads/1")));
        assert!(hosts.may_be_asked(&url("https://downloads.intercomcdn.com/a")));
        for other in [
            "http://127.0.0.1:4001/a",
            "https://127.0.0.1:4000/a",
            "http://localhost:4000/a",
        ] {
            assert!(!hosts.have(&url(other)), "{other}");
        }
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:a00:1::",
            "3fff::1",
        ];
        for address in private {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        let public = [
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1",
            "2a00:1450::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_found() {
        let found = async |stand_in: Option<&str>| {
            let resolver = PublicOnly {
                stand_in: stand_in.map(str::to_owned),
            };
            resolver.resolve("localhost".parse().unwrap()).await.is_ok()
        };
        assert!(!found(None).await);
        assert!(!found(Some("downloads.intercomcdn.com")).await);
        assert!(found(Some("localhost")).await);
    }
}
