//! The buckets against a naive model in whole tokens, and what happens at the bound.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn v4(number: u32) -> IpAddr {
    Ipv4Addr::from_bits(number).into()
}

#[test]
fn a_rate_of_zero_admits_everything_and_keeps_nothing() {
    let rates = Rates::new(0, SECOND, 10);
    assert_eq!(rates.admit(v4(1), u64::MAX, Instant::now()), Ok(()));
    assert_eq!(rates.clients(), 0);
}

#[test]
fn a_refused_client_is_admitted_again_after_the_time_it_was_told() {
    let (rates, now) = (Rates::new(100, SECOND, 10), Instant::now());
    assert_eq!(rates.admit(v4(1), 350, now), Ok(()), "one large request goes into debt");
    let Err(Refused { retry_after }) = rates.admit(v4(1), 1, now) else { panic!("admitted in debt") };
    assert_eq!(retry_after, Duration::from_millis(2500) + Duration::from_nanos(1));
    assert!(rates.admit(v4(1), 1, now + retry_after - Duration::from_nanos(1)).is_err());
    assert_eq!(rates.admit(v4(1), 1, now + retry_after), Ok(()));
}

#[test]
fn asking_with_no_samples_costs_nothing() {
    let (rates, now) = (Rates::new(1, SECOND, 10), Instant::now());
    for _ in 0..10 {
        assert_eq!(rates.admit(v4(1), 0, now), Ok(()));
    }
    assert_eq!(rates.clients(), 0);
}

#[test]
fn clients_are_addresses_and_in_ipv6_networks() {
    let (rates, now) = (Rates::new(1, SECOND, 10), Instant::now());
    let host = |last| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, last));
    assert!(rates.admit(host(1), 10, now).is_ok());
    assert!(rates.admit(host(2), 1, now).is_err(), "the same /64");
    assert!(rates.admit(IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1)), 1, now).is_ok());
    assert!(rates.admit(v4(7), 10, now).is_ok());
    let mapped = Ipv4Addr::from_bits(7).to_ipv6_mapped();
    assert!(rates.admit(mapped.into(), 1, now).is_err(), "an IPv4 address behind an IPv6 socket is itself");
}

#[test]
fn at_the_bound_the_full_buckets_go_first_then_those_with_the_least_debt() {
    let (rates, now) = (Rates::new(1, SECOND, 8), Instant::now());
    for client in 0..8 {
        assert!(rates.admit(v4(client), u64::from(client) + 1, now).is_ok());
    }
    assert!(rates.admit(v4(100), 50, now).is_ok(), "a new client is never refused for want of room");
    assert_eq!(rates.clients(), 8);
    assert!(rates.admit(v4(0), 0, now).is_ok(), "the least debt was forgiven");
    assert!(rates.admit(v4(1), 0, now).is_err(), "the others were not");

    let later = now + 9 * SECOND;
    assert!(rates.admit(v4(101), 5, later).is_ok());
    assert_eq!(rates.clients(), 2, "all who had saved up again were forgotten");
}

#[test]
fn a_debt_beyond_all_measure_is_held_without_failing() {
    let (rates, now) = (Rates::new(1, SECOND, 8), Instant::now());
    assert!(rates.admit(v4(1), u64::MAX, now).is_ok());
    assert!(rates.admit(v4(1), 1, now + SECOND).is_err());
}

proptest! {
    /// One sample is worth ten milliseconds, so whole milliseconds hold everything the naive model needs.
    #[test]
    fn a_bucket_equals_a_naive_count_of_tokens(
        requests in prop::collection::vec((0..3u32, 0..400u64, 0..3000u64), 0..100),
    ) {
        let (rates, start) = (Rates::new(100, 2 * SECOND, 4), Instant::now());
        let (mut now_ms, mut tokens_ms) = (0, [2000i64; 3]);
        for (client, samples, wait_ms) in requests {
            now_ms += wait_ms;
            for tokens in &mut tokens_ms {
                *tokens = (*tokens + wait_ms as i64).min(2000);
            }
            let tokens = &mut tokens_ms[client as usize];
            let answer = rates.admit(v4(client), samples, start + Duration::from_millis(now_ms));
            if *tokens > 0 {
                prop_assert_eq!(answer, Ok(()));
                *tokens -= samples as i64 * 10;
            } else {
                let retry_after = Duration::from_millis(-*tokens as u64) + Duration::from_nanos(1);
                prop_assert_eq!(answer, Err(Refused { retry_after }));
            }
        }
    }

    #[test]
    fn there_are_never_more_buckets_than_allowed(clients in prop::collection::vec((0..500u32, 1..50u64), 0..300)) {
        let (rates, now) = (Rates::new(1, SECOND, 16), Instant::now());
        for (client, samples) in clients {
            let _admitted_or_not = rates.admit(v4(client), samples, now).is_ok();
            prop_assert!(rates.clients() <= 16);
        }
    }
}
