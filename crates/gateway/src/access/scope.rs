//! What a caller may do, in three words. Pure.

use std::fmt;
use std::str::FromStr;

/// A thing that a token allows. None implies another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// Look at one's own jobs, results and contents.
    Read,
    /// Store content, and submit, stop and put back one's own jobs, one at a time.
    Submit,
    /// Act on many jobs at once; see and hold queues and workers, which all tenants share.
    Admin,
}

impl Scope {
    pub(crate) const ALL: [Self; 3] = [Self::Read, Self::Submit, Self::Admin];

    /// The word in the file of tokens and in errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Submit => "submit",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Submit => 2,
            Self::Admin => 4,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes(u8);

impl Scopes {
    /// Everything.
    pub(crate) fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    pub(crate) fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

/// A text that is no list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoScopes;

impl FromStr for Scopes {
    type Err = NoScopes;

    /// Reads words with commas between; at least one.
    fn from_str(text: &str) -> Result<Self, NoScopes> {
        let scope = |word: &str| Scope::ALL.into_iter().find(|scope| scope.word() == word);
        let scopes: Option<Self> = text.split(',').map(scope).collect();
        scopes.ok_or(NoScopes)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Scope::ALL.into_iter().filter(|scope| self.contains(*scope));
        let words: Vec<_> = words.map(Scope::word).collect();
        out.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_words_is_a_set() {
        let scopes: Scopes = "admin,read".parse().unwrap();
        assert!(scopes.contains(Scope::Read) && scopes.contains(Scope::Admin));
        assert!(!scopes.contains(Scope::Submit), "none implies another");
        assert_eq!(scopes.to_string(), "read,admin");
        assert_eq!(Scopes::all().to_string(), "read,submit,admin");
        assert_eq!(Scopes::default().to_string(), "");
    }

    #[test]
    fn what_is_no_word_is_no_scope() {
        for wrong in ["", "read,", "Read", "read submit", "all", ","] {
            assert_eq!(wrong.parse::<Scopes>(), Err(NoScopes), "{wrong}");
        }
    }
}
