//! The outside world as traits, so that everything above it can run on virtual time, a virtual disk and
//! one seed. The real implementations are here too; the simulated disk is `ottla-simdisk`.

mod clock;
mod create_dir;
mod disk;
mod on_panic;
mod real_disk;
mod rng;
mod steady_clock;

pub use crate::clock::{Clock, ManualClock, Monotonic, RealClock};
pub use crate::create_dir::create_dir_durably;
pub use crate::disk::{DirEntry, Disk, File, OpenOptions, write_all_vectored_at};
pub use crate::on_panic::OnPanic;
pub use crate::real_disk::RealDisk;
pub use crate::rng::{RealRng, Rng, SeededRng};
pub use crate::steady_clock::SteadyClock;
