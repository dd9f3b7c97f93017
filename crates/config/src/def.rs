//! What one row of the table says, and the builders that rows are written with.

/// A value's type, as DescribeConfigs reports it (`ConfigDef.Type`; codes: `DescribeConfigsResponse.ConfigType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// `true` or `false`, whatever the case.
    Boolean,
    /// Any text.
    String,
    /// 32 bits, signed.
    Int,
    /// 16 bits, signed.
    Short,
    /// 64 bits, signed.
    Long,
    /// 64 bits, floating point.
    Double,
    /// Texts separated by commas.
    List,
    /// The name of a Java class; Ottla has no use for its code, only for well-known names.
    Class,
    /// A secret: never shown, never logged.
    Password,
}

impl ValueType {
    /// The number that stands for this type in DescribeConfigs responses.
    pub const fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }

    /// Kafka's name of the type, in lower case as its documentation prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Int => "int",
            Self::Short => "short",
            Self::Long => "long",
            Self::Double => "double",
            Self::List => "list",
            Self::Class => "class",
            Self::Password => "password",
        }
    }
}

/// Which values of the type are allowed.
#[derive(Clone, Copy, Debug)]
pub enum Bounds {
    /// All.
    Any,
    /// A whole number from `min` to `max`, both included.
    Whole {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A number from `min` to `max`, both included.
    Real {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// One of these texts, or (in a list) each element one of these.
    OneOf(&'static [&'static str]),
    /// The same without regard to case.
    OneOfAnyCase(&'static [&'static str]),
    /// A text with at least one character.
    NonEmpty,
    /// Whatever the function accepts; its error says why not. `allowed` describes the accepted values.
    Check {
        /// Judges a value that already has the row's type.
        check: fn(&str) -> Result<(), String>,
        /// For messages and documentation.
        allowed: &'static str,
    },
}

/// How much a row matters to most users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// Look at it before production.
    High,
    /// Worth knowing.
    Medium,
    /// For special needs.
    Low,
}

impl Importance {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// Whether and where a broker key may change while the broker runs (`DynamicBrokerConfig`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Needs a restart.
    ReadOnly,
    /// May be altered for one broker.
    PerBroker,
    /// May be altered for one broker and one of its listeners: as `listener.name.<listener>.<key>`.
    PerListener,
    /// May be altered for one broker and as the default of all.
    ClusterWide,
}

impl Scope {
    /// Kafka's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            // Kafka's documentation makes no difference.
            Self::PerBroker | Self::PerListener => "per-broker",
            Self::ClusterWide => "cluster-wide",
        }
    }
}

/// What Ottla does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Read and acted upon, with Kafka's meaning.
    Effective,
    /// Accepted and validated, but nothing in Ottla depends on it (yet, or because it tunes the JVM).
    Accepted,
    /// Not a key of Kafka's.
    Ours,
}

impl Status {
    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effective => "effective",
            Self::Accepted => "accepted without effect",
            Self::Ours => "Ottla's own",
        }
    }
}

/// One setting. Everything else (parsing, validation, DescribeConfigs, the reference page) derives from it.
#[derive(Clone, Copy, Debug)]
pub struct ConfigDef {
    /// The key, as Kafka spells it.
    pub name: &'static str,
    /// Type of the value.
    pub value_type: ValueType,
    /// Default as text; `None` is Kafka's null (unset).
    pub default: Option<&'static str>,
    /// Allowed values.
    pub bounds: Bounds,
    /// How much it matters.
    pub importance: Importance,
    /// Whether it may change at run time. Keys of topics, groups and client metrics always may.
    pub scope: Scope,
    /// Keys that supply the value when this one is unset, most specific first: for a topic or group key the
    /// broker keys that are its default, for a broker key its coarser units.
    pub synonyms: &'static [&'static str],
    /// The broker key whose value a group key must reach.
    pub at_least_key: Option<&'static str>,
    /// The broker key whose value a group key must not exceed.
    pub at_most_key: Option<&'static str>,
    /// What Ottla does with it.
    pub status: Status,
    /// Shown by DescribeConfigs only where it is set, and not in the reference, as in Kafka.
    pub internal: bool,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
}

