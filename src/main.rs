//! The program: arguments, settings, logs, build, run, exit code.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use millrace::app::{self, App, Signals};
use millrace::cli::{self, Admin, Command};
use millrace::clock::SystemClock;
use millrace::config::{self, Config, Environment, Flags};
use millrace::telemetry::logs;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// More than any password.
const PASSWORD_LINE_BYTES_MAX: u64 = 4096;

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
        Command::Serve(settings) => with_settings(&settings.flags(), &environment, async |config| run(config).await),
        Command::Verify(settings) => {
            let flags = settings.flags_without_serving();
            with_settings(&flags, &environment, async |config| verify(config).await)
        }
        Command::Admin(task) => {
            let flags = task.settings().flags_without_serving();
            with_settings(&flags, &environment, async |config| administer(config, &task).await)
        }
        Command::Tool(tool) => {
            let ran = tool.run(&environment, &mut io::stdout().lock(), &mut io::stderr().lock());
            ran.unwrap_or(cli::EXIT_FAILED).into()
        }
    }
}

fn with_settings(
    flags: &Flags,
    environment: &Environment,
    work: impl AsyncFnOnce(&Config) -> Result<(), Failure>,
) -> ExitCode {
    let config = match config::load(flags, environment) {
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

/// A password comes in where no list of processes and no history shows it.
async fn administer(config: &Config, task: &Admin) -> Result<(), Failure> {
    let mut line = String::new();
    if task.reads_password() {
        io::stdin().lock().take(PASSWORD_LINE_BYTES_MAX).read_line(&mut line)?;
    }
    let password = task.reads_password().then(|| line.trim_end_matches(['\r', '\n']));
    let report = app::administer(config, Arc::new(SystemClock), task, password).await?;
    write!(io::stdout(), "{report}")?;
    Ok(())
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
