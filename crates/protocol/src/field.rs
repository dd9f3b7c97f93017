//! How each type of field looks on the wire.

use bytes::Bytes;
use ottla_types::{ByteString, Uuid};
use smallvec::SmallVec;

use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
use crate::schema::FieldType;
use crate::{ApiKey, ErrorCode, FetchedRecords, Message, Reader, Version, Writer};

/// A type that a message's field can have.
pub trait Field: Sized {
    /// Its name in schemas.
    const TYPE: FieldType;
    /// The fewest bytes that a value takes.
    const MIN_SIZE: usize;

    /// Reads a value that is not null.
    fn read(r: &mut Reader, version: Version) -> Result<Self, DecodeError>;
    /// Writes a value.
    fn write(&self, w: &mut Writer, version: Version) -> Result<(), EncodeError>;

    /// Reads the elements of an array.
    #[inline]
    fn read_elements(
        r: &mut Reader,
        version: Version,
        count: usize,
        mut push: impl FnMut(Self),
    ) -> Result<(), DecodeError> {
        for index in 0..count {
            push(Self::read(r, version).map_err(|error| error.in_element(index))?);
        }
        Ok(())
    }
}

/// A type whose values can be null.
pub trait NullableField: Field {
    /// Reads a value or null.
    fn read_nullable(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError>;
    /// Writes a value or null.
    fn write_nullable(value: Option<&Self>, w: &mut Writer, version: Version) -> Result<(), EncodeError>;

    /// Reads a value or null in a tagged field.
    fn read_nullable_tagged(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        Self::read_nullable(r, version)
    }

    /// Writes a value or null in a tagged field.
    fn write_nullable_tagged(
        value: Option<&Self>,
        w: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        Self::write_nullable(value, w, version)
    }
}

macro_rules! fixed {
    ($($ty:ty, $name:ident, |$read:ident| $from:expr, |$write:ident| $to:expr;)*) => {$(
        impl Field for $ty {
            const TYPE: FieldType = FieldType::$name;
            const MIN_SIZE: usize = fixed_len(FieldType::$name);

            #[inline]
            fn read(r: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
                let $read = r.read_array()?;
                Ok($from)
            }

            #[inline]
            fn read_elements(
                r: &mut Reader,
                _version: Version,
                count: usize,
                mut push: impl FnMut(Self),
            ) -> Result<(), DecodeError> {
                for chunk in r.read_chunks(count)? {
                    let $read = *chunk;
                    push($from);
                }
                Ok(())
            }

            #[inline]
            fn write(&self, w: &mut Writer, _version: Version) -> Result<(), EncodeError> {
                let $write = *self;
                w.put_slice(&$to);
                Ok(())
            }
        }
    )*};
}

fixed! {
    bool, Bool, |b| b != [0], |v| [u8::from(v)];
    i8, Int8, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    i16, Int16, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    u16, Uint16, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    i32, Int32, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    u32, Uint32, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    i64, Int64, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    f64, Float64, |b| Self::from_be_bytes(b), |v| v.to_be_bytes();
    Uuid, Uuid, |b| Self(b), |v| v.0;
    ErrorCode, Int16, |b| Self(i16::from_be_bytes(b)), |v| v.0.to_be_bytes();
    ApiKey, Int16, |b| Self(i16::from_be_bytes(b)), |v| v.0.to_be_bytes();
}

const fn fixed_len(ty: FieldType) -> usize {
    match ty {
        FieldType::Bool | FieldType::Int8 => 1,
        FieldType::Int16 | FieldType::Uint16 => 2,
        FieldType::Int32 | FieldType::Uint32 => 4,
        FieldType::Int64 | FieldType::Float64 => 8,
        FieldType::Uuid => 16,
        _ => 1,
    }
}

#[cold]
fn null(start: usize) -> DecodeError {
    DecodeError::new(DecodeErrorKind::Null, start)
}

/// `read` in terms of `read_nullable`.
#[inline]
fn read_some<T: NullableField>(r: &mut Reader, version: Version) -> Result<T, DecodeError> {
    let start = r.position();
    T::read_nullable(r, version)?.ok_or_else(|| null(start))
}

impl Field for ByteString {
    const TYPE: FieldType = FieldType::String;
    const MIN_SIZE: usize = 1;

    #[inline]
    fn read(r: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
        let start = r.position();
        match r.read_string_len()? {
            Some(len) => r.read_text(len),
            None => Err(null(start)),
        }
    }

    fn write(&self, w: &mut Writer, _version: Version) -> Result<(), EncodeError> {
        w.put_string_len(self.len())?;
        w.put_slice(self.as_bytes());
        Ok(())
    }
}

impl NullableField for ByteString {
    #[inline]
    fn read_nullable(r: &mut Reader, _version: Version) -> Result<Option<Self>, DecodeError> {
        match r.read_string_len()? {
            Some(len) => r.read_text(len).map(Some),
            None => Ok(None),
        }
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        match value {
            Some(text) => text.write(w, version)?,
            None => w.put_null_string(),
        }
        Ok(())
    }
}

impl Field for Bytes {
    const TYPE: FieldType = FieldType::Bytes;
    const MIN_SIZE: usize = 1;

