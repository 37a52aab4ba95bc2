//! What a route asks of whoever calls it. No route can be added without saying so.

/// What a caller must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: health, signing in, what says who we are.
    Open,
    /// A person's own matters: whoever has signed in, whatever the role.
    Person,
    /// What belongs to a person: themselves whatever the role, or a program of theirs that has this right.
    Own(Right),
    /// Sending, or a signature over the body. Whoever reads the body of such a route hands it to
    /// [`super::Signatures::prove`]: until then a signed request reaches no server.
    Signed,
    /// This right; which servers it is for is the caller's reach.
    Needs(Right),
}

/// What may be done. A route needs one; a caller has some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Sending samples, events, logs and whatever else agents send.
    Ingest,
    /// Reading what was stored, and following what is being stored.
    Read,
    /// Seeing how this server itself is doing: its jobs, its own metrics.
    Observe,
    /// Changing what there is: servers, jobs, rules; deleting samples.
    Change,
    /// Deciding who may do what, and how the server is set.
    Administer,
}

impl Right {
    pub const EVERY: [Self; 5] = [Self::Ingest, Self::Read, Self::Observe, Self::Change, Self::Administer];

    pub fn parse(name: &str) -> Option<Self> {
        Self::EVERY.into_iter().find(|right| right.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Observe => "observe",
            Self::Change => "change",
            Self::Administer => "administer",
        }
    }
}

impl Access {
    pub const INGEST: Self = Self::Needs(Right::Ingest);
    pub const READ: Self = Self::Needs(Right::Read);
    pub const OBSERVE: Self = Self::Needs(Right::Observe);
    pub const CHANGE: Self = Self::Needs(Right::Change);
    pub const ADMINISTER: Self = Self::Needs(Right::Administer);
}
