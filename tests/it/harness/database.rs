//! A database for one test, empty at first, in the shared cluster.

use std::sync::atomic::{AtomicU32, Ordering};

use millrace::shutdown::Tasks;
use tokio_postgres::{Client, Config, NoTls};

use super::cluster::TestCluster;

#[derive(Debug)]
pub(crate) struct TestDatabase {
    name: String,
    tasks: Tasks,
}

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let database = Self { name, tasks: Tasks::default() };
        let admin = database.connect_to("postgres").await;
        admin.batch_execute(&format!("CREATE DATABASE {}", database.name)).await.expect("a database can be made");
        database
    }

    /// How to connect to it.
    pub(crate) fn config(&self) -> Config {
        TestCluster::shared().config(&self.name)
    }

    /// A connection to it, served on the caller's runtime.
    pub(crate) async fn connect(&self) -> Client {
        self.connect_to(&self.name).await
    }

    async fn connect_to(&self, database: &str) -> Client {
        let config = TestCluster::shared().config(database);
        let (client, connection) = config.connect(NoTls).await.expect("the shared cluster answers");
        self.tasks.spawn("test connection", connection);
        client
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        TestCluster::shared().drop_later(std::mem::take(&mut self.name));
    }
}
