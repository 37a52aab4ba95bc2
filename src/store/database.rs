//! Connections: a bounded pool for short statements, and dedicated ones for writers that live long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime,
};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// A transaction whose owner does nothing for this long is ended by PostgreSQL, so that a process that stands still does
/// not keep the others from what it has locked.
const IDLE_TRANSACTION_MAX: Duration = Duration::from_secs(60);

/// How the pool behaves at its bounds.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Too low: queries wait for each other. Too high: PostgreSQL spends its memory and time on switching.
    pub connections_max: usize,
    /// How long a new connection may take.
    pub connect_timeout: Duration,
    /// How long a statement waits for a connection of the pool before it is refused.
    pub wait_max: Duration,
    /// After this PostgreSQL itself ends a statement.
    pub statement_timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> Self {
        let patience = Duration::from_secs(5);
        let statement_timeout = Duration::from_secs(30);
        Self { connections_max: 8, connect_timeout: patience, wait_max: patience, statement_timeout }
    }
}

/// The way to one PostgreSQL database. Clones share the pool.
#[derive(Clone)]
pub struct Database {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    pool: Pool,
}

/// A connection that belongs to its caller, who must drive the second half.
pub type Dedicated = (Client, Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>);

impl Database {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(mut config: tokio_postgres::Config, pool_config: PoolConfig) -> Result<Self, StoreError> {
        config.application_name("millrace").connect_timeout(pool_config.connect_timeout);
        config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
        let tls = MakeRustlsConnect::new(tls_config()?);
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), tls.clone(), manager_config);
        // Plans are made for the values at hand: one for all would not know that a page of blocks is short, and sort the
        // whole journal for it. Compiling them takes longer than they run.
        // A table of a ring is emptied after a second look under its lock, which must see what was committed before the
        // lock was gained, whatever isolation the database has as its default.
        let settings = format!(
            "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET jit = off; \
             SET plan_cache_mode = force_custom_plan; SET default_transaction_isolation = 'read committed'",
            pool_config.statement_timeout.as_millis(),
            IDLE_TRANSACTION_MAX.as_millis(),
        );
        let pool = Pool::builder(manager)
            .max_size(pool_config.connections_max)
            .wait_timeout(Some(pool_config.wait_max))
            .create_timeout(Some(pool_config.connect_timeout))
            .recycle_timeout(Some(pool_config.connect_timeout))
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(move |client, _| {
                let settings = settings.clone();
                Box::pin(async move { client.batch_execute(&settings).await.map_err(HookError::Backend) })
            }))
            .build()
            .map_err(StoreError::unavailable)?;
        Ok(Self { config, tls, pool })
    }

    /// A pooled connection for a few short statements.
    ///
    /// # Errors
    /// When none became free, or PostgreSQL did not answer, within the pool's bounds.
    pub async fn client(&self) -> Result<Object, StoreError> {
        Ok(self.pool.get().await?)
    }

    /// A connection of the pool for one alone, who may change its settings: it is closed afterwards.
    ///
    /// # Errors
    /// When none became free, or PostgreSQL did not answer, within the pool's bounds.
    pub async fn own_client(&self) -> Result<ClientWrapper, StoreError> {
        Ok(Object::take(self.client().await?))
    }

    /// A connection outside the pool.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached or does not let us in.
    pub async fn dedicated(&self) -> Result<Dedicated, StoreError> {
        self.config.connect(self.tls.clone()).await.map_err(StoreError::unavailable)
    }

    /// Closes the pooled connections that are idle, and every other one as it comes back.
    pub fn close(&self) {
        self.pool.close();
    }

    /// Whether PostgreSQL answers.
    ///
    /// # Errors
    /// When it does not, within the pool's bounds.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.client().await?.simple_query("SELECT 1").await?;
        Ok(())
    }
}

/// The configuration holds a password and the address, so neither is printed.
impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Database").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}

/// Used only when the connection string asks for TLS.
fn tls_config() -> Result<rustls::ClientConfig, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    // A machine without root certificates, or with a broken one, can still use the others and plain connections.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(StoreError::unavailable)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
