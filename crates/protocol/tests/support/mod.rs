//! Writes random messages from their schemas: one generator for all, shared with the fuzz targets.

use ottla_protocol::Version;
use ottla_protocol::schema::{FieldSchema, FieldType, MessageSchema};

/// Draws from a seed (SplitMix64).
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A random message in its version, byte by byte as the schema says.
pub(crate) struct RandomMessage {
    pub(crate) bytes: Vec<u8>,
    /// Whether a tagged field that the struct knows was written: one that happens to have its default value is not
    /// written back.
    pub(crate) has_known_tags: bool,
    version: Version,
    draw: Draw,
    /// What stands for a struct that is null: another byte in a tagged field.
    null_struct: u8,
}

impl RandomMessage {
    pub(crate) fn new(schema: &MessageSchema, version: Version, seed: u64) -> Self {
        let mut message =
            Self { bytes: Vec::new(), has_known_tags: false, version, draw: Draw(seed), null_struct: 0xff };
        message.put_struct(schema, schema.flexible.contains(version), 0);
        message
    }

    fn put_struct(&mut self, schema: &MessageSchema, flexible: bool, depth: usize) {
        let version = self.version;
        let present = || schema.fields.iter().filter(|field| field.versions.contains(version));
        for field in present().filter(|field| field.tag.is_none()) {
            self.put_field(field, flexible && !field.never_flexible, depth);
        }
        if flexible {
            self.put_tags(present().filter(|field| field.tag.is_some()).collect(), depth);
        }
    }

    fn put_tags(&mut self, mut known: Vec<&FieldSchema>, depth: usize) {
        known.retain(|_| self.draw.one_in(2));
        known.sort_by_key(|field| field.tag);
        let unknown = if self.draw.one_in(4) { 1 + self.draw.below(3) } else { 0 };
        self.put_varint((known.len() + unknown) as u32);
        for field in known {
            self.has_known_tags = true;
            self.put_varint(field.tag.unwrap_or_default());
            let outer = std::mem::take(&mut self.bytes);
            self.null_struct = 0;
            self.put_field(field, true, depth);
            self.null_struct = 0xff;
            let value = std::mem::replace(&mut self.bytes, outer);
            self.put_varint(value.len() as u32);
            self.bytes.extend(value);
        }
        for tag in 0..unknown as u32 {
            // Kafka's own tags are small.
            self.put_varint(100 + tag * 1000);
            let len = self.draw.below(5);
            self.put_varint(len as u32);
            self.put_random(len);
        }
    }

    fn put_field(&mut self, field: &FieldSchema, flexible: bool, depth: usize) {
        let null = field.nullable.contains(self.version);
        self.put_value(field.ty, null, flexible, depth);
    }

    fn put_value(&mut self, ty: FieldType, nullable: bool, flexible: bool, depth: usize) {
        let null = nullable && self.draw.one_in(4);
        match ty {
            FieldType::Bool => {
                let bit = self.draw.below(2) as u8;
                self.bytes.push(bit);
            }
            FieldType::Int8 => self.put_random(1),
            FieldType::Int16 | FieldType::Uint16 => self.put_random(2),
            FieldType::Int32 | FieldType::Uint32 => self.put_random(4),
            FieldType::Int64 | FieldType::Float64 => self.put_random(8),
            FieldType::Uuid => self.put_random(16),
            FieldType::String => self.put_text(null, flexible),
            FieldType::Bytes | FieldType::Records => {
                let len = if null { None } else { Some(self.draw.below(40)) };
                self.put_len(len, 4, flexible);
                self.put_random(len.unwrap_or(0));
            }
            FieldType::Array(element) => {
                let most = if depth > 3 { 2 } else { 4 };
                let len = if null { None } else { Some(self.draw.below(most)) };
                self.put_len(len, 4, flexible);
                for _ in 0..len.unwrap_or(0) {
                    self.put_value(*element, false, flexible, depth + 1);
                }
            }
            FieldType::Struct(part) => {
                if nullable {
                    self.bytes.push(if null { self.null_struct } else { 1 });
                }
                if !null {
                    self.null_struct = 0xff;
                    self.put_struct(part, flexible, depth + 1);
                }
            }
        }
    }

    fn put_text(&mut self, null: bool, flexible: bool) {
        let len = self.draw.below(12);
        let text: String = (0..len).map(|_| ['a', '-', 'ä', '語', '🦀'][self.draw.below(5)]).collect();
        self.put_len(if null { None } else { Some(text.len()) }, 2, flexible);
        if !null {
            self.bytes.extend(text.bytes());
        }
    }

    fn put_len(&mut self, len: Option<usize>, width: usize, flexible: bool) {
        match len {
            _ if flexible => self.put_varint(len.map_or(0, |len| len as u32 + 1)),
            Some(len) => self.bytes.extend(&(len as u32).to_be_bytes()[4 - width..]),
            None => self.bytes.extend(&[0xff; 4][..width]),
        }
    }

    fn put_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn put_random(&mut self, len: usize) {
        for _ in 0..len {
            let byte = self.draw.next() as u8;
            self.bytes.push(byte);
        }
    }
}
