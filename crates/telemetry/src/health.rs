//! Whether the process can serve, and what it waits for if it cannot.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// The conditions that `/readyz` reports; ready when all of them hold.
#[derive(Debug, Default)]
pub struct Health {
    /// What is missing, by name of the condition.
    conditions: Mutex<BTreeMap<&'static str, Option<String>>>,
    /// Conditions that are asked about when somebody wants to know.
    probes: Mutex<Vec<Probe>>,
}

struct Probe {
    name: &'static str,
    missing: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Probe").field(&self.name).finish()
    }
}

impl Health {
    /// No conditions yet, hence ready.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Adds a condition that does not hold yet because of `reason`.
    pub fn condition(self: &Arc<Self>, name: &'static str, reason: impl Into<String>) -> Condition {
        let condition = Condition { health: Arc::clone(self), name };
        condition.not_ready(reason);
        condition
    }

    /// Adds a condition that holds while `missing` gives nothing; it is asked at every look, and must be quick.
    pub fn probe(&self, name: &'static str, missing: impl Fn() -> Option<String> + Send + Sync + 'static) {
        let probe = Probe { name, missing: Box::new(missing) };
        self.probes.lock().unwrap_or_else(PoisonError::into_inner).push(probe);
    }

    /// Whether all conditions hold.
    pub fn is_ready(&self) -> bool {
        self.conditions().values().all(Option::is_none)
    }

    /// `{"ready":false,"conditions":{"log recovery":"3 of 7 partitions","metadata":"ok"}}`
    pub fn to_json(&self) -> String {
        let conditions = self.conditions();
        let ready = conditions.values().all(Option::is_none);
        let mut json = format!("{{\"ready\":{ready},\"conditions\":{{");
        for (index, (name, reason)) in conditions.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            push_string(&mut json, name);
            json.push(':');
            push_string(&mut json, reason.as_deref().unwrap_or("ok"));
        }
        json.push_str("}}");
        json
    }

    fn conditions(&self) -> BTreeMap<&'static str, Option<String>> {
        let mut all = self.conditions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let probes = self.probes.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(probes.iter().map(|probe| (probe.name, (probe.missing)())));
        all
    }

    fn set(&self, name: &'static str, reason: Option<String>) {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner).insert(name, reason);
    }
}

/// One condition for being ready.
#[derive(Clone, Debug)]
pub struct Condition {
    health: Arc<Health>,
    name: &'static str,
}

impl Condition {
    /// It holds.
    pub fn ready(&self) {
        self.health.set(self.name, None);
    }

    /// It does not hold, because of `reason`.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.health.set(self.name, Some(reason.into()));
    }
}

fn push_string(json: &mut String, text: &str) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                json.push('\\');
                json.push(char);
            }
            control if control < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_all_conditions_hold() {
        let health = Health::new();
        assert!(health.is_ready());
        let (a, b) = (health.condition("metadata", "no image \"yet\""), health.condition("logs", "0 of 2"));
        a.ready();
        assert!(!health.is_ready());
        b.ready();
        assert!(health.is_ready());
        b.not_ready("offline:\n/data");
        let expected = r#"{"ready":false,"conditions":{"logs":"offline:\u000a/data","metadata":"ok"}}"#;
        assert_eq!(health.to_json(), expected);
    }

    #[test]
    fn probes_are_asked_at_every_look() {
        let health = Health::new();
        let failed = Arc::new(Mutex::new(None));
        let probed = Arc::clone(&failed);
        health.probe("disks", move || probed.lock().unwrap().clone());
        assert!(health.is_ready());
        *failed.lock().unwrap() = Some("/data failed".to_owned());
        assert_eq!(health.to_json(), r#"{"ready":false,"conditions":{"disks":"/data failed"}}"#);
    }
}
