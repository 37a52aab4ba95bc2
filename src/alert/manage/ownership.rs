//! Whose a rule or silence is, and who may change it. Pure.

use super::ManageError;
use crate::auth::{Principal, Right, Who};
use crate::model::{Reach, UserId, Whose};

/// Whose something new is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owning {
    Fleet,
    Me,
}

impl Owning {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "fleet" => Some(Self::Fleet),
            "me" => Some(Self::Me),
            _ => None,
        }
    }
}

/// The owner of something new. Who says nothing means the fleet if they may change it, and themselves otherwise.
///
/// # Errors
/// When they may not have it so.
pub(super) fn owner_of_new(principal: &Principal, asked: Option<Owning>) -> Result<Option<UserId>, ManageError> {
    let may_fleet = may_change(principal, None);
    match asked {
        Some(Owning::Fleet) | None if may_fleet => Ok(None),
        Some(Owning::Fleet) => Err(ManageError::Forbidden),
        Some(Owning::Me) | None => {
            let person = principal.person().filter(|person| may_change(principal, Some(*person)));
            person.map(Some).ok_or(ManageError::Forbidden)
        }
    }
}

pub(super) fn may_change(principal: &Principal, owner: Option<UserId>) -> bool {
    let may = principal.rights.contain(Right::Change);
    let is_theirs = match (principal.reach.whose, owner) {
        (Whose::Everyones, None) => may,
        (Whose::Some { fleet, .. }, None) => may && fleet,
        (Whose::Everyones, Some(_)) if may => true,
        (Whose::Everyones | Whose::Some { .. }, Some(of)) => principal.person() == Some(of),
    };
    is_theirs && (may || matches!(principal.who, Who::User { .. }))
}

/// The servers of an owner, as far as a scope allows.
pub fn owned_by(owner: Option<UserId>, scope: &Reach) -> Reach {
    Reach { whose: Whose::Some { fleet: owner.is_none(), owner }, ..scope.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Rights, Role};

    const ANN: UserId = UserId(1);
    const BOB: UserId = UserId(2);

    fn person(role: Option<Role>) -> Principal {
        Principal::user(ANN, "ann".into(), role)
    }

    fn program(rights: Rights, role: Option<Role>) -> Principal {
        Principal { who: Who::Token { id: 1, by: Some(ANN) }, rights, ..person(role) }
    }

    #[test]
    fn the_fleets_are_for_editors_and_ones_own_for_everybody() {
        for (role, fleet, others) in [
            (None, false, false),
            (Some(Role::Viewer), false, false),
            (Some(Role::Editor), true, false),
            (Some(Role::Admin), true, true),
        ] {
            let person = person(role);
            assert_eq!(may_change(&person, None), fleet, "{role:?}");
            assert!(may_change(&person, Some(ANN)), "{role:?}");
            assert_eq!(may_change(&person, Some(BOB)), others, "{role:?}");
            assert_eq!(owner_of_new(&person, None).unwrap(), if fleet { None } else { Some(ANN) });
            assert_eq!(owner_of_new(&person, Some(Owning::Me)).unwrap(), Some(ANN));
            assert_eq!(owner_of_new(&person, Some(Owning::Fleet)).is_ok(), fleet);
        }
    }

    #[test]
    fn a_program_changes_nothing_without_the_right_to() {
        let read = Rights::NONE.and(Right::Read);
        assert!(!may_change(&program(read, None), Some(ANN)));
        assert!(may_change(&program(read.and(Right::Change), None), Some(ANN)));
        assert!(!may_change(&program(read, Some(Role::Editor)), None));
        assert!(owner_of_new(&program(read, None), None).is_err());
    }

    #[test]
    fn where_everything_is_open_what_is_made_is_the_fleets() {
        assert_eq!(owner_of_new(&Principal::everybody(), None).unwrap(), None);
        assert!(owner_of_new(&Principal::everybody(), Some(Owning::Me)).is_err(), "nobody is nobody's owner");
    }
}
