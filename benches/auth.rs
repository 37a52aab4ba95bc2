//! From a token to its principal: what every request with one costs.

use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use millrace::auth::minted::Kind;
use millrace::auth::{Access, Gate, Known, Minted, Presented, Principal, Rights, Seen, TokenHash, Tokens};
use millrace::clock::SystemClock;
use millrace::model::Reach;
use millrace::store::Database;
use millrace::store::database::PoolConfig;

const CACHED_MAX: usize = 131_072;
/// As many as there are agents in a large fleet.
const TOKENS: usize = 100_000;
/// A measurement is over by then.
const LONG: Duration = Duration::from_secs(3_600);

fn known_tokens(criterion: &mut Criterion) {
    // Never connected to: everybody is known.
    let config = "host=/nowhere user=nobody".parse().expect("the text is a configuration");
    let database = Database::new(config, PoolConfig::default()).expect("nothing is connected to");
    let (tokens, _watch) = Tokens::new(database, Arc::new(SystemClock), CACHED_MAX);
    let seen = Seen { revision: 1, at: Instant::now() + LONG };
    tokens.cache().saw(seen);
    let minted: Vec<Minted> =
        (0..TOKENS).map(|_| Minted::new(Kind::Agent).expect("the system has random numbers")).collect();
    for (id, minted) in (0_i64..).zip(&minted) {
        let known = Known::new(id, Arc::new(Principal::everybody()), None);
        tokens.cache().keep(*minted.hash(), &Arc::new(known), seen);
    }
    let gate = Gate::new(Principal::anyone(Rights::NONE, Reach::fleet())).with_tokens(Arc::clone(&tokens));

    let mut group = criterion.benchmark_group("auth");
    group.bench_function("hash_of_a_token", |bencher| {
        bencher.iter(|| TokenHash::of(black_box(minted[0].reveal())));
    });
    let mut next = 0;
    let mut admit = |count: usize| {
        next = (next + 1) % count;
        let address = IpAddr::from([127, 0, 0, 1]);
        let text = minted[next].reveal();
        let shown = Presented { agent_token: Some(text), token: None, cookie: None, is_signed: false, address };
        gate.admit(Access::INGEST, black_box(&shown)).now_or_never().is_some_and(|admitted| admitted.is_ok())
    };
    assert!(admit(1), "a known token is let in without waiting");
    group.bench_function("admit_one_known_token", |bencher| bencher.iter(|| admit(1)));
    group.bench_function("admit_one_of_100000_known_tokens", |bencher| bencher.iter(|| admit(TOKENS)));
    group.finish();
}

criterion_group!(benches, known_tokens);
criterion_main!(benches);
