//! The basic types of the format: section 4 of its description. All numbers are big-endian.

use super::Defect;

/// Takes values off the front of some bytes. What does not fit moves nothing.
#[derive(Clone, Debug)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Begins at the first byte.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether everything was taken.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// [`Defect::Short`] when there are fewer; so for everything that is taken.
    pub fn bytes(&mut self, length: usize) -> Result<&'b [u8], Defect> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Defect::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Defect> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Defect::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// One byte.
    pub fn uint8(&mut self) -> Result<u8, Defect> {
        self.array().map(u8::from_be_bytes)
    }

    /// Two bytes.
    pub fn uint16(&mut self) -> Result<u16, Defect> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub fn uint32(&mut self) -> Result<u32, Defect> {
        self.array().map(u32::from_be_bytes)
    }

    /// Six bytes.
    pub fn uint48(&mut self) -> Result<u64, Defect> {
        let mut wide = [0; 8];
        wide[2..].copy_from_slice(&self.array::<6>()?);
        Ok(u64::from_be_bytes(wide))
    }

    /// 0 to 253 in one byte, more in three or five.
    pub fn dynamic_integer(&mut self) -> Result<u32, Defect> {
        let mut ahead = self.clone();
        let value = match ahead.uint8()? {
            0xFE => u32::from(ahead.uint16()?),
            0xFF => ahead.uint32()?,
            small => u32::from(small),
        };
        *self = ahead;
        Ok(value)
    }

    /// A count of bytes and UTF-8; what is not UTF-8 becomes U+FFFD, as in the original.
    pub fn string(&mut self) -> Result<String, Defect> {
        let mut ahead = self.clone();
        let length = usize::try_from(ahead.dynamic_integer()?).map_err(|_| Defect::Short)?;
        let bytes = ahead.bytes(length)?;
        *self = ahead;
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        })
    }

    /// A count of numbers and the numbers.
    pub fn dynamic_integer_array(&mut self) -> Result<Vec<u32>, Defect> {
        let mut ahead = self.clone();
        let count = ahead.dynamic_integer()?;
        // Not reserved: a damaged count may be four thousand million.
        let items = (0..count).map(|_| ahead.dynamic_integer());
        let items = items.collect::<Result<_, _>>()?;
        *self = ahead;
        Ok(items)
    }
}

/// Puts values behind one another.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// What was written.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn uint8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// Two bytes.
    pub fn uint16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Four bytes.
    pub fn uint32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Six bytes; of a larger value its lower 48 bits.
    pub fn uint48(&mut self, value: u64) {
        let [_, _, low @ ..] = value.to_be_bytes();
        self.bytes(&low);
    }

    /// The shortest form there is for the value.
    pub fn dynamic_integer(&mut self, value: u32) {
        match (u8::try_from(value), u16::try_from(value)) {
            (Ok(small @ ..0xFE), _) => self.uint8(small),
            (_, Ok(middling)) => {
                self.uint8(0xFE);
                self.uint16(middling);
            }
            _ => {
                self.uint8(0xFF);
                self.uint32(value);
            }
        }
    }

    /// A count of bytes and UTF-8.
    ///
    /// # Errors
    /// [`Defect::TooLarge`] when the count does not fit in 32 bits.
    pub fn string(&mut self, text: &str) -> Result<(), Defect> {
        let length = u32::try_from(text.len()).map_err(|_| Defect::TooLarge)?;
        self.dynamic_integer(length);
        self.bytes(text.as_bytes());
        Ok(())
    }

    /// A count of numbers and the numbers.
    ///
    /// # Errors
    /// [`Defect::TooLarge`] when the count does not fit in 32 bits.
    pub fn dynamic_integer_array(&mut self, items: &[u32]) -> Result<(), Defect> {
        let count = u32::try_from(items.len()).map_err(|_| Defect::TooLarge)?;
        self.dynamic_integer(count);
        for item in items {
            self.dynamic_integer(*item);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.into_bytes()
    }

    #[test]
    fn values_have_the_bytes_of_the_description() {
        assert_eq!(written(|w| w.uint16(700)), [0x02, 0xBC]);
        assert_eq!(written(|w| w.uint32(1_245_165)), [0x00, 0x12, 0xFF, 0xED]);
        assert_eq!(
            written(|w| w.uint48(4_298_814_828)),
            [0x00, 0x01, 0x00, 0x3A, 0xB5, 0x6C]
        );
        assert_eq!(
            written(|w| w.uint48(288_817_600_127_354)),
            [0x06, 0xAD, 0x96, 0x75, 0xE1, 0x7A]
        );
        let integers: [(u32, &[u8]); 7] = [
            (0, &[0]),
            (253, &[0xFD]),
            (254, &[0xFE, 0, 0xFE]),
            (300, &[0xFE, 1, 0x2C]),
            (65_535, &[0xFE, 0xFF, 0xFF]),
            (65_536, &[0xFF, 0, 1, 0, 0]),
            (u32::MAX, &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        ];
        for (value, bytes) in integers {
            assert_eq!(written(|w| w.dynamic_integer(value)), bytes, "{value}");
            assert_eq!(Reader::new(bytes).dynamic_integer(), Ok(value));
        }
        // Longer forms than needed are read too.
        assert_eq!(Reader::new(&[0xFF, 0, 0, 0, 7]).dynamic_integer(), Ok(7));
        let hello = [7, 0x68, 0x65, 0x6C, 0x6C, 0xC3, 0xB8, 0x21];
        assert_eq!(written(|w| w.string("hellø!").expect("short")), hello);
        assert_eq!(written(|w| w.string("").expect("short")), [0]);
        assert_eq!(
            written(|w| w.dynamic_integer_array(&[254, 15]).expect("few")),
            [2, 0xFE, 0, 0xFE, 15]
        );
    }

    #[test]
    fn what_does_not_fit_moves_nothing() {
        let mut reader = Reader::new(&[0xFE, 1]);
        assert_eq!(reader.dynamic_integer(), Err(Defect::Short));
        assert_eq!(reader.uint32(), Err(Defect::Short));
        assert_eq!(reader.uint48(), Err(Defect::Short));
        assert_eq!(reader.uint16(), Ok(0xFE01));
        assert!(reader.is_at_end());
        let mut reader = Reader::new(&[3, b'a', b'b']);
        assert_eq!(reader.string(), Err(Defect::Short));
        assert_eq!(reader.dynamic_integer_array(), Err(Defect::Short));
        assert_eq!(reader.uint8(), Ok(3));
        assert_eq!(Reader::new(&[1, 0xFF]).string().as_deref(), Ok("\u{FFFD}"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            a: u8, b: u16, c: u32, d in 0_u64..1 << 48, e: u32, f in ".*",
            g in prop::collection::vec(any::<u32>(), 0..300),
        ) {
            let bytes = written(|w| {
                w.uint8(a);
                w.uint16(b);
                w.uint32(c);
                w.uint48(d);
                w.dynamic_integer(e);
                w.string(&f).expect("short");
                w.dynamic_integer_array(&g).expect("few");
            });
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.uint8(), Ok(a));
            prop_assert_eq!(reader.uint16(), Ok(b));
            prop_assert_eq!(reader.uint32(), Ok(c));
            prop_assert_eq!(reader.uint48(), Ok(d));
            prop_assert_eq!(reader.dynamic_integer(), Ok(e));
            prop_assert_eq!(reader.string(), Ok(f));
            prop_assert_eq!(reader.dynamic_integer_array(), Ok(g));
            prop_assert!(reader.is_at_end());
        }
    }
}
