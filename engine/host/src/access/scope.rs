//! What a token allows.

use std::fmt;

use super::Operation;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything. For operators.
    Admin,
    /// Connecting as a runner, and what an application says of itself at its start. For applications.
    Runner,
    /// Finding and making the actors one knows the name and key of, and calling them. For clients.
    Gateway,
}

/// Some scopes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Runner, Self::Gateway];

    /// Its name, as the token file has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Runner => "runner",
            Self::Gateway => "gateway",
        }
    }

    /// Whether a token of this scope may do it.
    #[must_use]
    pub const fn allows(self, operation: Operation) -> bool {
        match (self, operation) {
            (Self::Admin, _)
            | (_, Operation::Open)
            | (Self::Runner, Operation::Connect | Operation::Register)
            | (Self::Gateway, Operation::Resolve | Operation::Call) => true,
            (Self::Runner, Operation::Resolve | Operation::Call | Operation::Administer)
            | (Self::Gateway, Operation::Connect | Operation::Register | Operation::Administer) => false,
        }
    }

    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Admin => 1,
            Self::Runner => 2,
            Self::Gateway => 4,
        }
    }
}

impl Scopes {
    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of them may do it.
    #[must_use]
    pub fn allow(self, operation: Operation) -> bool {
        self.iter().any(|scope| scope.allows(operation))
    }

    fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter().map(Scope::name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_allows_what_it_is_for_and_nothing_else() {
        use Operation::{Administer, Call, Connect, Open, Register, Resolve};
        let allowed = |scope: Scope| -> Vec<Operation> {
            Operation::ALL.into_iter().filter(|operation| scope.allows(*operation)).collect()
        };
        assert_eq!(allowed(Scope::Admin), Operation::ALL);
        assert_eq!(allowed(Scope::Runner), [Open, Connect, Register]);
        assert_eq!(allowed(Scope::Gateway), [Open, Call, Resolve]);
        let both = Scopes::from_bits(Scope::Runner.bit() | Scope::Gateway.bit());
        assert!(both.allow(Call) && both.allow(Connect) && !both.allow(Administer));
        assert!(Scopes::default().is_empty() && !Scopes::default().allow(Call));
        assert_eq!(format!("{both:?}"), r#"{"runner", "gateway"}"#);
    }
}
