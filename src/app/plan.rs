//! The settings, in each module's own words.

use std::sync::Arc;

use super::Failure;
use crate::admit::rate::Rates;
use crate::alert::deliver::{self, MailConfig, MailSecurity};
use crate::auth::{Principal, Right, Rights, Signatures};
use crate::clock::Clock;
use crate::config::{Config, InfluxStrings};
use crate::http::config::{BodyLimits, ConnectionConfig};
use crate::http::cors::{Cors, Origins};
use crate::http::handlers::{Dialects, InfluxReading};
use crate::jobs::{entries, retention};
use crate::listen::Dialect;
use crate::live::{HeartbeatConfig, HubConfig, QueueLimits};
use crate::model::Reach;
use crate::telemetry::IngestLog;
use crate::telemetry::ingest_log::IngestLogWriter;
use crate::wire::influx::{Naming, Strings};
use crate::wire::otlp::Reading;
use crate::wire::prometheus;
use crate::{catalog, config, http, journal, listen, query};

pub(super) fn http(config: &Config) -> Result<http::Config, Failure> {
    let settings = &config.http;
    let defaults = http::Config::default();
    Ok(http::Config {
        connections: ConnectionConfig {
            connections_max: settings.connections_max,
            head_timeout: settings.header_timeout,
            idle_timeout: settings.idle_timeout,
            drain_deadline: settings.drain_deadline,
            ..defaults.connections
        },
        body: BodyLimits {
            body_bytes_max: settings.body_bytes_max,
            inflated_bytes_max: settings.inflated_bytes_max,
            stall_timeout: settings.body_timeout,
            ..defaults.body
        },
        cors: Cors { origins: Origins::listed(&settings.cors_origins)?, ..defaults.cors },
        ..defaults
    })
}

/// Whether cookies go over TLS only. Whoever runs it in the open has TLS, here or in front.
pub(super) fn has_secure_cookies(config: &Config) -> bool {
    config.tls.is_some() || matches!(config.mode, config::Mode::Production { .. })
}

/// Who comes without credentials, and what is open to them.
pub(super) fn anyone(config: &Config) -> Principal {
    let (ingest, read) = (Rights::NONE.and(Right::Ingest), Rights::NONE.and(Right::Read));
    match config.anonymous {
        config::Anonymous::Nothing => Principal::anyone(Rights::NONE, Reach::fleet()),
        config::Anonymous::Ingest => Principal::anyone(ingest, Reach::fleet()),
        config::Anonymous::Read => Principal::anyone(read, Reach::fleet()),
        config::Anonymous::IngestAndRead => Principal::anyone(ingest.and(Right::Read), Reach::fleet()),
        config::Anonymous::Everything => Principal::everybody(),
    }
}

pub(super) fn rates(config: &Config) -> Rates {
    let settings = &config.admit;
    Rates::new(settings.samples_per_second as u64, settings.burst, settings.clients_max)
}

pub(super) fn signatures(config: &Config, clock: &Arc<dyn Clock>) -> Signatures {
    let secret = config.auth.ingest_secret.as_ref().map(config::Secret::reveal);
    Signatures::new(secret, Arc::clone(clock))
}

/// The ways to people.
pub(super) fn delivery(config: &Config) -> deliver::Config {
    let config::Delivery { smtp, telegram_token, telegram_api, private_targets, ca, .. } = &config.delivery;
    let revealed = |secret: &config::Secret| secret.reveal().to_owned();
    let mail = (!smtp.host.is_empty()).then(|| MailConfig {
        host: smtp.host.clone(),
        port: u16::try_from(smtp.port).unwrap_or(u16::MAX),
        credentials: smtp.password.as_ref().map(|password| (smtp.user.clone(), revealed(password))),
        from: smtp.from.clone(),
        security: mail_security(smtp),
    });
    deliver::Config {
        mail,
        telegram_token: telegram_token.as_ref().map(revealed),
        telegram_api: telegram_api.clone(),
        private_targets: *private_targets,
        ca: ca.clone(),
    }
}

fn mail_security(smtp: &config::Smtp) -> MailSecurity {
    /// Where TLS comes first.
    const SUBMISSIONS: usize = 465;
    let is_here = smtp.host == "localhost"
        || smtp.host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match smtp.security {
        config::SmtpSecurity::Tls => MailSecurity::Tls,
        config::SmtpSecurity::StartTls => MailSecurity::StartTls,
        config::SmtpSecurity::Plain => MailSecurity::Plain,
        config::SmtpSecurity::Auto if smtp.port == SUBMISSIONS => MailSecurity::Tls,
        config::SmtpSecurity::Auto if is_here => MailSecurity::Plain,
        config::SmtpSecurity::Auto => MailSecurity::StartTls,
    }
}

pub(super) fn catalog(config: &Config) -> catalog::Limits {
    catalog::Limits {
        servers_max: config.catalog.servers_max as u64,
        series_per_server_max: config.catalog.series_per_server_max as u64,
        series_max: config.catalog.series_max as u64,
    }
}

