//! The program: arguments, settings, logs, build, run, exit code.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use millrace::app::{self, App, Signals};
use millrace::cli::{self, Command, Settings};
use millrace::clock::SystemClock;
use millrace::config::{self, Config, Environment};
use millrace::telemetry::logs;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Frees what one thread allocated and another is done with, which is how every batch travels, at little cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let command = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli.command,
        Err(error) => {
            error.print().ok();
            return cli::args::exit_code(&error).into();
        }
    };
    match command {
        Command::Serve(settings) => with_settings(&settings, &environment, async |config| run(config).await),
        Command::Verify(settings) => with_settings(&settings, &environment, async |config| verify(config).await),
        Command::Tool(tool) => {
            let ran = tool.run(&environment, &mut io::stdout().lock(), &mut io::stderr().lock());
            ran.unwrap_or(cli::EXIT_FAILED).into()
        }
    }
}

fn with_settings(
    settings: &Settings,
    environment: &Environment,
    work: impl AsyncFnOnce(&Config) -> Result<(), Failure>,
) -> ExitCode {
    let config = match config::load(&settings.flags(), environment) {
        Ok(config) => config,
        Err(problems) => return fail(&problems, cli::EXIT_CONFIG),
    };
    if let Err(error) = logs::install(&config.log, Arc::new(SystemClock)) {
        return fail(&error, cli::EXIT_CONFIG);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, cli::EXIT_FAILED),
    };
    match runtime.block_on(work(&config)) {
        Ok(()) => ExitCode::from(cli::EXIT_OK),
        Err(error) => {
            tracing::error!(error = error.as_ref() as &dyn std::error::Error, "ended with an error");
            ExitCode::from(cli::EXIT_FAILED)
        }
    }
}

/// The report goes where a pipe takes it from; what was found wrong is the exit code too.
async fn verify(config: &Config) -> Result<(), Failure> {
    let report = app::verify(config, &SystemClock).await?;
    write!(io::stdout(), "{report}")?;
    if report.is_clean() { Ok(()) } else { Err(format!("{} faults", report.faults).into()) }
}

async fn run(config: &Config) -> Result<(), Failure> {
    // Listened to from the start, so that a stop during start-up is not lost.
    let hangup_stops = config.tls.is_none();
    let (mut signals, mut again) = (Signals::listen(hangup_stops)?, Signals::listen(hangup_stops)?);
    let app = tokio::select! {
        app = App::build(config, Arc::new(SystemClock)) => app?,
        () = signals.stop() => return Ok(()),
    };
    for address in app.addresses()? {
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        tracing::info!("listening on {scheme}://{address}");
    }
    tokio::select! {
        ended = app.run(async move { signals.stop().await }) => ended,
        () = async { again.stop().await; again.stop().await } => Err("ended at once by a second signal".into()),
    }
}

/// Before there are logs.
#[expect(clippy::print_stderr, reason = "nothing else can tell the operator why the server does not start")]
fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("millrace: {error}");
    code.into()
}
