//! Variable-length numbers, at every length that they have.

use ottla_protocol::{Bytes, DecodeErrorKind, Reader, Writer};

#[test]
fn every_length_is_read_as_it_was_written_and_no_further() {
    let bounds = (0..5).flat_map(|place| [(1_u32 << (7 * place)) - 1, 1 << (7 * place)]);
    for value in bounds.chain([0x7fff, 0x0012_3456, u32::MAX]) {
        let mut w = Writer::new();
        w.put_varint(value);
        let bytes = w.into_bytes();
        // With and without something behind it.
        for behind in [&[][..], &[0xff; 4]] {
            let frame = Bytes::from([&bytes, behind].concat());
            let mut r = Reader::new(&frame);
            assert_eq!(r.read_varint().unwrap(), value);
            assert_eq!(r.remaining(), behind.len(), "{value}");
        }
        for len in 0..bytes.len() {
            let error = Reader::new(&bytes.slice(..len)).read_varint().unwrap_err();
            assert!(matches!(error.kind(), DecodeErrorKind::Truncated { .. }), "{value}: {error}");
        }
    }
}

#[test]
fn more_than_32_bits_are_refused() {
    for bytes in [&[0xff, 0xff, 0xff, 0xff, 0x1f][..], &[0x80; 6]] {
        let error = Reader::new(&Bytes::from_static(bytes)).read_varint().unwrap_err();
        assert_eq!(error.kind(), DecodeErrorKind::Varint);
    }
}
