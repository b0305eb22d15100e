//! Which addresses the engine dials for a pool.
//!
//! Whoever configures a pool chooses where the engine sends requests, and must not reach with them what only the engine
//! can reach: this machine, the network around it, the metadata service of a cloud. Pure: addresses in, a judgement out.
//! A name is resolved once, every one of its addresses is judged here, and only those that were judged are dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why an address is not dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Forbidden {
    /// It is of this machine or of a network that is not public, and such targets are not allowed.
    #[error(
        "{0} is a loopback or private address, which this engine does not dial (--allow-private-targets)"
    )]
    Private(IpAddr),
    /// It is none that an application can have: link-local (and with it the metadata service of clouds), multicast,
    /// unspecified, or reserved.
    #[error("{0} is no address of an application")]
    Never(IpAddr),
}

/// What may be said of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Public,
    Private,
    Never,
}

/// All of a name's addresses, if every one of them may be dialled: a name that also stands for something else is not
/// trusted with any.
///
/// # Errors
/// [`Forbidden`] for the first that may not.
pub(super) fn allowed(addresses: Vec<SocketAddr>, private: bool) -> Result<Vec<SocketAddr>, Forbidden> {
    for address in &addresses {
        match (kind(address.ip()), private) {
            (Kind::Public, _) | (Kind::Private, true) => {}
            (Kind::Private, false) => return Err(Forbidden::Private(address.ip())),
            (Kind::Never, _) => return Err(Forbidden::Never(address.ip())),
        }
    }
    Ok(addresses)
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

/// By the registry of special-purpose addresses (RFC 6890 and its successors).
const fn kind_of_v4(address: Ipv4Addr) -> Kind {
    match address.octets() {
        // This network, link-local, IETF assignments, documentation, old 6to4 relays, multicast, reserved, broadcast.
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Kind::Never,
        // Loopback, private, shared by carriers, benchmarks.
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => {
            Kind::Private
        }
        _ => Kind::Public,
    }
}

/// What carries an IPv4 address ends there, and is judged as that; of several places it is the worst.
fn kind_of_v6(address: Ipv6Addr) -> Kind {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
        kind_of_v4(Ipv4Addr::new(first, second, third, fourth))
    };
    match [a, b, c, d, e, f] {
        // Loopback, and what would else be read as 0.0.0.1.
        [0, 0, 0, 0, 0, 0] if g == 0 && h == 1 => Kind::Private,
        // Compatible, mapped and translated addresses; the well-known prefix of NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0, 0, 0, 0, 0xffff, 0] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h),
        // NAT64 with a prefix of one's own: what is behind it is not known.
        [0x64, 0xff9b, 1, ..] => Kind::Private,
        // 6to4.
        [0x2002, high, low, ..] => v4(high, low),
        // Unique local.
        [0xfc00..=0xfdff, ..] => Kind::Private,
        // IETF assignments with Teredo, which hides an IPv4 address; documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Kind::Never,
        // What is allocated as global unicast.
        [0x2000..=0x3fff, ..] => Kind::Public,
        // Link-local, site-local, multicast, discard, and whatever nobody has.
        _ => Kind::Never,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Kind {
        kind(text.parse().unwrap())
    }

    #[test]
    fn each_range_is_judged_at_its_edges() {
        for (kind, addresses) in [
            (
                Kind::Public,
                "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 172.15.255.255 \
                 172.32.0.0 169.253.255.255 169.255.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 \
                 223.255.255.255 2606:4700:4700::1111 2001:200:: 2001:4860:4860::8888 ::ffff:1.1.1.1 64:ff9b::1.1.1.1 \
                 2002:101:101::",
            ),
            (
                // The last is the metadata service of one cloud: it has a unique local address.
                Kind::Private,
                "127.0.0.1 127.255.255.255 10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 \
                 192.168.255.255 100.64.0.0 100.127.255.255 198.18.0.1 ::1 fc00:: fdff:ffff::1 ::ffff:127.0.0.1 \
                 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1::1 2002:7f00:1:: \
                 fd00:ec2::254",
            ),
            (
                Kind::Never,
                "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.0 192.0.0.1 192.0.2.1 192.88.99.1 198.51.100.1 203.0.113.1 \
                 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: fe80::1 fec0::1 ff02::1 2001::1 2001:db8::1 \
                 3fff::1 100::1 4000::1 ::ffff:169.254.169.254 64:ff9b::169.254.169.254 2002:a9fe:a9fe::",
            ),
        ] {
            for address in addresses.split_whitespace() {
                assert_eq!(of(address), kind, "{address}");
            }
        }
    }

    fn any_address() -> impl Strategy<Value = IpAddr> {
        let v4 = prop_oneof![
            any::<[u8; 4]>().prop_map(Ipv4Addr::from),
            (prop::sample::select(vec![0_u8, 10, 100, 127, 169, 172, 192, 198, 224, 255]), any::<[u8; 3]>())
                .prop_map(|(first, [a, b, c])| Ipv4Addr::new(first, a, b, c)),
        ];
        prop_oneof![
            v4.prop_map(IpAddr::V4),
            any::<[u16; 8]>().prop_map(|segments| IpAddr::V6(Ipv6Addr::from(segments))),
        ]
    }

    proptest! {
        /// What the standard library knows of addresses, which is less, is never overlooked.
        #[test]
        fn what_is_special_is_never_public(address in any_address()) {
            let special = match address {
                IpAddr::V4(it) => {
                    it.is_loopback() || it.is_private() || it.is_link_local() || it.is_multicast()
                        || it.is_unspecified() || it.is_broadcast() || it.is_documentation()
                }
                IpAddr::V6(it) => {
                    it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local() || it.is_multicast()
                        || it.is_unspecified()
                }
            };
            prop_assert!(!special || kind(address) != Kind::Public);
        }

        /// However an IPv4 address is wrapped, it is judged as itself.
        #[test]
        fn a_wrapped_address_is_judged_as_itself(bytes in any::<[u8; 4]>()) {
            let plain = Ipv4Addr::from(bytes);
            let [high, low] = [u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]])];
            for wrapped in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            ] {
                prop_assert_eq!(kind(IpAddr::V6(wrapped)), kind(IpAddr::V4(plain)), "{}", wrapped);
            }
        }

        /// One bad address spoils the name, wherever it stands, and allowing private ones allows nothing else.
        #[test]
        fn every_address_of_a_name_counts(all in prop::collection::vec(any_address(), 1..6), private: bool) {
            let addresses: Vec<_> = all.iter().map(|ip| SocketAddr::from((*ip, 80))).collect();
            let worst = all.iter().map(|ip| kind(*ip)).max().unwrap();
            let fine = match worst {
                Kind::Public => true,
                Kind::Private => private,
                Kind::Never => false,
            };
            prop_assert_eq!(allowed(addresses.clone(), private).ok(), fine.then_some(addresses));
        }
    }
}
