//! Who asks, and how often one client may.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::http::HeaderName;
use axum::http::request::Parts;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::connections::Peer;
use crate::problem::{Kind, Problem};
use crate::settings::Settings;

/// After so many requests the clients are forgotten that have not asked for a while.
const TIDY: u32 = 1024;

/// The clients, and how often each has asked of late.
#[derive(Clone)]
pub(crate) struct Clients {
    address_header: Option<HeaderName>,
    limit: Option<Arc<Limit>>,
}

struct Limit {
    rates: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>,
    asked: AtomicU32,
}

impl Clients {
    pub(crate) fn new(settings: &Settings) -> Self {
        let limit = |per_minute: NonZeroU32| {
            let rates = RateLimiter::hashmap(Quota::per_minute(per_minute));
            Arc::new(Limit { rates, asked: AtomicU32::new(0) })
        };
        Self {
            address_header: settings.client_address_header.clone(),
            limit: settings.rate_limit.map(limit),
        }
    }

    /// Lets a request pass, or says when its client may ask again.
    pub(crate) fn admit(&self, head: &Parts) -> Result<(), Problem> {
        // Without an address, under AWS Lambda without a trusted header, there is nobody to count.
        let Some((limit, client)) = self.limit.as_ref().zip(self.address(head)) else {
            return Ok(());
        };
        if limit.asked.fetch_add(1, Ordering::Relaxed) % TIDY == 0 {
            limit.rates.retain_recent();
        }
        limit.rates.check_key(&of_one_client(client)).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            let words = format!("You ask too often; try again in {wait} s.");
            Problem::new(Kind::TooManyRequests, words).retry_after(wait)
        })
    }

    /// The address in the trusted header, the last one there, which the nearest proxy wrote; else that of
    /// the connection.
    fn address(&self, head: &Parts) -> Option<IpAddr> {
        let written = self.address_header.as_ref().and_then(|name| {
            let value = head.headers.get_all(name).iter().next_back()?.to_str().ok()?;
            parse(value.rsplit(',').next()?.trim())
        });
        written.or_else(|| head.extensions.get::<Peer>().map(|peer| peer.0))
    }
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`, and `2001:db8::1:443` as CloudFront
/// writes it, of which the last part is taken for one of the address.
fn parse(text: &str) -> Option<IpAddr> {
    let socket = || text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip());
    text.parse().ok().or_else(socket)
}

/// IPv6 networks give each client 2^64 addresses.
fn of_one_client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::Request;
    use clap::Parser;

    use super::*;

    fn clients(more: &[&str]) -> Clients {
        let settings = ["lambda", "--store", "x", "--rate-limit", "2"];
        Clients::new(&Settings::parse_from(settings.iter().chain(more)))
    }

    fn asked(peer: [u8; 4], forwarded: Option<&str>) -> Parts {
        let mut request = Request::builder().extension(Peer(Ipv4Addr::from(peer).into()));
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn each_client_has_its_own_limit() {
        let clients = clients(&[]);
        for peer in [[192, 0, 2, 1], [192, 0, 2, 2]] {
            let head = asked(peer, Some("10.0.0.1"));
            assert!(clients.admit(&head).is_ok() && clients.admit(&head).is_ok());
            assert_eq!(clients.admit(&head).unwrap_err().kind, Kind::TooManyRequests);
        }
    }

    #[test]
    fn behind_a_proxy_the_address_that_it_wrote_counts() {
        let clients = clients(&["--client-address-header", "x-forwarded-for"]);
        let proxy = [10, 0, 0, 1];
        for client in ["192.0.2.1", "192.0.2.2:443", "2001:db8::1", "[2001:db8:0:1::1]:443"] {
            for forged in ["", "203.0.113.9, ", "203.0.113.8,"] {
                let admitted = clients.admit(&asked(proxy, Some(&format!("{forged}{client}"))));
                assert_eq!(admitted.is_ok(), forged != "203.0.113.8,", "{forged}{client}");
            }
        }
        // Another address of the same network is the same client.
        let same = asked(proxy, Some("2001:db8::2"));
        assert_eq!(clients.admit(&same).unwrap_err().kind, Kind::TooManyRequests);
    }
}
