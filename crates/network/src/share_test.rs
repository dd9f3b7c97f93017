use super::*;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn grow(lease: &mut Lease, bytes: usize) -> bool {
    lease.poll_grow(&mut Context::from_waker(Waker::noop()), bytes).is_ready()
}

#[test]
fn bytes_come_back_when_the_lease_goes() {
    let share = Share::new(100);
    let mut lease = share.lease();
    assert!(grow(&mut lease, 60));
    assert!(grow(&mut lease, 40));
    assert_eq!((share.used(), lease.held()), (100, 100));
    drop(lease);
    assert_eq!(share.used(), 0);
}

#[test]
fn one_lease_at_a_time_may_overdraw_so_that_half_received_bodies_cannot_wait_for_each_other() {
    let share = Share::new(100);
    let (mut a, mut b) = (share.lease(), share.lease());
    assert!(grow(&mut a, 50));
    assert!(grow(&mut b, 50));
    assert!(grow(&mut a, 50), "the first in line overdraws");
    assert!(!grow(&mut b, 50), "the second waits");
    assert!(grow(&mut a, 10), "whoever has overdrawn may finish");
    assert_eq!(share.used(), 160);
    drop(a);
    assert!(grow(&mut b, 50));
    drop(b);
    assert_eq!((share.used(), share.waiting()), (0, 0));
}

#[test]
fn first_come_first_served() {
    let share = Share::new(100);
    let (mut a, mut b, mut big, mut small) = (share.lease(), share.lease(), share.lease(), share.lease());
    assert!(grow(&mut a, 100));
    assert!(grow(&mut b, 1), "overdraft");
    assert!(!grow(&mut big, 90));
    assert!(!grow(&mut small, 1), "does not overtake");
    drop(b);
    assert!(grow(&mut big, 90), "the overdraft came back and goes to the first in line");
    assert!(!grow(&mut small, 1));
    drop(a);
    assert!(grow(&mut small, 1));
}

#[test]
fn a_waiter_is_woken_once_there_is_room() {
    let share = Share::new(10);
    let (mut a, mut b, mut c) = (share.lease(), share.lease(), share.lease());
    assert!(grow(&mut a, 10));
    assert!(grow(&mut b, 10), "overdraft");
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    assert!(c.poll_grow(&mut Context::from_waker(&waker), 10).is_pending());
    drop(b);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(grow(&mut c, 10));
}

#[test]
fn leaving_the_line_lets_the_next_one_in() {
    let share = Share::new(10);
    let (mut a, mut b, mut c, mut d) = (share.lease(), share.lease(), share.lease(), share.lease());
    assert!(grow(&mut a, 5));
    assert!(grow(&mut b, 50), "overdraft");
    assert!(!grow(&mut c, 50));
    assert!(!grow(&mut d, 5));
    drop(c);
    drop(b);
    assert!(grow(&mut d, 5));
    drop((a, d));
    assert_eq!((share.used(), share.waiting()), (0, 0));
}

#[test]
fn a_granted_ticket_that_is_dropped_untaken_gives_its_bytes_back() {
    let share = Share::new(10);
    let (mut a, mut b, mut c) = (share.lease(), share.lease(), share.lease());
    assert!(grow(&mut a, 10));
    assert!(grow(&mut b, 10), "overdraft");
    assert!(!grow(&mut c, 10));
    drop(a);
    drop(b);
    assert_eq!(share.used(), 10, "granted to the one in line");
    drop(c);
    assert_eq!((share.used(), share.waiting()), (0, 0));
}

#[test]
fn a_charge_is_held_at_once_and_others_wait_for_it() {
    let share = Share::new(100);
    let (mut a, mut b) = (share.lease(), share.lease());
    assert!(grow(&mut a, 60));
    a.charge(300);
    assert_eq!((share.used(), a.held()), (360, 360));
    assert!(grow(&mut b, 1), "the first in line may overdraw");
    let mut c = share.lease();
    assert!(!grow(&mut c, 1));
    drop(a);
    assert!(grow(&mut c, 1));
    drop((b, c));
    assert_eq!(share.used(), 0);
}
