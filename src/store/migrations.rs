//! The schema and how it gets there: SQL files applied once, in order, by one process at a time.

use super::{Database, StoreError};

/// Every migration, oldest first. Names begin with the time they were written, so branches do not collide.
const MIGRATIONS: [(&str, &str); 26] = [
    ("20261120100000_engine", include_str!("../../sql/migrations/20261120100000_engine.sql")),
    ("20261120110000_history", include_str!("../../sql/migrations/20261120110000_history.sql")),
    ("20261120130000_catalog_revision", include_str!("../../sql/migrations/20261120130000_catalog_revision.sql")),
    ("20261120150000_levels", include_str!("../../sql/migrations/20261120150000_levels.sql")),
    ("20261120151500_jobs", include_str!("../../sql/migrations/20261120151500_jobs.sql")),
    ("20261120160000_empty_recent", include_str!("../../sql/migrations/20261120160000_empty_recent.sql")),
    ("20261120160000_pages", include_str!("../../sql/migrations/20261120160000_pages.sql")),
    ("20261120160000_views", include_str!("../../sql/migrations/20261120160000_views.sql")),
    ("20261120170000_months", include_str!("../../sql/migrations/20261120170000_months.sql")),
    ("20261120180000_documents", include_str!("../../sql/migrations/20261120180000_documents.sql")),
    ("20261120190000_node_token", include_str!("../../sql/migrations/20261120190000_node_token.sql")),
    ("20261120193100_set_aside", include_str!("../../sql/migrations/20261120193100_set_aside.sql")),
    ("20261120193200_gone", include_str!("../../sql/migrations/20261120193200_gone.sql")),
    ("20261120193300_ring", include_str!("../../sql/migrations/20261120193300_ring.sql")),
    ("20261120200000_identity", include_str!("../../sql/migrations/20261120200000_identity.sql")),
    ("20261120200000_packed_rows", include_str!("../../sql/migrations/20261120200000_packed_rows.sql")),
    ("20261120203000_belonging", include_str!("../../sql/migrations/20261120203000_belonging.sql")),
    ("20261120203000_set_up", include_str!("../../sql/migrations/20261120203000_set_up.sql")),
    ("20261120203000_short_identities", include_str!("../../sql/migrations/20261120203000_short_identities.sql")),
    ("20261120210000_documents_verbatim", include_str!("../../sql/migrations/20261120210000_documents_verbatim.sql")),
    ("20261120220000_alerts", include_str!("../../sql/migrations/20261120220000_alerts.sql")),
    ("20261120223000_alert_reach", include_str!("../../sql/migrations/20261120223000_alert_reach.sql")),
    ("20261120223000_renamed", include_str!("../../sql/migrations/20261120223000_renamed.sql")),
    ("20261120223100_alert_lines", include_str!("../../sql/migrations/20261120223100_alert_lines.sql")),
    ("20261120223500_alert_reports", include_str!("../../sql/migrations/20261120223500_alert_reports.sql")),
    ("20261120231000_rejects", include_str!("../../sql/migrations/20261120231000_rejects.sql")),
];

/// Any number will do, as long as nothing else in the database locks it.
const LOCK: i64 = 0x6d69_6c6c_7261_6365;

const HISTORY: &str = "CREATE TABLE IF NOT EXISTS migrations (
    name text PRIMARY KEY, checksum bigint NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())";

/// Brings the schema up to date. Each migration is one transaction, under a lock that goes with it, so processes that
/// start together take turns and a crash leaves nothing half done.
///
/// # Errors
/// When PostgreSQL is not available, an applied migration was changed, or a newer program was here.
pub async fn migrate(database: &Database) -> Result<(), StoreError> {
    let mut client = database.client().await?;
    for (name, sql) in MIGRATIONS {
        let transaction = client.transaction().await?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        transaction.batch_execute(HISTORY).await?;
        let checksum = i64::from(crc32fast::hash(sql.as_bytes()));
        let applied = transaction.query_opt("SELECT checksum FROM migrations WHERE name = $1", &[&name]).await?;
        match applied.map(|row| row.try_get::<_, i64>("checksum")).transpose()? {
            Some(known) if known == checksum => {}
            Some(_) => return Err(StoreError::MigrationChanged { name: name.to_owned() }),
            None => {
                tracing::info!(migration.name = name, "applying migration");
                transaction.batch_execute(sql).await?;
                let insert = "INSERT INTO migrations (name, checksum) VALUES ($1, $2)";
                transaction.execute(insert, &[&name, &checksum]).await?;
            }
        }
        transaction.commit().await?;
    }
    let newest = MIGRATIONS[MIGRATIONS.len() - 1].0;
    let newer = "SELECT name FROM migrations WHERE name > $1 ORDER BY name LIMIT 1";
    match client.query_opt(newer, &[&newest]).await? {
        Some(row) => Err(StoreError::MigrationUnknown { name: row.try_get("name")? }),
        None => Ok(()),
    }
}
