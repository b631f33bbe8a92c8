//! Where a range of time begins: a place beyond which nothing that is looked for can lie.

use super::frontier::Frontier;
use super::scan::{Block, Blocks};
use super::vfs::Vfs;
use super::{Error, MAX_TIMESTAMP, search};
use crate::query::Direction;

/// Entries read to prove where a range begins are kept for reading it, up to so many.
const MAX_KEPT: usize = 100_000;

/// An edge beyond which, in one direction, lies nothing that is looked for.
pub(super) struct Edge {
    pub at: u64,
    /// What is known there.
    pub frontier: Frontier,
    /// The blocks between it and `beyond`, which were read to prove it, nearest to it first; none where they are many.
    pub passed: Vec<Block>,
    pub beyond: u64,
}

/// An edge before which no entry is as late as `min`.
pub(super) fn lower_edge<V: Vfs>(
    blocks: &mut Blocks<V>,
    min: u64,
    slack: u64,
) -> Result<Edge, Error> {
    edge(blocks, min, Direction::Older, slack)
}

/// An edge behind which no entry is as early as `max`.
pub(super) fn upper_edge<V: Vfs>(
    blocks: &mut Blocks<V>,
    max: u64,
    slack: u64,
) -> Result<Edge, Error> {
    edge(blocks, max, Direction::Newer, slack)
}

fn edge<V: Vfs>(
    blocks: &mut Blocks<V>,
    bound: u64,
    direction: Direction,
    slack: u64,
) -> Result<Edge, Error> {
    let far = match direction {
        Direction::Older => 0,
        Direction::Newer => blocks.size(),
    };
    let mut edge = Edge {
        at: far,
        frontier: Frontier::new(direction, slack),
        passed: Vec::new(),
        beyond: far,
    };
    // No entry lies beyond these.
    let everything = match direction {
        Direction::Older => bound == 0,
        Direction::Newer => bound >= MAX_TIMESTAMP,
    };
    if everything || slack == u64::MAX {
        return Ok(edge);
    }
    let hint = search::near(blocks, bound)?;
    edge.at = blocks.edge_before(hint)?;
    edge.beyond = edge.at;
    let mut kept = 0;
    while let Some(block) = blocks.next(&mut edge.at, direction)? {
        match direction {
            Direction::Newer => edge.frontier.see_all(block.entries.iter()),
            Direction::Older => edge.frontier.see_all(block.entries.iter().rev()),
        }
        kept += block.entries.len();
        if kept <= MAX_KEPT {
            edge.passed.push(block);
        } else {
            edge.passed.clear();
            edge.beyond = edge.at;
        }
        if edge.frontier.is_beyond(bound) {
            break;
        }
    }
    edge.passed.reverse();
    Ok(edge)
}