pub(super) fn journal(config: &Config) -> journal::Config {
    journal::Config {
        lanes: u16::try_from(config.journal.lanes).unwrap_or(u16::MAX),
        flush_samples_max: config.journal.flush_samples_max,
        commit_wait: config.journal.commit_wait,
        ..journal::Config::default()
    }
}

pub(super) fn retention(config: &Config) -> retention::Policy {
    let tiers = |tiers: config::Tiers| retention::Tiers { raw: tiers.raw, minutes: tiers.minutes, hours: tiers.hours };
    let rule = |one: &config::RetentionOverride| {
        retention::Rule::new(&one.metric_type, &one.metric_name, &one.hostname, tiers(one.tiers))
    };
    let rules = config.retention.overrides.iter().map(rule).collect();
    retention::Policy::new(tiers(config.retention.others), rules)
}

pub(super) fn dialects(config: &Config) -> Dialects {
    Dialects { influx: influx(config), otlp: otlp(config), prometheus: prometheus(config) }
}

fn influx(config: &Config) -> InfluxReading {
    let settings = &config.dialects.influx;
    InfluxReading {
        strings: match settings.strings {
            InfluxStrings::Count => Strings::Count,
            InfluxStrings::Refuse => Strings::Refuse,
        },
        naming: Naming { host_tags: settings.host_tags.clone(), default_host: settings.default_host.clone() },
    }
}

fn otlp(config: &Config) -> Reading {
    let settings = &config.dialects.otlp;
    Reading {
        host_attributes: settings.host_attributes.clone(),
        default_host: settings.default_host.clone(),
        resource_labels: settings.resource_labels.clone(),
        scope_labels: settings.scope_labels,
    }
}

/// The sockets for lines, for each dialect that has an address.
pub(super) fn listeners(config: &Config) -> Vec<listen::Config> {
    let of = |dialect, settings: &config::LineListener| {
        Some(listen::Config {
            dialect,
            address: settings.listen?,
            default_host: settings.default_host.clone(),
            connections_max: settings.connections_max,
            flush_interval: settings.flush_interval,
        })
    };
    [of(Dialect::Graphite, &config.dialects.graphite), of(Dialect::Statsd, &config.dialects.statsd)]
        .into_iter()
        .flatten()
        .collect()
}

fn prometheus(config: &Config) -> prometheus::Naming {
    let config::Prometheus { metric_type, host_labels, default_host } = config.dialects.prometheus.clone();
    prometheus::Naming { metric_type, host_labels, default_host }
}

pub(super) fn query(config: &Config) -> query::Config {
    query::Config {
        running_max: config.query.running_max,
        timeout: config.query.timeout,
        series_max: u32::try_from(config.query.series_max).unwrap_or(u32::MAX - 1),
        samples_max: config.query.samples_max,
        points_max: config.query.points_max,
    }
}

pub(super) fn entries(config: &Config) -> entries::Retention {
    let config::Entries { events, logs, rejects, .. } = config.retention.entries;
    entries::Retention { events, logs, rejects }
}

pub(super) fn hub(config: &Config) -> HubConfig {
    let queue = QueueLimits {
        messages_max: config.live.queue_frames_max,
        bytes_max: config.live.queue_bytes_max,
        ..QueueLimits::default()
    };
    HubConfig { sessions_max: config.live.sessions_max, queue }
}

pub(super) fn ingest_log(config: &Config) -> Result<(IngestLog, Option<IngestLogWriter>), Failure> {
    let config::Richardops { console, ingest_log } = &config.dialects.richardops;
    IngestLog::open(ingest_log.as_deref(), *console)
        .map_err(|error| format!("richardops.ingest_log cannot be written to: {error}").into())
}

pub(super) fn heartbeat(config: &Config) -> HeartbeatConfig {
    HeartbeatConfig {
        ping_interval: config.live.ping_interval,
        pong_timeout: config.live.stall_timeout,
        stall_timeout: config.live.stall_timeout,
        ..HeartbeatConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, Flags, load};

    #[test]
    fn without_settings_every_stage_works_as_it_does_by_default() {
        let flags = Flags { file: None, settings: vec![("dev".into(), "true".into())] };
        let config = load(&flags, &Environment::default()).unwrap();
        check(&http(&config).unwrap(), &http::Config::default());
        check(&catalog(&config), &catalog::Limits::default());
        check(&journal(&config), &journal::Config::default());
        check(&retention(&config), &retention::Policy::default());
        check(&entries(&config), &entries::Retention::default());
        check(&influx(&config), &InfluxReading::default());
        check(&otlp(&config), &Reading::default());
        check(&prometheus(&config), &prometheus::Naming::default());
        check(&query(&config), &query::Config::default());
        check(&hub(&config), &HubConfig::default());
    }

    fn check<T: std::fmt::Debug>(planned: &T, default: &T) {
        assert_eq!(format!("{planned:#?}"), format!("{default:#?}"));
    }
}
