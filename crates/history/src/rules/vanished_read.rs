//! R8: what a consumer has seen stays: nobody reads beyond what is committed.

use std::collections::BTreeMap;

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let logs: BTreeMap<_, _> = history
        .final_logs()
        .flat_map(|dump| dump.records.iter().map(|record| ((dump.partition, record.offset), record.value)))
        .collect();
    let gone =
        history.reads.iter().find(|read| logs.get(&(read.partition, read.offset)) != Some(&read.value))?;
    let found = logs.get(&(gone.partition, gone.offset));
    Some(format!("{gone:?} was read, {found:?} is there"))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;
    use crate::{Outcome, Read};

    #[test]
    fn a_value_that_was_read_and_is_gone() {
        let gone = breaks(|history| {
            history.sends.push(send(1, 9, 50, Outcome::Unknown));
            history.reads.push(Read { partition: 0, offset: offset(3), value: value(1, 9) });
        });
        assert_eq!(gone, ["R8 vanished-read"]);
    }
}