/// Starts a Boolean row.
pub(crate) const fn boolean(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Boolean, Some(default))
}

/// Starts a row of a 32-bit number.
pub(crate) const fn int(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Int, Some(default))
}

/// Starts a row of a 16-bit number.
pub(crate) const fn short(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Short, Some(default))
}

/// Starts a row of a 64-bit number.
pub(crate) const fn long(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Long, Some(default))
}

/// Starts a row of a floating-point number.
pub(crate) const fn double(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Double, Some(default))
}

/// Starts a row of text.
pub(crate) const fn string(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::String, Some(default))
}

/// Starts a row of a list.
pub(crate) const fn list(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::List, Some(default))
}

/// Starts a row of a Java class.
pub(crate) const fn class(name: &'static str, default: &'static str) -> ConfigDef {
    row(name, ValueType::Class, Some(default))
}

/// Starts a row that is null unless set.
pub(crate) const fn unset(name: &'static str, value_type: ValueType) -> ConfigDef {
    row(name, value_type, None)
}

const fn row(name: &'static str, value_type: ValueType, default: Option<&'static str>) -> ConfigDef {
    ConfigDef {
        name,
        value_type,
        default,
        bounds: Bounds::Any,
        importance: Importance::Medium,
        scope: Scope::ReadOnly,
        synonyms: &[],
        at_least_key: None,
        at_most_key: None,
        status: Status::Effective,
        internal: false,
        doc: "",
    }
}

impl ConfigDef {
    pub(crate) const fn at_least(mut self, min: i64) -> Self {
        self.bounds = Bounds::Whole { min, max: i64::MAX };
        self
    }

    pub(crate) const fn between(mut self, min: i64, max: i64) -> Self {
        self.bounds = Bounds::Whole { min, max };
        self
    }

    pub(crate) const fn real(mut self, min: f64, max: f64) -> Self {
        self.bounds = Bounds::Real { min, max };
        self
    }

    pub(crate) const fn one_of(mut self, values: &'static [&'static str]) -> Self {
        self.bounds = Bounds::OneOf(values);
        self
    }

    pub(crate) const fn one_of_any_case(mut self, values: &'static [&'static str]) -> Self {
        self.bounds = Bounds::OneOfAnyCase(values);
        self
    }

    pub(crate) const fn non_empty(mut self) -> Self {
        self.bounds = Bounds::NonEmpty;
        self
    }

    pub(crate) const fn check(
        mut self,
        check: fn(&str) -> Result<(), String>,
        allowed: &'static str,
    ) -> Self {
        self.bounds = Bounds::Check { check, allowed };
        self
    }

    pub(crate) const fn high(mut self) -> Self {
        self.importance = Importance::High;
        self
    }

    pub(crate) const fn low(mut self) -> Self {
        self.importance = Importance::Low;
        self
    }

    pub(crate) const fn per_broker(mut self) -> Self {
        self.scope = Scope::PerBroker;
        self
    }

    pub(crate) const fn per_listener(mut self) -> Self {
        self.scope = Scope::PerListener;
        self
    }

    pub(crate) const fn cluster_wide(mut self) -> Self {
        self.scope = Scope::ClusterWide;
        self
    }

    pub(crate) const fn or(mut self, synonyms: &'static [&'static str]) -> Self {
        self.synonyms = synonyms;
        self
    }

    pub(crate) const fn within(mut self, min: &'static str, max: &'static str) -> Self {
        self.at_least_key = Some(min);
        self.at_most_key = Some(max);
        self
    }

    pub(crate) const fn at_most_key(mut self, max: &'static str) -> Self {
        self.at_most_key = Some(max);
        self
    }

    pub(crate) const fn accepted(mut self) -> Self {
        self.status = Status::Accepted;
        self
    }

    pub(crate) const fn ours(mut self) -> Self {
        self.status = Status::Ours;
        self
    }

    pub(crate) const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    pub(crate) const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Whether the value is a secret.
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.value_type, ValueType::Password)
    }
}
