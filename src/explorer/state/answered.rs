//! What a service was last told to have beside its log.

/// An answer that is asked for again and again.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::explorer) struct Answered<T> {
    /// As it was last told; none before that.
    pub now: Option<T>,
    /// Why the last question was not answered.
    pub failed: Option<String>,
    /// There can be none where we are.
    pub is_nowhere: bool,
    /// A question is on its way.
    pub asked: bool,
}

impl<T> Default for Answered<T> {
    fn default() -> Self {
        Self {
            now: None,
            failed: None,
            is_nowhere: false,
            asked: false,
        }
    }
}

impl Answered<()> {
    /// Of what needs not be asked for: it is known here.
    pub fn known() -> Self {
        Self {
            now: Some(()),
            ..Self::default()
        }
    }
}

impl<T> Answered<T> {
    /// Takes in an answer; what was told before.
    pub fn told(&mut self, answer: Result<Option<T>, String>) -> Option<T> {
        self.asked = false;
        match answer {
            Ok(Some(answer)) => {
                self.failed = None;
                return self.now.replace(answer);
            }
            Ok(None) => self.is_nowhere = true,
            Err(reason) => self.failed = Some(reason),
        }
        None
    }

    /// Whether it can be asked again.
    pub fn may_ask(&self) -> bool {
        !self.asked && !self.is_nowhere
    }
}
