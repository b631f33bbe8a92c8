//! A list with a cursor, narrowed by typing.

use tui_input::Input;

/// Where one is in a list, and what it is narrowed to.
#[derive(Clone, Debug, Default)]
pub(in crate::explorer) struct Listing {
    pub cursor: usize,
    /// Only names that hold this.
    pub text: Input,
    /// Whether keys are typed into the text.
    pub is_typing: bool,
}

impl Listing {
    /// Whether a name is in the list; case does not matter.
    pub fn holds(&self, name: &str) -> bool {
        let wanted = self.text.value().to_lowercase();
        wanted.is_empty() || name.to_lowercase().contains(&wanted)
    }
}
