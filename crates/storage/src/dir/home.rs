//! In which of several directories a partition lies, and what a crash in the middle of its move leaves in others.

use std::sync::Arc;

use ottla_types::{DirectoryId, TopicIdPartition};

use super::LogDir;
use crate::error::StorageError;

/// Which of `dirs` holds `partition`, if one does. Call it before the log is opened: two folders, as a crash leaves them that
/// came while one took the place of the other, are equal; the one in the directory that the cluster's metadata names,
/// `assigned`, stays, and the other is set aside.
pub fn find_home(
    dirs: &[Arc<LogDir>],
    partition: &TopicIdPartition,
    assigned: Option<DirectoryId>,
) -> Result<Option<usize>, StorageError> {
    let has_folder = |dir: &LogDir| dir.topic_id_of(&partition.topic_partition) == Some(partition.topic_id);
    let with_folder: Vec<usize> = (0..dirs.len()).filter(|&i| has_folder(&dirs[i])).collect();
    let home = match *with_folder {
        [] => return Ok(dirs.iter().position(|dir| dir.holds(partition))),
        [only] => only,
        [first, second, ..] => {
            let named = with_folder.iter().copied().find(|&i| Some(dirs[i].directory_id()) == assigned);
            named.ok_or_else(|| {
                let other = dirs[second].folder(partition);
                let reason = format!("{} is of the same partition; move one of them away", other.display());
                StorageError::damaged(&dirs[first].folder(partition), reason)
            })?
        }
    };
    if with_folder.len() > 1 {
        // A process that died may have left its name in the page cache only.
        dirs[home].sync_names()?;
    }
    for (i, dir) in dirs.iter().enumerate().filter(|(i, dir)| *i != home && dir.holds(partition)) {
        let mut renamed = Vec::new();
        let settled = dir.set_aside(std::slice::from_ref(partition), &mut renamed);
        for (_, folder) in renamed {
            tracing::warn!(kept = %folder.display(), in_use = %dirs[home].path().display(),
                "{} has moved; what was left behind is kept, and may be deleted", partition.topic_partition);
        }
        if let Err(error) = settled
            && with_folder.contains(&i)
        {
            return Err(error);
        }
    }
    Ok(Some(home))
}
