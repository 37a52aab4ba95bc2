//! The one that asks PostgreSQL who a token stands for, and whether anyone may do less than before.
//!
//! One task, one connection of its own, one statement for both questions. Whatever waits is asked together, so a thousand
//! agents that connect at once cost a few statements, and a flood of made-up tokens never more than one at a time.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use super::cache::{Cache, Seen};
use super::judge::{Bad, Good, judge};
use super::known::Known;
use super::minted::TokenHash;
use crate::clock::Clock;
use crate::model::Micros;
use crate::store::tokens::{self, TokenRow};
use crate::store::{ClientWrapper, Database, StoreError};

/// How often the revision is looked at when nothing else asks.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Longest a look may take; a connection that needs longer is given up.
const LOOK_MAX: Duration = Duration::from_secs(2);
/// Tokens of one statement.
const TOGETHER_MAX: usize = 1_024;
/// Requests that wait for a look. Further ones are refused.
const WAITING_MAX: usize = 16_384;

/// Who waits for an answer about a token.
#[derive(Debug)]
struct Question {
    hash: TokenHash,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Arc<Known>, Unanswered>;
type Asked = HashMap<TokenHash, Vec<oneshot::Sender<Answer>>>;
type Judged = HashMap<TokenHash, Result<Arc<Known>, Bad>>;

/// Why nobody is recognized.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Unanswered {
    #[error("the token is not good: {0}")]
    Bad(Bad),
    #[error("PostgreSQL cannot be asked")]
    Unavailable,
}

/// Asks questions.
#[derive(Clone, Debug)]
pub(super) struct Asking(mpsc::Sender<Question>);

/// Answers them, as a task of its own.
#[derive(Debug)]
pub struct Watch {
    database: Database,
    clock: Arc<dyn Clock>,
    cache: Arc<Cache>,
    questions: mpsc::Receiver<Question>,
    revisions: watch::Sender<i64>,
}

impl Asking {
    /// # Errors
    /// When the token is not good, or PostgreSQL does not say in time.
    pub(super) async fn ask(&self, hash: TokenHash) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Question { hash, answer }).map_err(|_| Unanswered::Unavailable)?;
        let in_time = tokio::time::timeout(LOOK_MAX, answered).await;
        in_time.map_err(|_| Unanswered::Unavailable)?.map_err(|_| Unanswered::Unavailable)?
    }
}

impl Watch {
    pub(super) fn new(database: Database, clock: Arc<dyn Clock>, cache: Arc<Cache>) -> (Asking, Self) {
        let (asking, questions) = mpsc::channel(WAITING_MAX);
        (Asking(asking), Self { database, clock, cache, questions, revisions: watch::Sender::new(0) })
    }

    /// Tells of each new revision, for others who keep whom they know.
    pub fn revisions(&self) -> watch::Receiver<i64> {
        self.revisions.subscribe()
    }

    /// Runs until `stopping` resolves.
    pub async fn run(mut self, stopping: impl Future<Output = ()>) {
        let mut stopping = std::pin::pin!(stopping);
        let (mut connection, mut first, mut is_away) = (None, None, false);
        loop {
            let asked = self.gather(first.take());
            let looking = async {
                let client = match connection.take() {
                    Some(client) => client,
                    None => self.database.own_client().await?,
                };
                let known = self.look(&client, asked.keys()).await?;
                connection = Some(client);
                Ok(known)
            };
            let looked = tokio::select! {
                () = &mut stopping => return,
                looked = tokio::time::timeout(LOOK_MAX, looking) => looked,
            };
            let looked = looked.unwrap_or_else(|_| Err(StoreError::unavailable("it took too long")));
            tell(&looked, &mut is_away);
            answer(asked, looked.ok().as_ref());
            first = tokio::select! {
                () = &mut stopping => return,
                // Whoever asks while PostgreSQL is away waits for the next try, so that there are not more of them.
                question = self.questions.recv(), if !is_away => question,
                () = tokio::time::sleep(LOOK_INTERVAL) => None,
            };
        }
    }

