//! The schema: how it comes about, that `sql/schema.sql` shows it as it is, and that every statement fits it.

mod packed_rows; // a migration that rewrites what is stored

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use futures_util::future::join_all;
use millrace::store::database::PoolConfig;
use millrace::store::migrations::migrate;
use millrace::store::{Database, StoreError};

use crate::harness::TestDatabase;

const CATALOG: &str = include_str!("schema/catalog.sql");
const SCHEMA: &str = include_str!("../../sql/schema.sql");
/// Processes that start at the same moment.
const PROCESSES: usize = 8;

#[tokio::test]
async fn the_schema_file_shows_what_the_migrations_make() {
    let (migrated, written) = (TestDatabase::create().await, TestDatabase::create().await);
    migrate(&reached(&migrated)).await.unwrap();
    written.connect().await.batch_execute(SCHEMA).await.unwrap();
    let (migrated, written) = (lines(&migrated, CATALOG).await, lines(&written, CATALOG).await);
    let only = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
        left.difference(right).map(|line| format!("  {line}\n")).collect::<String>()
    };
    let (of_migrations, of_file) = (only(&migrated, &written), only(&written, &migrated));
    assert!(migrated == written, "\nonly the migrations make\n{of_migrations}only the file makes\n{of_file}");
    assert!(migrated.iter().any(|line| line.contains("toast_tuple_target=8160")), "options are looked at");
    assert!(migrated.iter().any(|line| line.contains("journal.block bytea") && line.contains("storage e")));
}

#[tokio::test]
async fn every_table_and_every_column_says_what_it_is_for() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let silent = "SELECT format('%s.%s', relname, coalesce(attname, '*'))
        FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition
          AND (obj_description(pg_class.oid, 'pg_class') IS NULL OR col_description(pg_class.oid, attnum) IS NULL)";
    assert_eq!(lines(&database, silent).await, BTreeSet::new());
}

#[tokio::test]
async fn every_function_says_what_it_is_for() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let silent = "SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL";
    assert_eq!(lines(&database, silent).await, BTreeSet::new());
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let before = (history(&database).await, lines(&database, CATALOG).await);
    migrate(&reached(&database)).await.unwrap();
    assert_eq!((history(&database).await, lines(&database, CATALOG).await), before);
}

#[tokio::test]
async fn processes_that_start_at_once_migrate_once() {
    let database = TestDatabase::create().await;
    let processes: Vec<Database> = (0..PROCESSES).map(|_| reached(&database)).collect();
    for migrated in join_all(processes.iter().map(migrate)).await {
        migrated.unwrap();
    }
    let alone = TestDatabase::create().await;
    migrate(&reached(&alone)).await.unwrap();
    assert_eq!(lines(&database, CATALOG).await, lines(&alone, CATALOG).await);
    assert_eq!(names(&database).await, names(&alone).await);
}

#[tokio::test]
async fn every_migration_file_is_applied_in_the_order_of_its_name() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let files: Vec<String> = files("sql/migrations").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names(&database).await, files);
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_applied_is_refused_by_name() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let change = "UPDATE migrations SET checksum = checksum + 1 WHERE name = (SELECT max(name) FROM migrations)";
    database.connect().await.batch_execute(change).await.unwrap();
    let newest = names(&database).await.pop().unwrap();
    let refused = migrate(&reached(&database)).await;
    assert!(matches!(&refused, Err(StoreError::MigrationChanged { name }) if *name == newest), "{refused:?}");
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused_by_the_name_of_what_it_knows() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let newer = "INSERT INTO migrations (name, checksum) VALUES ('99990101000000_later', 0)";
    database.connect().await.batch_execute(newer).await.unwrap();
    let refused = migrate(&reached(&database)).await;
    assert!(
        matches!(&refused, Err(StoreError::MigrationUnknown { name }) if name == "99990101000000_later"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn every_statement_fits_the_schema_and_is_used() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let client = database.connect().await;
    let store: String = ["src/store", "src/store/levels", "src/store/alerts"]
        .into_iter()
        .flat_map(files)
        .map(|(_, text)| text)
        .collect();
    for (name, statement) in files("sql/queries") {
        if let Err(error) = client.prepare(&statement).await {
            panic!("{name}: {error:?}");
        }
        assert!(store.contains(&format!("sql/queries/{name}.sql\"")), "{name} is used nowhere");
    }
}

#[tokio::test]
async fn every_example_for_psql_runs() {
    let database = TestDatabase::create().await;
    migrate(&reached(&database)).await.unwrap();
    let readme = include_str!("../../sql/README.md");
    let examples: Vec<&str> = readme.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        database.connect().await.batch_execute(example).await.unwrap();
    }
}

fn reached(database: &TestDatabase) -> Database {
    Database::new(database.config(), PoolConfig::default()).expect("a pool can be built")
}

async fn lines(database: &TestDatabase, query: &str) -> BTreeSet<String> {
    database.connect().await.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Each migration with the moment it was applied.
async fn history(database: &TestDatabase) -> BTreeSet<String> {
    lines(database, "SELECT format('%s %s %s', name, checksum, applied_at) FROM migrations").await
}

/// The migrations in the order in which they were applied.
async fn names(database: &TestDatabase) -> Vec<String> {
    let query = "SELECT name FROM migrations ORDER BY applied_at, name";
    database.connect().await.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The files of a folder of the repository: names without their ending, sorted, and texts.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut files: Vec<_> = paths.map(|path| (stem(&path), fs::read_to_string(&path).unwrap())).collect();
    files.sort_unstable();
    files
}
