//! How far what was appended to a file is whole.

use std::io;

use memchr::{memchr, memrchr};

use super::content::Content;
use crate::entry::decode::Format;

/// Bytes at the end that are looked at.
const LOOKED_AT: u64 = 256 << 10;

/// Where the entries end that are whole, of what lies between two places. Where nothing came for a while (`is_quiet`) the last
/// entry waits no longer for lines that continue it.
pub(super) fn settled(
    content: &Content,
    format: &Format,
    (from, to): (u64, u64),
    is_quiet: bool,
) -> io::Result<u64> {
    let begin = from.max(to.saturating_sub(LOOKED_AT));
    let mut bytes = vec![0; usize::try_from(to - begin).unwrap_or(0)];
    let filled = content.read(&mut bytes, begin)?;
    bytes.truncate(filled);
    let Some(last) = memrchr(b'\n', &bytes) else {
        return Ok(from);
    };
    let whole = &bytes[..=last];
    let line = memrchr(b'\n', &whole[..last]).map_or(0, |end| end + 1);
    if is_quiet || !format.joins(&whole[line..last]) {
        return Ok(begin + whole.len() as u64);
    }
    // The last line that begins an entry; the lines before it are read from the front because of those that look back.
    let (mut at, mut previous, mut found) = (0, None, None);
    if begin > from {
        at = memchr(b'\n', whole).map_or(whole.len(), |end| end + 1);
    }
    while at < whole.len() {
        let end = memchr(b'\n', &whole[at..]).map_or(whole.len(), |end| at + end);
        let line = &whole[at..end];
        if format.begins(line, || previous) {
            found = Some(at);
        }
        previous = Some(line);
        at = end + 1;
    }
    Ok(found.map_or(from, |found| begin + found as u64))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn check(text: &str, from: u64, is_quiet: bool) -> u64 {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let format = Format::detect(text.as_bytes(), &[]);
        let length = text.len() as u64;
        settled(&Content::File(file), &format, (from, length), is_quiet).expect("read")
    }

    #[test]
    fn entries_wait_for_their_ends() {
        let text = "2026-03-14 09:00:00 INFO a\n2026-03-14 09:00:01 INFO b\n  at x\n2026-03";
        assert_eq!(check(text, 0, false), 27);
        assert_eq!(check(text, 0, true), 61);
        assert_eq!(check(text, 27, false), 27);
        assert_eq!(check("{\"msg\":\"a\"}\n{\"msg\"", 0, false), 12);
        assert_eq!(check("no newline", 0, true), 0);
    }
}