    /// All that wait, each token once.
    fn gather(&mut self, first: Option<Question>) -> Asked {
        let mut asked = Asked::new();
        let mut next = first.or_else(|| self.questions.try_recv().ok());
        while let Some(Question { hash, answer }) = next {
            // Whoever has given up needs no answer.
            if !answer.is_closed() {
                asked.entry(hash).or_default().push(answer);
            }
            next = if asked.len() < TOGETHER_MAX { self.questions.try_recv().ok() } else { None };
        }
        asked
    }

    async fn look(
        &self,
        client: &ClientWrapper,
        asked: impl Iterator<Item = &TokenHash>,
    ) -> Result<Judged, StoreError> {
        let asked: Vec<&TokenHash> = asked.collect();
        let hashes: Vec<&[u8]> = asked.iter().map(|hash| hash.as_bytes()).collect();
        let at = Instant::now();
        let look = tokens::look(client, &hashes).await?;
        let seen = Seen { revision: look.revision, at };
        if self.cache.saw(seen) {
            self.revisions.send_replace(look.revision);
        }
        let now = self.clock.now();
        let rows: HashMap<&[u8], &TokenRow> = look.tokens.iter().map(|row| (row.hash.as_slice(), row)).collect();
        let judged = asked.into_iter().map(|hash| {
            let row = rows.get(hash.as_bytes()).ok_or(Bad::Unknown);
            (*hash, row.and_then(|row| judge(row, hash, now)))
        });
        let mut judged: HashMap<TokenHash, Result<Good, Bad>> = judged.collect();
        activate(client, &mut judged, now).await?;
        Ok(judged.into_iter().map(|(hash, judged)| (hash, self.remember(hash, judged, seen))).collect())
    }

    fn remember(&self, hash: TokenHash, judged: Result<Good, Bad>, seen: Seen) -> Result<Arc<Known>, Bad> {
        match judged {
            Ok(Good { id, principal, expires_at, .. }) => {
                let known = Arc::new(Known::new(id, principal, expires_at));
                self.cache.keep(hash, &known, seen);
                Ok(known)
            }
            Err(bad) => {
                self.cache.keep_bad(hash, bad, seen);
                Err(bad)
            }
        }
    }
}

/// Writes down first uses before anyone is let in by them. What was replaced meanwhile is not good any more.
async fn activate(
    client: &ClientWrapper,
    judged: &mut HashMap<TokenHash, Result<Good, Bad>>,
    now: Micros,
) -> Result<(), StoreError> {
    let is_first = |judged: &Result<Good, Bad>| judged.as_ref().is_ok_and(|good| good.is_first_use);
    let first: Vec<TokenHash> = judged.iter().filter(|(_, judged)| is_first(judged)).map(|(hash, _)| *hash).collect();
    if first.is_empty() {
        return Ok(());
    }
    let hashes: Vec<&[u8]> = first.iter().map(TokenHash::as_bytes).collect();
    let activated = tokens::activate(client, &hashes, now).await?;
    for hash in first.iter().filter(|hash| !activated.iter().any(|activated| activated == hash.as_bytes())) {
        judged.insert(*hash, Err(Bad::NotActivated));
    }
    Ok(())
}

fn tell<T>(looked: &Result<T, StoreError>, is_away: &mut bool) {
    match looked {
        Err(error) if !*is_away => {
            tracing::warn!(error = error as &dyn std::error::Error, "tokens cannot be looked up");
        }
        Ok(_) if *is_away => tracing::info!("tokens can be looked up again"),
        _ => {}
    }
    *is_away = looked.is_err();
}

/// Whoever has given up meanwhile is not told.
fn answer(asked: Asked, judged: Option<&Judged>) {
    for (hash, waiting) in asked {
        let answer = match judged.and_then(|judged| judged.get(&hash)) {
            Some(Ok(known)) => Ok(Arc::clone(known)),
            Some(Err(bad)) => Err(Unanswered::Bad(*bad)),
            None => Err(Unanswered::Unavailable),
        };
        waiting.into_iter().for_each(|waiting| drop(waiting.send(answer.clone())));
    }
}
