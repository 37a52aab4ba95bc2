//! The commands that need no running server, from arguments to exit code. Where they print is handed in.

use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::args::{Settings, Tool};
use super::healthcheck;
use super::{EXIT_CONFIG, EXIT_FAILED, EXIT_OK};
use crate::config::{self, Config, Environment, Flags, document};

impl Tool {
    /// Does it, and answers the exit code.
    ///
    /// # Errors
    /// When printing fails.
    pub fn run(&self, environment: &Environment, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
        match self {
            Self::CheckConfig(settings) => match config::load(&settings.flags(), environment) {
                Ok(_) => {
                    writeln!(out, "the configuration is good")?;
                    Ok(EXIT_OK)
                }
                Err(problems) => {
                    writeln!(err, "{problems}")?;
                    Ok(EXIT_CONFIG)
                }
            },
            Self::Config { markdown } => {
                let text = if *markdown { document::markdown() } else { document::text() };
                out.write_all(text.as_bytes())?;
                Ok(EXIT_OK)
            }
            Self::Healthcheck { url: Some(url), .. } => probe(url, err),
            Self::Healthcheck { url: None, settings } => match config::load(&without_database(settings), environment) {
                Ok(config) => probe(&ready_url(&config), err),
                Err(problems) => {
                    writeln!(err, "{problems}")?;
                    Ok(EXIT_CONFIG)
                }
            },
            Self::Version => {
                writeln!(out, "millrace {}", env!("CARGO_PKG_VERSION"))?;
                Ok(EXIT_OK)
            }
        }
    }
}

/// Where the server listens is all that is asked of the settings here, and that does not depend on its database.
fn without_database(settings: &Settings) -> Flags {
    Settings { dev: true, ..settings.clone() }.flags()
}

fn probe(url: &str, err: &mut dyn Write) -> io::Result<u8> {
    match healthcheck::probe(url, healthcheck::TIMEOUT) {
        Ok(()) => Ok(EXIT_OK),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
            writeln!(err, "{url}: {error}{cause}")?;
            Ok(EXIT_FAILED)
        }
    }
}

/// A listener on all addresses is asked on loopback.
fn ready_url(config: &Config) -> String {
    let mut address = config.listen[0];
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        SocketAddr::V4(_) | SocketAddr::V6(_) => {}
    }
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}/-/ready")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Command, parse};

    fn run(line: &str, environment: &Environment) -> (u8, String, String) {
        let arguments = line.split_ascii_whitespace().map(Into::into);
        let Command::Tool(tool) = parse(arguments).unwrap().command else { panic!("{line} is not a tool") };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = tool.run(environment, &mut out, &mut err).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn a_good_configuration_is_0_and_a_bad_one_is_78_with_every_problem() {
        let (code, out, err) = run("millrace check-config --dev", &Environment::default());
        assert_eq!((code, &*out, &*err), (EXIT_OK, "the configuration is good\n", ""));
        let environment = Environment::from([("MILLRACE_JOURNAL_LANES", "x")]);
        let (code, _, err) = run("millrace check-config", &environment);
        assert_eq!((code, err.lines().count()), (EXIT_CONFIG, 3), "{err}");
    }

    #[test]
    fn the_settings_are_printed_with_their_names() {
        let (code, out, _) = run("millrace config", &Environment::default());
        assert_eq!(code, EXIT_OK);
        assert!(out.contains("variable  MILLRACE_DATABASE_URL or DATABASE_URL\n"), "{out}");
    }

    #[test]
    fn a_listener_on_all_addresses_is_asked_on_loopback() {
        let url = |listen: &str| {
            let flags = config::Flags {
                file: None,
                settings: vec![("dev".into(), "true".into()), ("listen".into(), listen.into())],
            };
            ready_url(&config::load(&flags, &Environment::default()).unwrap())
        };
        assert_eq!(url("0.0.0.0:9000"), "http://127.0.0.1:9000/-/ready");
        assert_eq!(url("[::]:9000"), "http://[::1]:9000/-/ready");
        assert_eq!(url("10.0.0.7:80"), "http://10.0.0.7:80/-/ready");
    }

    #[test]
    fn nobody_listening_is_a_failure_with_its_cause() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (code, _, err) = run(&format!("millrace healthcheck --url http://{free}/-/ready"), &Environment::default());
        assert_eq!(code, EXIT_FAILED);
        assert!(err.contains("cannot be reached: "), "{err}");
    }
}
