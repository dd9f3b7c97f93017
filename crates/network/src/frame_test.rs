use super::*;
use std::task::Waker;

fn reader(limit: usize, budget: &Arc<RequestBudget>) -> FrameReader {
    FrameReader::new(limit, Arc::clone(budget))
}

/// Feeds all of `bytes` and returns the frames, as the connection loop would.
fn frames(reader: &mut FrameReader, mut bytes: &[u8]) -> Result<Vec<(Bytes, Lease)>, FrameError> {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut frames = Vec::new();
    loop {
        while let Poll::Ready(Some(frame)) = reader.poll_frame(cx)?.map(Some) {
            match frame {
                Some(frame) => frames.push(frame),
                None => break,
            }
        }
        if bytes.is_empty() {
            return Ok(frames);
        }
        assert!(reader.poll_fill(cx, &mut bytes).is_ready());
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

#[test]
fn frames_of_every_size_come_out_as_they_went_in() {
    let budget = RequestBudget::new(usize::MAX);
    let mut reader = reader(1 << 20, &budget);
    let sizes = [0, 1, 4095, 4096, 20_000, 32_768, 32_769, 65_536, 300_000, 1 << 20];
    let bodies: Vec<Vec<u8>> =
        sizes.iter().map(|size| (0..*size).map(|i| (i % 251) as u8).collect()).collect();
    let wire: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
    let got = frames(&mut reader, &wire).unwrap();
    assert_eq!(got.len(), bodies.len());
    for ((frame, lease), body) in got.iter().zip(&bodies) {
        assert_eq!(frame, body);
        assert_eq!(lease.held(), body.len());
    }
    assert_eq!(budget.used(), sizes.iter().sum::<usize>());
    drop(got);
    assert_eq!(budget.used(), 0);
}

#[test]
fn behind_a_large_body_little_is_read_ahead_of_the_next() {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut reader = reader(1 << 20, &RequestBudget::unlimited());
    let small = framed(&[1; 20_000]);
    let large = framed(&[2; 300_000]);
    // Many requests that fit have made the read-ahead grow.
    frames(&mut reader, &small.repeat(20)).unwrap();
    assert_eq!(reader.read_size, READ_MAX);
    frames(&mut reader, &large).unwrap();
    let mut bytes = &large[..];
    assert!(reader.poll_fill(cx, &mut bytes).is_ready());
    assert!(large.len() - bytes.len() <= SCRATCH, "{} bytes to be copied", large.len() - bytes.len());
    assert!(matches!(reader.poll_frame(cx), Poll::Ready(Ok(None))));
    assert!(reader.poll_fill(cx, &mut bytes).is_ready());
    assert!(bytes.len() < 300_000 - 2 * SCRATCH, "the rest goes where it belongs");
}

#[test]
fn frames_that_arrive_byte_by_byte_come_out_whole() {
    let budget = RequestBudget::unlimited();
    let mut reader = reader(100, &budget);
    let wire = [framed(b"one"), framed(b""), framed(b"three")].concat();
    let got: Vec<Bytes> =
        wire.iter().flat_map(|byte| frames(&mut reader, &[*byte]).unwrap()).map(|(frame, _)| frame).collect();
    assert_eq!(got, [&b"one"[..], b"", b"three"]);
    assert!(!reader.is_mid_frame());
}

#[test]
fn a_negative_length_is_refused() {
    let mut reader = reader(100, &RequestBudget::unlimited());
    assert_eq!(frames(&mut reader, &(-1i32).to_be_bytes()).unwrap_err(), FrameError::Negative(-1));
}

#[test]
fn a_length_above_the_limit_is_refused_before_anything_is_reserved() {
    let budget = RequestBudget::unlimited();
    let mut reader = reader(100, &budget);
    let error = frames(&mut reader, &i32::MAX.to_be_bytes()).unwrap_err();
    assert_eq!(error, FrameError::TooLarge { length: 0x7fff_ffff, limit: 100 });
    assert!(reader.buffer.capacity() < 100 && budget.used() == 0);
}

#[test]
fn a_hundred_megabyte_claim_without_bytes_reserves_one_step() {
    let budget = RequestBudget::unlimited();
    let mut reader = reader(104_857_600, &budget);
    assert!(frames(&mut reader, &104_857_600i32.to_be_bytes()).unwrap().is_empty());
    let body = reader.body.as_ref().unwrap();
    assert_eq!((budget.used(), body.direct.capacity()), (FIRST_STEP, FIRST_STEP));
    assert!(frames(&mut reader, &vec![7; FIRST_STEP]).unwrap().is_empty());
    assert_eq!(budget.used(), 2 * FIRST_STEP, "it grows with the bytes that came");
}

#[test]
fn who_delivered_a_large_body_gets_as_much_at_once_for_the_next() {
    let budget = RequestBudget::unlimited();
    let mut reader = reader(104_857_600, &budget);
    drop(frames(&mut reader, &framed(&vec![1; 1 << 20])).unwrap());
    assert!(frames(&mut reader, &104_857_600i32.to_be_bytes()).unwrap().is_empty());
    assert_eq!(budget.used(), 1 << 20);
    assert_eq!(frames(&mut reader, &vec![7; 104_857_600]).unwrap().len(), 1);
    assert!(frames(&mut reader, &104_857_600i32.to_be_bytes()).unwrap().is_empty());
    assert_eq!(budget.used(), PROVEN_MAX);
}

#[test]
fn a_body_waits_for_the_budget_and_reads_no_further() {
    let budget = RequestBudget::of_shares(FIRST_STEP, 0);
    let cx = &mut Context::from_waker(Waker::noop());
    let (mut full, mut overdrawn) = (budget.lease(100), budget.lease(100));
    assert!(full.poll_grow(cx, FIRST_STEP).is_ready() && overdrawn.poll_grow(cx, 1).is_ready());
    let mut reader = reader(1 << 20, &budget);
    assert!(frames(&mut reader, &framed(&[1; 100])).unwrap().is_empty());
    assert!(reader.waits_for_budget() && reader.has_frame());
    drop((full, overdrawn));
    assert_eq!(frames(&mut reader, &[]).unwrap()[0].0, [1; 100][..]);
}

#[test]
fn small_frames_share_the_buffer_and_an_idle_connection_has_none() {
    let mut reader = reader(1 << 20, &RequestBudget::unlimited());
    let got = frames(&mut reader, &[framed(b"one"), framed(b"two")].concat()).unwrap();
    let (one, two) = (got[0].0.as_ptr() as usize, got[1].0.as_ptr() as usize);
    assert_eq!(two - one, 3 + 4, "with the length of the second between them");
    reader.shrink();
    assert_eq!(reader.buffer.capacity(), 0);
}