    #[inline]
    fn read(r: &mut Reader, _version: Version) -> Result<Self, DecodeError> {
        let start = r.position();
        match r.read_len()? {
            Some(len) => r.read_slice(len),
            None => Err(null(start)),
        }
    }

    fn write(&self, w: &mut Writer, _version: Version) -> Result<(), EncodeError> {
        w.put_len(self.len())?;
        w.put_payload(self);
        Ok(())
    }
}

impl NullableField for Bytes {
    #[inline]
    fn read_nullable(r: &mut Reader, _version: Version) -> Result<Option<Self>, DecodeError> {
        match r.read_len()? {
            Some(len) => r.read_slice(len).map(Some),
            None => Ok(None),
        }
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        match value {
            Some(bytes) => bytes.write(w, version)?,
            None => w.put_null(),
        }
        Ok(())
    }
}

impl Field for FetchedRecords {
    const TYPE: FieldType = FieldType::Records;
    const MIN_SIZE: usize = 1;

    fn read(r: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        Bytes::read(r, version).map(Self::Bytes)
    }

    fn write(&self, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        match self {
            Self::Bytes(bytes) => bytes.write(w, version),
            Self::External { index, len } => {
                w.put_len(*len)?;
                w.put_external(*index, *len)
            }
        }
    }
}

impl NullableField for FetchedRecords {
    fn read_nullable(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        Ok(Bytes::read_nullable(r, version)?.map(Self::Bytes))
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        match value {
            Some(records) => records.write(w, version)?,
            None => w.put_null(),
        }
        Ok(())
    }
}

/// An array that nearly always has one element, which then takes no allocation.
pub type Few<T> = SmallVec<[T; 1]>;

/// The nodes of a partition: up to four take no allocation, and no more room than a vector.
pub type NodeIds = SmallVec<[i32; 4]>;

// A container, its elements, and how many it has room for in itself.
macro_rules! array {
    ($([$($parameters:tt)*] $container:ty, $element:ty, $inline:literal;)*) => {$(
        impl<$($parameters)*> Field for $container {
            const TYPE: FieldType = FieldType::Array(&<$element>::TYPE);
            const MIN_SIZE: usize = 1;

            fn read(r: &mut Reader, version: Version) -> Result<Self, DecodeError> {
                read_some(r, version)
            }

            fn write(&self, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
                w.put_len(self.len())?;
                self.iter().try_for_each(|element| element.write(w, version))
            }
        }

        impl<$($parameters)*> NullableField for $container {
            fn read_nullable(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
                let Some(count) = r.read_len()? else { return Ok(None) };
                let size = if count <= $inline { 0 } else { size_of::<$element>() };
                r.admit(count, <$element>::MIN_SIZE, size)?;
                let mut elements = Self::with_capacity(count);
                <$element>::read_elements(r, version, count, |element| elements.push(element))?;
                Ok(Some(elements))
            }

            fn write_nullable(
                value: Option<&Self>,
                w: &mut Writer,
                version: Version,
            ) -> Result<(), EncodeError> {
                match value {
                    Some(elements) => elements.write(w, version)?,
                    None => w.put_null(),
                }
                Ok(())
            }
        }
    )*};
}

array! {
    [T: Field] Vec<T>, T, 0;
    [T: Field] Few<T>, T, 1;
    [] NodeIds, i32, 4;
}

impl<T: Message> Field for T {
    const TYPE: FieldType = FieldType::Struct(T::SCHEMA);
    const MIN_SIZE: usize = <T as Message>::MIN_SIZE;

    #[inline]
    fn read(r: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        Self::decode(r, version)
    }

    fn write(&self, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        self.encode(w, version)
    }
}

/// A struct that may be null has a byte before it, negative for null, in either notation. In a tagged field it is a
/// varint, 0 for null (Kafka: `MessageDataGenerator`).
impl<T: Message> NullableField for T {
    fn read_nullable_tagged(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        if r.read_varint()? == 0 { Ok(None) } else { Self::decode(r, version).map(Some) }
    }

    fn write_nullable_tagged(
        value: Option<&Self>,
        w: &mut Writer,
        version: Version,
    ) -> Result<(), EncodeError> {
        w.put_varint(u32::from(value.is_some()));
        value.map_or(Ok(()), |part| part.encode(w, version))
    }

    fn read_nullable(r: &mut Reader, version: Version) -> Result<Option<Self>, DecodeError> {
        if i8::read(r, version)? < 0 { Ok(None) } else { Self::decode(r, version).map(Some) }
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, version: Version) -> Result<(), EncodeError> {
        match value {
            Some(part) => {
                w.put_slice(&[1]);
                part.encode(w, version)
            }
            None => {
                w.put_slice(&[0xff]);
                Ok(())
            }
        }
    }
}
