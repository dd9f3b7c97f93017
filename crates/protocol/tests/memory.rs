//! Whatever the bytes, decoding them takes at most 64 times their length and 64 KiB.

mod support;

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::{FieldSchema, FieldType, MessageSchema};
use ottla_protocol::{Bytes, Version};
use peak_alloc::PeakAlloc;

use crate::support::RandomMessage;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The largest messages made here, bytes.
const LARGE: usize = 6 << 10;

/// A message whose arrays have many elements, each as short as can be.
struct Dense {
    bytes: Vec<u8>,
    version: Version,
    flexible: bool,
    /// Elements of the arrays at each depth.
    counts: [usize; 6],
    /// Unknown tagged fields of each struct.
    tags: usize,
    /// The first array at this depth claims that each of its elements takes so many bytes; zeros follow it.
    claim: Option<(usize, usize)>,
    ended: bool,
}

impl Dense {
    fn new(schema: &MessageSchema, version: Version) -> Self {
        let flexible = schema.flexible.contains(version);
        Self { bytes: Vec::new(), version, flexible, counts: [1; 6], tags: 0, claim: None, ended: false }
    }

    fn put(mut self, schema: &MessageSchema) -> Vec<u8> {
        self.put_struct(schema, 0);
        self.bytes
    }

    fn put_struct(&mut self, schema: &MessageSchema, depth: usize) {
        if self.ended {
            return;
        }
        let present = |field: &&FieldSchema| field.versions.contains(self.version) && field.tag.is_none();
        for field in schema.fields.iter().filter(present).collect::<Vec<_>>() {
            let flexible = self.flexible;
            self.flexible &= !field.never_flexible;
            self.put_value(field.ty, field.nullable.contains(self.version), depth);
            self.flexible = flexible;
        }
        if self.flexible {
            self.put_varint(self.tags as u32);
            for tag in 0..self.tags as u32 {
                self.put_varint(10_000 + tag);
                self.put_varint(0);
            }
        }
    }

    fn put_value(&mut self, ty: FieldType, nullable: bool, depth: usize) {
        match ty {
            _ if self.ended => {}
            FieldType::Bool | FieldType::Int8 => self.bytes.push(0),
            FieldType::Int16 | FieldType::Uint16 => self.bytes.extend([0; 2]),
            FieldType::Int32 | FieldType::Uint32 => self.bytes.extend([0; 4]),
            FieldType::Int64 | FieldType::Float64 => self.bytes.extend([0; 8]),
            FieldType::Uuid => self.bytes.extend([0; 16]),
            FieldType::String => self.put_len(0, 2),
            FieldType::Bytes | FieldType::Records => self.put_len(0, 4),
            FieldType::Array(_) if self.claim.is_some_and(|(at, _)| at == depth) => {
                let element = self.claim.map_or(1, |(_, bytes)| bytes);
                self.put_len(LARGE / element, 4);
                self.bytes.resize(self.bytes.len() + LARGE, 0);
                self.ended = true;
            }
            FieldType::Array(element) => {
                let count = if self.bytes.len() > LARGE { 0 } else { self.counts[depth.min(5)] };
                self.put_len(count, 4);
                for _ in 0..count {
                    self.put_value(*element, false, depth + 1);
                }
            }
            FieldType::Struct(part) => {
                if nullable {
                    self.bytes.push(1);
                }
                self.put_struct(part, depth);
            }
        }
    }

    fn put_len(&mut self, len: usize, width: usize) {
        match self.flexible {
            true => self.put_varint(len as u32 + 1),
            false => self.bytes.extend(&(len as u32).to_be_bytes()[4 - width..]),
        }
    }

    fn put_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

/// The inputs tried on one message in one version.
fn inputs(schema: &MessageSchema, version: Version) -> impl Iterator<Item = Vec<u8>> + use<'_> {
    let spreads: [[usize; 6]; 8] = [
        [1; 6],
        [1000, 0, 0, 0, 0, 0],
        [1000, 1, 1, 1, 1, 1],
        [1, 1000, 1, 1, 1, 1],
        [1, 1, 1000, 1, 1, 1],
        [1, 1, 1, 1000, 1, 1],
        [30, 30, 1, 1, 1, 1],
        [10, 10, 10, 1, 1, 1],
    ];
    let dense = spreads.into_iter().flat_map(move |counts| {
        [0, 100]
            .into_iter()
            .map(move |tags| Dense { counts, tags, ..Dense::new(schema, version) }.put(schema))
    });
    let claims = (0..4).flat_map(move |depth| {
        (1..=24).map(move |element| {
            Dense { claim: Some((depth, element)), ..Dense::new(schema, version) }.put(schema)
        })
    });
    let random = (0..8).map(move |seed| RandomMessage::new(schema, version, seed).bytes);
    dense.chain(claims).chain(random)
}

/// The most memory that decoding took beyond what was there before, bytes, and whether the bytes were a message.
fn peak(entry: &Entry, version: Version, bytes: Bytes) -> (usize, bool) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let decoded = (entry.decode)(bytes, version).is_ok();
    (ALLOCATOR.peak_usage() - before, decoded)
}

// One test in this file: the allocator counts for the whole process.
#[test]
fn decoding_takes_64_times_the_bytes_at_most() {
    let mut worst: Vec<(f64, &str, Version, usize)> = Vec::new();
    for entry in ALL {
        let mut most = (0.0, entry.schema.name, 0, 0);
        for version in entry.schema.versions.first..=entry.schema.versions.last {
            for bytes in inputs(entry.schema, version) {
                let len = bytes.len();
                let (peak, decoded) = peak(entry, version, bytes.into());
                let name = entry.schema.name;
                assert!(peak <= 64 * len + (64 << 10), "{name} {version}: {peak} for {len} bytes");
                let ratio = peak as f64 / len.max(1) as f64;
                if decoded && len >= 256 && ratio > most.0 {
                    most = (ratio, name, version, len);
                }
            }
        }
        worst.push(most);
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("bytes in memory for each byte on the wire, the five greatest:");
    for (ratio, name, version, len) in &worst[..5] {
        println!("{ratio:5.1}  {name} {version} of {len} bytes");
    }
}
