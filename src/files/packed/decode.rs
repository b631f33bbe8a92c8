//! Packed bytes to content, by each format's library.

use std::io::{self, BufRead, Read};

use lz4_flex::frame::FrameDecoder;
use lzma_rust2::{Action, Status, XzStream};

use super::Packing;

/// How far back zstd may refer, as a power of two: 1 GiB, what `zstd --long=30` makes. zstd itself stops at 128 MiB unless
/// told otherwise; a window is only as large as the content that fills it.
const ZSTD_WINDOW_LOG: u32 = 30;
/// Memory for an xz dictionary at the most, in KiB: 1 GiB. `xz -9` needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 1 << 20;

/// The content of packed bytes, those of an archive as they are. Members, frames and streams that follow one another are
/// one content; a stream that is cut off is an error, after what it gave.
///
/// # Errors
/// There is no memory for the decoder.
pub(super) fn decoder<'a>(
    packing: Packing,
    packed: impl BufRead + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    let content: Box<dyn Read + 'a> = match packing {
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        Packing::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
        Packing::Xz => Box::new(Xz {
            packed,
            stream: XzStream::new_mem_limit(true, XZ_MEMORY_KIB),
            is_whole: false,
        }),
        Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        Packing::Lz4 => Box::new(Lz4 {
            frame: Some(FrameDecoder::new(packed)),
        }),
        Packing::Tar => Box::new(packed),
    };
    Ok(content)
}

/// The library's decoder that knows a bound on memory, as a stream.
struct Xz<R> {
    packed: R,
    stream: XzStream,
    is_whole: bool,
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.is_whole && !buffer.is_empty() {
            let packed = self.packed.fill_buf()?;
            let action = if packed.is_empty() {
                Action::Finish
            } else {
                Action::Run
            };
            let step = self.stream.process(packed, buffer, action)?;
            self.packed.consume(step.bytes_consumed);
            self.is_whole = step.status == Status::StreamEnd;
            if step.bytes_produced > 0 {
                return Ok(step.bytes_produced);
            }
            if step.bytes_consumed == 0 && !self.is_whole {
                let standstill = "the decoder neither takes nor gives";
                return Err(io::Error::new(io::ErrorKind::InvalidData, standstill));
            }
        }
        Ok(0)
    }
}

/// Frame after frame: the library's decoder ends with each.
struct Lz4<R: Read> {
    frame: Option<FrameDecoder<R>>,
}

impl<R: BufRead> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let count = frame.read(buffer)?;
            if count > 0 || buffer.is_empty() || frame.get_mut().fill_buf()?.is_empty() {
                return Ok(count);
            }
            // A decoder of its own: the next frame's blocks may be of another size.
            let frame = self.frame.take();
            self.frame = frame.map(|frame| FrameDecoder::new(frame.into_inner()));
        }
        Ok(0)
    }
}
