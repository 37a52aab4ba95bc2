//! People: how they come to be known, and what their signing in rests on.

use super::super::draft::Draft;
use super::super::key::Key;
use super::super::secret::Secret;
use super::super::settings::Registration;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Mail servers take no longer address.
const EMAIL_BYTES_MAX: usize = 254;

pub(super) const PEOPLE: &[Key] = &[
    Key::words("secret_key", "", "a random text of 32 bytes or more", |draft, text| {
        draft.people.secret_key = Some(Secret::new(text));
        true
    })
    .also("SECRET_KEY")
    .secret()
    .about(
        "Signs sessions and access tokens. Needed wherever not everything is open to everybody; with `--dev` one is made \
         and kept in the data directory. All processes on one database need the same.",
        "Changing it signs everybody out.",
    ),
    Key::words("registration", "", "open or invite", set_registration).about(
        "Whether anyone may register, or only who holds an invitation. Without it invite, and with `--dev` open. Who \
         registers without an invitation sees nothing but servers of their own.",
        "open: accounts of strangers.",
    ),
    Key::words("bootstrap.admin_email", "", "an e-mail address", set_admin_email).also("BOOTSTRAP_ADMIN_EMAIL").about(
        "While there is no administrator, this one is made at the start. Without it a code for setting one up is logged.",
        "",
    ),
    Key::words("bootstrap.admin_password", "", "8 to 1024 bytes", |draft, text| {
        let accepted = (8..=1024).contains(&text.len());
        if accepted {
            draft.people.admin_password = Some(Secret::new(text));
        }
        accepted
    })
    .also("BOOTSTRAP_ADMIN_PASSWORD")
    .secret()
    .about("The password of that administrator.", ""),
    Key::count("auth.password_checks_max", "2", 1..=64, |draft| &mut draft.people.password_checks_max).about(
        "Passwords looked at at one time, each in 19 MiB; who waits longer than two seconds is answered 503.",
        "Too high: signing in takes the processor from ingest. Too low: many who sign in at once wait.",
    ),
    Key::span("retention.audit", "365d", HOUR_MS..=36_500 * DAY_MS, |draft| &mut draft.people.audit).about(
        "How long is kept who changed what and who signed in.",
        "Too high: the disk fills slowly. Too low: nobody can tell who did it.",
    ),
];

fn set_registration(draft: &mut Draft, text: &str) -> bool {
    draft.people.registration = match text {
        "open" => Some(Registration::Open),
        "invite" => Some(Registration::Invite),
        _ => return false,
    };
    true
}

fn set_admin_email(draft: &mut Draft, text: &str) -> bool {
    let accepted = text.len() <= EMAIL_BYTES_MAX && text.contains('@') && !text.contains('\0');
    if accepted {
        draft.people.admin_email = Some(text.to_owned());
    }
    accepted
}
