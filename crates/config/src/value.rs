//! From text to a typed, bounded value.
//!
//! The messages are those that Kafka's clients and tools are used to (`ConfigDef.parseType`, its validators).

use crate::def::{Bounds, ConfigDef, ValueType};
use crate::unit::{self, Unit};

/// A value of a row's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// [`ValueType::Boolean`].
    Boolean(bool),
    /// [`ValueType::Int`], [`ValueType::Short`] and [`ValueType::Long`].
    Whole(i64),
    /// [`ValueType::Double`].
    Double(f64),
    /// [`ValueType::String`], [`ValueType::Class`] and [`ValueType::Password`].
    Text(String),
    /// [`ValueType::List`].
    List(Vec<String>),
}

/// Which spellings of numbers are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Kafka's only: what comes over the wire.
    Kafka,
    /// Also `10MiB` and `7d` for sizes and durations: what comes from files, environment and flags.
    WithUnits,
}

/// A value that its row does not allow. Displays as Kafka's `ConfigException` does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value {value} for configuration {name}: {reason}")]
pub struct InvalidValue {
    /// The key.
    pub name: String,
    /// What was given; `[hidden]` for secrets.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
    /// Which values are allowed, such as `[1,...]`.
    pub allowed: String,
}

impl ConfigDef {
    /// Parses and judges `text`.
    pub fn parse(&self, text: &str, syntax: Syntax) -> Result<Value, InvalidValue> {
        let value = self.parse_type(text.trim(), syntax)?;
        self.check_bounds(&value).map_err(|reason| self.invalid(text, reason))?;
        Ok(value)
    }

    /// The value as Kafka writes it: numbers without units, lists joined by commas.
    pub fn normalize(&self, text: &str, syntax: Syntax) -> Result<String, InvalidValue> {
        Ok(match self.parse(text, syntax)? {
            Value::Boolean(value) => value.to_string(),
            Value::Whole(value) => value.to_string(),
            // As written: `1e308` and Java's own spelling of doubles are kept.
            Value::Double(_) => text.trim().to_owned(),
            Value::Text(value) => value,
            Value::List(values) => values.join(","),
        })
    }

    /// Which values are allowed, for messages and the reference page. Empty when all of the type are.
    pub fn allowed(&self) -> String {
        match self.bounds {
            Bounds::Any => String::new(),
            Bounds::Whole { min, max: i64::MAX } => format!("[{min},...]"),
            Bounds::Whole { min, max } => format!("[{min},...,{max}]"),
            Bounds::Real { min, max } => format!("[{min},...,{max}]"),
            Bounds::OneOf(values) => format!("[{}]", values.join(", ")),
            Bounds::OneOfAnyCase(values) => format!("(case insensitive) [{}]", values.join(", ")),
            Bounds::NonEmpty => "non-empty string".to_owned(),
            Bounds::Check { allowed, .. } => allowed.to_owned(),
        }
    }

    /// An error about this key.
    pub(crate) fn invalid(&self, text: &str, reason: impl Into<String>) -> InvalidValue {
        let allowed = match self.allowed() {
            allowed if allowed.is_empty() => format!("any {}", self.value_type.name()),
            allowed => allowed,
        };
        InvalidValue {
            name: self.name.to_owned(),
            value: if self.is_sensitive() { "[hidden]".to_owned() } else { text.to_owned() },
            reason: reason.into(),
            allowed,
        }
    }

    fn parse_type(&self, text: &str, syntax: Syntax) -> Result<Value, InvalidValue> {
        match self.value_type {
            ValueType::Boolean if text.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
            ValueType::Boolean if text.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
            ValueType::Boolean => Err(self.invalid(text, "Expected value to be either true or false")),
            ValueType::Int => self.parse_whole(text, syntax, i32::MIN.into(), i32::MAX.into()),
            ValueType::Short => self.parse_whole(text, syntax, i16::MIN.into(), i16::MAX.into()),
            ValueType::Long => self.parse_whole(text, syntax, i64::MIN, i64::MAX),
            ValueType::Double => match text.parse::<f64>() {
                Ok(value) if !value.is_nan() => Ok(Value::Double(value)),
                _ => Err(self.invalid(text, "Not a number of type DOUBLE")),
            },
            ValueType::String | ValueType::Class | ValueType::Password => Ok(Value::Text(text.to_owned())),
            ValueType::List => Ok(Value::List(split_list(text))),
        }
    }

    fn parse_whole(&self, text: &str, syntax: Syntax, min: i64, max: i64) -> Result<Value, InvalidValue> {
        let parsed = match (text.parse::<i64>(), syntax, Unit::of(self.name)) {
            (Err(_), Syntax::WithUnits, Some(unit)) => unit::parse(text, unit),
            (parsed, _, _) => parsed.ok(),
        };
        match parsed {
            Some(value) if (min..=max).contains(&value) => Ok(Value::Whole(value)),
            _ => {
                let name = self.value_type.name().to_uppercase();
                Err(self.invalid(text, format!("Not a number of type {name}")))
            }
        }
    }

    fn check_bounds(&self, value: &Value) -> Result<(), String> {
        match (self.bounds, value) {
            (Bounds::Whole { min, .. }, Value::Whole(value)) if *value < min => {
                Err(format!("Value must be at least {min}"))
            }
            (Bounds::Whole { max, .. }, Value::Whole(value)) if *value > max => {
                Err(format!("Value must be no more than {max}"))
            }
            (Bounds::Real { min, .. }, Value::Double(value)) if *value < min => {
                Err(format!("Value must be at least {min}"))
            }
            (Bounds::Real { max, .. }, Value::Double(value)) if *value > max => {
                Err(format!("Value must be no more than {max}"))
            }
            (Bounds::OneOf(allowed), Value::Text(value)) if !allowed.contains(&value.as_str()) => {
                Err(format!("String must be one of: {}", allowed.join(", ")))
            }
            (Bounds::OneOfAnyCase(allowed), Value::Text(value))
                if !allowed.iter().any(|one| one.eq_ignore_ascii_case(value)) =>
            {
                Err(format!("String must be one of (case insensitive): {}", allowed.join(", ")))
            }
            (Bounds::OneOf(allowed), Value::List(values)) => check_list(values, allowed),
            (Bounds::NonEmpty, Value::Text(value)) if value.is_empty() => {
                Err("String must be non-empty".to_owned())
            }
            (Bounds::Check { check, .. }, value) => match value {
                Value::Text(text) => check(text),
                Value::List(values) => values.iter().try_for_each(|value| check(value)),
                Value::Boolean(value) => check(&value.to_string()),
                Value::Whole(value) => check(&value.to_string()),
                Value::Double(value) => check(&value.to_string()),
            },
            _ => Ok(()),
        }
    }
}

/// The elements of a list, each without the blanks around it. An empty text is an empty list.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    match text.trim() {
        "" => Vec::new(),
        text => text.split(',').map(|part| part.trim().to_owned()).collect(),
    }
}

fn check_list(values: &[String], allowed: &[&str]) -> Result<(), String> {
    for (at, value) in values.iter().enumerate() {
        if !allowed.contains(&value.as_str()) {
            return Err(format!("String must be one of: {}", allowed.join(", ")));
        }
        if values[..at].contains(value) {
            return Err("must not contain duplicate values".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "value_test.rs"]
mod value_test;
