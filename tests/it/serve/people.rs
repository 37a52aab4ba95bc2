//! The first administrator of a fresh program, what its log keeps to itself, and an operator beside it.

use std::os::unix::fs::PermissionsExt;

use tokio::io::AsyncWriteExt;

use super::*;

const PASSWORD: &str = "hunter2 hunter2";

fn closed() -> [String; 2] {
    ["anonymous=none".to_owned(), "log.level=trace".to_owned()]
}

impl Program {
    /// What the log invites the first administrator with.
    fn invitation(&self) -> Option<String> {
        let lines = self.lines.lock().unwrap();
        let after = lines.iter().find_map(|line| line.split_once("invite.code="))?.1;
        Some(after.split_whitespace().next()?.trim_matches('"').to_owned())
    }

    fn times_said(&self, words: &str) -> usize {
        self.lines.lock().unwrap().iter().map(|line| line.matches(words).count()).sum()
    }

    async fn as_browser(&self, path: &str, cookie: &str) -> Answer {
        exchange(self.address, Method::GET, path, &[("cookie", cookie)], b"").await.unwrap()
    }

    async fn end(mut self) {
        self.signal(Signal::SIGTERM);
        assert_eq!(self.ended().await.code(), Some(0), "{:?}", self.lines.lock().unwrap());
    }
}

/// What the command prints.
async fn admin(data_dir: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.arg("admin").args(arguments).args(["--dev", "--data-dir"]).arg(data_dir);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = tokio::time::timeout(PATIENCE, process.wait_with_output()).await.unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

#[tokio::test]
async fn a_fresh_program_invites_its_administrator_in_the_log_and_no_other_secret_is_ever_there() {
    let data_dir = DataDir::new();
    let program = Program::listening(&data_dir.0, &closed(), "http").await;
    let code = program.invitation().expect("said before it listens");
    assert_eq!(program.get("/api/v1/users").await.unwrap().status, StatusCode::UNAUTHORIZED);
    let new = json!({ "username": "ann", "password": PASSWORD, "invite": code });
    assert_eq!(program.post("/register", &new).await.status, StatusCode::OK);
    assert_eq!(program.post("/register", &new).await.status, StatusCode::BAD_REQUEST, "once");
    let signed_in = program.post("/api/v1/session", &json!({ "login": "ann", "password": PASSWORD })).await;
    assert_eq!(signed_in.json()["user"]["role"], "admin");
    let set = signed_in.header("set-cookie").unwrap();
    assert!(!set.contains("Secure"), "plain HTTP on loopback: {set}");
    let cookie = set.split(';').next().unwrap().to_owned();
    let form = format!("username=ann&password={}", PASSWORD.replace(' ', "+"));
    let tokens = exchange(program.address, Method::POST, "/token", &[], form.as_bytes()).await.unwrap().json();
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let refresh = format!("/refresh?refresh_token={}", token("refresh_token"));
    for status in [StatusCode::OK, StatusCode::UNAUTHORIZED] {
        assert_eq!(program.post(&refresh, &json!({})).await.status, status);
    }
    let session = cookie.split_once('=').unwrap().1.to_owned();
    let metrics = program.as_browser("/-/metrics", &cookie).await;
    assert_eq!(metrics.status, StatusCode::OK);
    for secret in ["hunter2", &session, &token("access_token"), &token("refresh_token")] {
        assert_eq!(program.times_said(secret), 0, "{secret}");
        assert!(!metrics.text().contains(secret), "{secret}");
    }
    assert_eq!(program.times_said(&code), 1, "told once");
    program.end().await;

    let again = Program::listening(&data_dir.0, &closed(), "http").await;
    assert_eq!((again.invitation(), again.times_said(&code)), (None, 0));
    assert_eq!(again.as_browser("/users/me", &cookie).await.status, StatusCode::OK, "the secret was kept");
    let mode = std::fs::metadata(data_dir.0.join("secret_key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    again.end().await;
    data_dir.until_deserted().await;
}

#[tokio::test]
async fn an_operator_adds_people_and_resets_passwords_beside_the_program_and_without_it() {
    let data_dir = DataDir::new();
    let program = Program::listening(&data_dir.0, &closed(), "http").await;
    let sign_in = async |program: &Program, password: &str| {
        let body = json!({ "login": "ann@example.org", "password": password });
        program.post("/api/v1/session", &body).await.status
    };
    let created = admin(&data_dir.0, &["create-user", "--email", "Ann@example.org", "--role", "admin"], "").await;
    let made_up = created.lines().find_map(|line| line.strip_prefix("password: ")).unwrap();
    assert_eq!(sign_in(&program, made_up).await, StatusCode::OK);
    assert_eq!(program.times_said(made_up), 0);
    program.end().await;
    data_dir.until_deserted().await;

    let reset =
        admin(&data_dir.0, &["reset-password", "ann@example.org", "--password-stdin"], "hunter2 hunter2\n").await;
    assert!(!reset.contains("hunter2"), "{reset}");
    let listed = admin(&data_dir.0, &["list-users"], "").await;
    assert!(listed.ends_with("\t-\tann@example.org\tadmin\tactive\n"), "{listed}");
    data_dir.until_deserted().await;
    let program = Program::listening(&data_dir.0, &closed(), "http").await;
    assert_eq!(program.invitation(), None, "there is an administrator");
    assert_eq!(sign_in(&program, made_up).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&program, PASSWORD).await, StatusCode::OK);
    program.end().await;
    data_dir.until_deserted().await;
}
