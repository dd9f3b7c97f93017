//! What a request names more than once is answered once: an answer may be thousands of times as large as the name.

use std::collections::HashSet;
use std::hash::Hash;

/// Keeps the first of those with the same key, in order.
pub fn distinct<T, K: Eq + Hash>(items: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if items.len() > 1 {
        let mut seen = HashSet::with_capacity(items.len());
        items.retain(|item| seen.insert(key(item)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_stays_where_it_is() {
        let mut named = vec!["b", "a", "b", "c", "a"];
        distinct(&mut named, |name| *name);
        assert_eq!(named, ["b", "a", "c"]);
    }
}
