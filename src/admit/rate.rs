//! Samples per second and client: a token bucket for each address, in a bounded map.
//!
//! - A client is an IPv4 address or an IPv6 /64, the least an IPv6 site is given.
//! - A request is admitted while its client has anything left, and is then charged in full, even into debt. So a
//!   request larger than the bucket is not refused for ever; the debt makes up for it.
//! - A bucket is one point in time: when it will be full again. An idle client's bucket is full and need not be kept.
//! - At most `clients_max` buckets are kept. At the bound the full ones are forgotten; when too few are full, those
//!   nearest to full are forgotten too, which forgives the least. A new client is never refused for want of room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Of every this many buckets at least one is forgotten at the bound, so that one sweep serves many new clients.
const FORGET_ONE_IN: usize = 8;

/// The buckets of all clients. The time comes from the caller and never goes back.
#[derive(Debug)]
pub struct Rates {
    /// 0 switches the limit off.
    samples_per_second: u64,
    /// How long an idle client takes to save up a full bucket.
    burst: Duration,
    clients_max: usize,
    full_at: Mutex<HashMap<Client, Instant, foldhash::fast::RandomState>>,
}

/// The client has used up what it may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many samples from this address")]
pub struct Refused {
    /// After this long a request is admitted again, if nothing else is sent meanwhile.
    pub retry_after: Duration,
}

impl Rates {
    pub fn new(samples_per_second: u64, burst: Duration, clients_max: usize) -> Self {
        let full_at = Mutex::new(HashMap::default());
        Self { samples_per_second, burst, clients_max: clients_max.max(1), full_at }
    }

    /// Admits a request and charges it, or says when to come back. With 0 `samples` it only asks: before a body is
    /// read its samples cannot be known.
    ///
    /// # Errors
    /// [`Refused`] when the client has nothing left.
    pub fn admit(&self, address: IpAddr, samples: u64, now: Instant) -> Result<(), Refused> {
        if self.samples_per_second == 0 {
            return Ok(());
        }
        let client = Client::of(address);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_from = full_at.get(&client).map_or(now, |full_at| (*full_at).max(now));
        let missing = full_from.duration_since(now);
        if missing >= self.burst {
            // A nanosecond more: at the very moment the bucket is still empty.
            return Err(Refused { retry_after: missing - self.burst + Duration::from_nanos(1) });
        }
        if samples > 0 {
            if full_at.len() >= self.clients_max && !full_at.contains_key(&client) {
                self.forget_some(&mut full_at, now);
            }
            full_at.insert(client, full_from + self.price(samples));
        }
        Ok(())
    }

    /// How many clients have a bucket that is kept.
    pub fn clients(&self) -> usize {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How long it takes to save up `samples`; at most about 136 years, so that adding it to a time cannot fail.
    fn price(&self, samples: u64) -> Duration {
        let nanos = u128::from(samples) * 1_000_000_000 / u128::from(self.samples_per_second);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)).min(Duration::from_secs(u64::from(u32::MAX)))
    }

    fn forget_some(&self, full_at: &mut HashMap<Client, Instant, foldhash::fast::RandomState>, now: Instant) {
        full_at.retain(|_, full| *full > now);
        let kept_max = self.clients_max - self.clients_max.div_ceil(FORGET_ONE_IN);
        let Some(excess) = full_at.len().checked_sub(kept_max).filter(|excess| *excess > 0) else { return };
        let mut times: Vec<Instant> = full_at.values().copied().collect();
        let (_, last_forgotten, _) = times.select_nth_unstable(excess - 1);
        let last_forgotten = *last_forgotten;
        full_at.retain(|_, full| *full > last_forgotten);
    }
}

/// What a bucket is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Client {
    V4(u32),
    V6Prefix(u64),
}

impl Client {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6Prefix((address.to_bits() >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests;
