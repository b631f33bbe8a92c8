//! Several logs at once, merged by time, so that files, the embedded log and services are read in one window.
//!
//! ```text
//! question --in the member's positions and times--> each Member, all at once --its answer--> in ours --> one answer
//! ```
//!
//! - An entry keeps its place: member `i`'s position `p` is `p * 16 + i` here ([`place`]), and pages run by time and position
//!   as those of any log.
//! - Nothing is passed over: of a page only that is shown which no member's page can still come before ([`page`]).
//! - A member that fails, or is silent for too long, takes nothing from the others: the answer is theirs, and how it is with
//!   the member is told by [`Merged::standing`]. It is asked again by the next question. Only when all fail is there no answer.
//! - A member's clock may be wrong: what corrects it is added to the times of its entries, and taken from those of questions
//!   ([`skew`]).
//!
//! Methods give boxed futures: a member may be anything that can be explored, and a future that holds one of its own kind
//! would have no size.

mod count;
mod feed;
mod member;
mod page;
mod place;
mod skew;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::time::timeout;

use super::{Error, FileStanding};
use crate::entry::Position;
use feed::Heads;
use member::Held;

pub use feed::Feed;
pub use member::{Member, Standing, State};
pub use place::member_of;

/// How long a member is waited for: a page must come while its reader still looks at the screen, and a slow link takes a few
/// seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Several logs, explored as one. Clones share them.
#[derive(Clone, Debug)]
pub struct Merged(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    members: Vec<Held>,
    heads: Heads,
}

/// A question on its way to a member.
type Question<T> = BoxFuture<'static, Result<T, Error>>;

impl Merged {
    /// Puts logs together.
    ///
    /// # Errors
    /// There are more than 16: positions have room for no more.
    pub fn new(members: Vec<Member>) -> Result<Self, Error> {
        if members.len() > place::MEMBERS {
            return Err(Error::Said(format!(
                "expected at most {} logs to be explored at once, found {}",
                place::MEMBERS,
                members.len()
            )));
        }
        let held = members.into_iter().enumerate();
        Ok(Self(Arc::new(Shared {
            members: held.map(|(index, of)| Held::new(index, of)).collect(),
            heads: Heads::default(),
        })))
    }

    /// How it is with each member, in the order they were given.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        self.0.members.iter().map(Held::standing).collect()
    }

    /// The plain files among the members.
    #[must_use]
    pub fn files(&self) -> Vec<FileStanding> {
        let members = self.0.members.iter();
        members.flat_map(|member| member.backend.files()).collect()
    }

    /// Takes the lines of a plain log among the members for a format.
    ///
    /// # Errors
    /// There is no such format, or no such log.
    pub fn set_format(&self, log: &str, format: &str) -> Result<(), Error> {
        let has = |member: &&Held| member.backend.files().iter().any(|file| file.log == log);
        let member = self.0.members.iter().find(has);
        let member = member.ok_or_else(|| Error::Said(format!("there is no log {log:?}")))?;
        member.backend.set_format(log, format)
    }

    /// Corrects a member's clock: so many nanoseconds are added to the times of its entries from now on. Cursors given before
    /// belong to the old times: pages are to be asked for anew.
    pub fn set_skew(&self, member: usize, nanoseconds: i64) {
        if let Some(member) = self.0.members.get(member) {
            member.set_skew(nanoseconds);
        }
    }

    /// Whether an entry asked for by its position may say more than the same entry on a page.
    #[must_use]
    pub fn joins(&self) -> bool {
        self.0.members.iter().any(|member| member.backend.joins())
    }

    /// The member that an entry is of, and the entry's position there; `None` of what is no entry's position.
    fn of(&self, position: Position) -> Option<(&Held, Position)> {
        let member = self.0.members.get(member_of(position))?;
        Some((member, place::own(position)?))
    }

    /// The question to each member.
    fn questions<T>(&self, ask: impl Fn(&Held) -> Question<T>) -> Vec<Question<T>> {
        self.0.members.iter().map(ask).collect()
    }

    /// What the members answered, of those that did.
    ///
    /// # Errors
    /// None did: why the first of them did not.
    async fn answers<T>(&self, questions: Vec<Question<T>>) -> Result<Vec<(&Held, T)>, Error> {
        let members = &self.0.members;
        let asked = members.iter().zip(questions);
        let answers = join_all(asked.map(|(member, question)| answer(member, question))).await;
        let (mut answered, mut failure) = (Vec::with_capacity(members.len()), None);
        for (member, answer) in members.iter().zip(answers) {
            match answer {
                Ok(answer) => answered.push((member, answer)),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
        match failure {
            Some(error) if answered.is_empty() => Err(error),
            _ => Ok(answered),
        }
    }
}

/// A member's answer, if it comes in time; whether it did is remembered.
async fn answer<T>(member: &Held, question: Question<T>) -> Result<T, Error> {
    let answer = timeout(PATIENCE, question).await.unwrap_or_else(|_| {
        let (name, waited) = (&member.name, PATIENCE.as_secs());
        Err(Error::Said(format!("{name}: no answer within {waited} s")))
    });
    match &answer {
        Ok(_) => member.answered(),
        Err(error) => member.missed(error.explained()),
    }
    answer
}
