//! A frame: payloads that were appended together.

/// Bytes before the payload.
pub(super) const HEAD: usize = 20;
/// No frame is larger: a length beyond it is damage.
pub(super) const MAX_FRAME_BYTES: usize = 256 << 20;

/// What the head of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub length: usize,
    pub checksum: u32,
    pub first: u64,
    pub count: u32,
}

pub(super) fn encode<P: AsRef<[u8]>>(first: u64, payloads: &[P]) -> Vec<u8> {
    let size: usize = payloads.iter().map(|one| 4 + one.as_ref().len()).sum();
    let mut frame = Vec::with_capacity(HEAD + size);
    frame.extend_from_slice(&length(size).to_le_bytes());
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(&first.to_le_bytes());
    frame.extend_from_slice(&length(payloads.len()).to_le_bytes());
    for payload in payloads {
        let payload = payload.as_ref();
        frame.extend_from_slice(&length(payload.len()).to_le_bytes());
        frame.extend_from_slice(payload);
    }
    let checksum = crc32c::crc32c(&frame[8..]);
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
    frame
}

/// Batches are bounded far below what does not fit.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Head {
    /// The head that bytes begin with, if they can be one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<u32> {
            Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
        };
        let head = Self {
            length: word(0)? as usize,
            checksum: word(4)?,
            first: u64::from_le_bytes(bytes.get(8..16)?.try_into().ok()?),
            count: word(16)?,
        };
        (head.length <= MAX_FRAME_BYTES).then_some(head)
    }

    /// Whether the payload is what was written.
    pub fn fits(&self, payload: &[u8]) -> bool {
        let mut sum = crc32c::crc32c(&self.first.to_le_bytes());
        sum = crc32c::crc32c_append(sum, &self.count.to_le_bytes());
        crc32c::crc32c_append(sum, payload) == self.checksum
    }

    /// Where the next frame's positions begin.
    pub fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }
}

/// The payloads of a frame.
pub(super) fn payloads(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (payload, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some(payload)
    })
}
