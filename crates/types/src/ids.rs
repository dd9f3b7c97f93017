//! Numbers that name a thing or fence an older holder of it.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), none = $none:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// What the protocol sends for "none".
            pub const NONE: Self = Self($none);

            /// The number itself.
            pub const fn get(self) -> $inner {
                self.0
            }

            /// Whether this names something.
            pub const fn is_some(self) -> bool {
                self.0 != $none
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A broker or controller: `node.id`.
    NodeId(i32), none = -1
}
id! {
    /// A partition's number within its topic, from 0.
    PartitionIndex(i32), none = -1
}
id! {
    /// Counts the leaders of one partition; an older epoch is fenced (KIP-101).
    LeaderEpoch(i32), none = -1
}
id! {
    /// Counts every change to one partition's state (KIP-497).
    PartitionEpoch(i32), none = -1
}
id! {
    /// Counts the leaders of the metadata quorum.
    ControllerEpoch(i32), none = -1
}
id! {
    /// The metadata offset of a broker's registration; fences its former incarnations (KIP-631).
    BrokerEpoch(i64), none = -1
}
id! {
    /// An idempotent or transactional producer (KIP-98).
    ProducerId(i64), none = -1
}
id! {
    /// Counts the incarnations of one producer id; an older one is fenced (KIP-98).
    ProducerEpoch(i16), none = -1
}
