//! Which answer belongs to which request.

use std::collections::HashMap;

/// Requests of one connection that wait for their answers, by correlation id.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    waiting: HashMap<i32, T>,
    next_id: i32,
    closed: Option<String>,
}

impl<T> Pending<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: HashMap::new(), next_id: 0, closed: None }
    }

    /// A correlation id that no waiting request has.
    pub(crate) const fn next_id(&mut self) -> i32 {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1) & i32::MAX;
        id
    }

    /// Lets `waiter` wait for the answer to `id`; on a closed connection gives the reason back.
    pub(crate) fn add(&mut self, id: i32, waiter: T) -> Result<(), String> {
        match &self.closed {
            Some(reason) => Err(reason.clone()),
            None => {
                self.waiting.insert(id, waiter);
                Ok(())
            }
        }
    }

    /// Who waits for the answer to `id`.
    pub(crate) fn take(&mut self, id: i32) -> Option<T> {
        self.waiting.remove(&id)
    }

    /// Accepts no more requests; the ones that waited come back. The first reason stays.
    pub(crate) fn close(&mut self, reason: &str) -> Vec<T> {
        self.closed.get_or_insert_with(|| reason.to_owned());
        self.waiting.drain().map(|(_, waiter)| waiter).collect()
    }

    /// Why the connection closed, if it did.
    pub(crate) fn closed(&self) -> Option<&str> {
        self.closed.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_find_their_requests_in_any_order() {
        let mut pending = Pending::new();
        let (a, b) = (pending.next_id(), pending.next_id());
        pending.add(a, "a").unwrap();
        pending.add(b, "b").unwrap();
        assert_eq!(pending.take(b), Some("b"));
        assert_eq!(pending.take(b), None);
        assert_eq!(pending.take(a), Some("a"));
    }

    #[test]
    fn a_closed_connection_takes_no_request() {
        let mut pending = Pending::new();
        pending.add(0, "a").unwrap();
        assert_eq!(pending.close("reset by peer"), ["a"]);
        assert_eq!(pending.close("later"), [""; 0]);
        assert_eq!(pending.add(1, "b"), Err("reset by peer".to_owned()));
    }

    #[test]
    fn ids_stay_positive() {
        let mut pending = Pending::<()>::new();
        pending.next_id = i32::MAX;
        assert_eq!((pending.next_id(), pending.next_id()), (i32::MAX, 0));
    }
}
