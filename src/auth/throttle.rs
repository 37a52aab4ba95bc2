//! How often one may try to sign in: an allowance for each address and for each account, in bounded maps.
//!
//! - A try is charged before it is looked at, and given back when it was right: tries at the same moment are all counted.
//! - An allowance is one point in time: when it will be whole again. One that is whole is not kept.
//! - At most `KEPT_MAX` of each are kept; at the bound those nearest to whole are forgotten, which forgives the least.
//! - The time is handed in. A clock that is set back makes nobody wait longer than for a whole allowance.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::model::Micros;

/// Addresses, and accounts, of which an allowance is kept.
const KEPT_MAX: usize = 16_384;
/// Of every this many at least one is forgotten at the bound, so that one sweep serves many.
const FORGET_ONE_IN: usize = 8;

/// One person who mistypes, or someone who tries passwords on one account.
const ACCOUNT: Allowance = Allowance { tries: 10, refill_micros: 90 * 1_000_000 };
/// An office behind one address, or someone who tries accounts.
const ADDRESS: Allowance = Allowance { tries: 100, refill_micros: 9 * 1_000_000 };

#[derive(Clone, Copy, Debug)]
struct Allowance {
    tries: i64,
    /// How long until a try is given back.
    refill_micros: i64,
}

/// No more tries for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct Throttled {
    pub retry_after: Duration,
}

#[derive(Debug, Default)]
pub struct Throttle {
    addresses: Mutex<HashMap<IpAddr, i64>>,
    accounts: Mutex<HashMap<String, i64>>,
}

impl Throttle {
    /// Charges a try to the address, and to the account when one is named.
    ///
    /// # Errors
    /// When one of them has none left. Nothing is charged then.
    pub fn charge(&self, address: IpAddr, account: Option<&str>, now: Micros) -> Result<(), Throttled> {
        charge(&self.addresses, network(address), ADDRESS, now)?;
        let Some(account) = account else { return Ok(()) };
        charge(&self.accounts, account.to_ascii_lowercase(), ACCOUNT, now).inspect_err(|_| {
            refund(&self.addresses, &network(address), ADDRESS);
        })
    }

    /// Gives back what the last try was charged.
    pub fn refund(&self, address: IpAddr, account: &str) {
        refund(&self.addresses, &network(address), ADDRESS);
        refund(&self.accounts, &account.to_ascii_lowercase(), ACCOUNT);
    }
}

/// The least an IPv6 site is given is a /64, so that counts as one address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

/// `whole_at` of a key says when its allowance will be whole again.
fn charge<K: Eq + Hash + Clone>(
    whole_at: &Mutex<HashMap<K, i64>>,
    key: K,
    allowance: Allowance,
    now: Micros,
) -> Result<(), Throttled> {
    let capacity = allowance.tries * allowance.refill_micros;
    let mut whole_at = whole_at.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = whole_at.get(&key).map_or(0, |whole| whole.saturating_sub(now.0).clamp(0, capacity));
    if missing > capacity - allowance.refill_micros {
        let wait = missing - (capacity - allowance.refill_micros);
        return Err(Throttled { retry_after: Duration::from_micros(wait.unsigned_abs()) });
    }
    if whole_at.len() >= KEPT_MAX && !whole_at.contains_key(&key) {
        forget_some(&mut whole_at, now);
    }
    whole_at.insert(key, now.0.saturating_add(missing + allowance.refill_micros));
    Ok(())
}

fn refund<K: Eq + Hash>(whole_at: &Mutex<HashMap<K, i64>>, key: &K, allowance: Allowance) {
    let mut whole_at = whole_at.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(whole) = whole_at.get_mut(key) {
        *whole = whole.saturating_sub(allowance.refill_micros);
    }
}

fn forget_some<K: Eq + Hash>(whole_at: &mut HashMap<K, i64>, now: Micros) {
    whole_at.retain(|_, whole| *whole > now.0);
    let kept_max = KEPT_MAX - KEPT_MAX / FORGET_ONE_IN;
    let Some(excess) = whole_at.len().checked_sub(kept_max).filter(|excess| *excess > 0) else { return };
    let mut times: Vec<i64> = whole_at.values().copied().collect();
    let (_, last_forgotten, _) = times.select_nth_unstable(excess - 1);
    let last_forgotten = *last_forgotten;
    whole_at.retain(|_, whole| *whole > last_forgotten);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, ManualClock};

    const SECOND: i64 = 1_000_000;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_account_has_ten_tries_and_gets_one_back_each_ninety_seconds() {
        let (throttle, clock) = (Throttle::default(), ManualClock::at(Micros(0)));
        let attempt = |last| throttle.charge(address(last), Some("Ann"), clock.now());
        for last in 0..10 {
            attempt(last).unwrap();
        }
        let refused = attempt(99).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(90), "from any address");
        assert!(throttle.charge(address(99), Some("bob"), clock.now()).is_ok(), "others may");
        clock.set(Micros(89 * SECOND));
        assert_eq!(attempt(99).unwrap_err().retry_after, Duration::from_secs(1));
        clock.set(Micros(90 * SECOND));
        assert!(attempt(99).is_ok() && attempt(99).is_err());
    }

    #[test]
    fn an_address_has_a_hundred_whatever_accounts_it_tries_and_a_site_is_one_address() {
        let throttle = Throttle::default();
        for account in 0..100 {
            throttle.charge(address(1), Some(&account.to_string()), Micros(0)).unwrap();
        }
        assert!(throttle.charge(address(1), Some("new"), Micros(0)).is_err());
        assert!(throttle.charge(address(1), None, Micros(0)).is_err());
        for host in 0..100_u128 {
            throttle.charge(Ipv6Addr::from_bits(7 << 64 | host).into(), None, Micros(0)).unwrap();
        }
        assert!(throttle.charge(Ipv6Addr::from_bits(7 << 64 | 1000).into(), None, Micros(0)).is_err());
        assert!(throttle.charge(Ipv6Addr::from_bits(8 << 64).into(), None, Micros(0)).is_ok());
    }

    #[test]
    fn who_signs_in_as_often_as_they_like_is_never_sent_away() {
        let throttle = Throttle::default();
        for _ in 0..1_000 {
            throttle.charge(address(1), Some("ann"), Micros(0)).unwrap();
            throttle.refund(address(1), "ANN");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nobody_wait_longer_than_a_whole_allowance() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            throttle.charge(address(1), Some("ann"), Micros(1_000_000 * SECOND)).unwrap();
        }
        let refused = throttle.charge(address(1), Some("ann"), Micros(0)).unwrap_err();
        assert!(refused.retry_after <= Duration::from_secs(900), "{refused:?}");
    }

    #[test]
    fn the_number_that_is_kept_is_bounded_and_those_who_tried_most_are_kept() {
        let throttle = Throttle::default();
        for _ in 0..10 {
            charge(&throttle.accounts, "victim".to_owned(), ACCOUNT, Micros(0)).unwrap();
        }
        for account in 0..3 * KEPT_MAX {
            charge(&throttle.accounts, account.to_string(), ACCOUNT, Micros(0)).unwrap();
            assert!(throttle.accounts.lock().unwrap().len() <= KEPT_MAX);
        }
        assert!(charge(&throttle.accounts, "victim".to_owned(), ACCOUNT, Micros(0)).is_err(), "not forgotten");
    }
}
