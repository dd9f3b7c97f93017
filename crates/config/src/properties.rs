//! Java's `.properties` format, as `server.properties` has it (`java.util.Properties.load`).
//!
//! ```text
//! # comment          ! comment
//! key=value          key : value          key value
//! long.key=first part,\
//!          second part (leading blanks of the continuation go)
//! escaped\:key=tab\tunicode\u00e4
//! ```

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: \\u must be followed by four hexadecimal digits; write the character itself, as UTF-8")]
pub struct PropertiesError {
    /// Where, counted from 1.
    pub line: usize,
}

/// The keys and values of `text`, in order. Of a repeated key the last one counts, which is the caller's to do.
pub fn parse(text: &str) -> Result<Vec<(String, String)>, PropertiesError> {
    let mut pairs = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let line = line.trim_start_matches(is_blank);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while continues(&logical) {
            logical.pop();
            let Some((_, next)) = lines.next() else { break };
            logical.push_str(next.trim_start_matches(is_blank));
        }
        let (key, value) = split(&logical);
        let unescape = |part| unescape(part).ok_or(PropertiesError { line: at + 1 });
        pairs.push((unescape(key)?, unescape(value)?));
    }
    Ok(pairs)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// Whether the line ends with an odd number of backslashes.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Splits at the first `=`, `:` or blank that no backslash escapes. Blanks around it go.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let end = line.find(|c| {
        let found = !escaped && (matches!(c, '=' | ':') || is_blank(c));
        escaped = c == '\\' && !escaped;
        found
    });
    let Some(end) = end else { return (line, "") };
    let rest = line[end..].trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], value.trim_start_matches(is_blank))
}

fn unescape(part: &str) -> Option<String> {
    let mut out = String::with_capacity(part.len());
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('t')) => out.push('\t'),
            ('\\', Some('n')) => out.push('\n'),
            ('\\', Some('r')) => out.push('\r'),
            ('\\', Some('f')) => out.push('\u{c}'),
            ('\\', Some('u')) => out.push(unicode(&mut chars)?),
            ('\\', Some(other)) => out.push(other),
            ('\\', None) => {}
            (c, _) => out.push(c),
        }
    }
    Some(out)
}

/// Four hexadecimal digits; a pair of surrogates takes a second `\u`.
fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let first = hex4(chars)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    if chars.next() != Some('\\') || chars.next() != Some('u') {
        return None;
    }
    let second = hex4(chars)?.checked_sub(0xdc00)?;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> (String, String) {
        parse(line).unwrap().remove(0)
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn all_separators() {
        for line in ["a.b=c d", "a.b: c d", "a.b c d", "  a.b \t = c d", "a.b\t:c d"] {
            assert_eq!(one(line), pair("a.b", "c d"), "{line:?}");
        }
        assert_eq!(one("alone"), pair("alone", ""));
        assert_eq!(one("a=b=c"), pair("a", "b=c"));
        assert_eq!(one("a = = b"), pair("a", "= b"));
    }

    #[test]
    fn trailing_blanks_belong_to_the_value() {
        assert_eq!(one("a=b "), pair("a", "b "));
    }

    #[test]
    fn comments_and_empty_lines_are_skipped() {
        assert_eq!(parse("# a=b\n  ! c=d\n\n \t\r\n").unwrap(), vec![]);
    }

    #[test]
    fn continuation_lines_join() {
        assert_eq!(one("a=one,\\\n   two,\\\n\tthree"), pair("a", "one,two,three"));
        assert_eq!(one("a=back\\\\\nb=c"), pair("a", "back\\"));
        assert_eq!(one("a=end\\"), pair("a", "end"));
        assert_eq!(one("a=1\\\n# not a comment"), pair("a", "1# not a comment"));
    }

    #[test]
    fn escapes() {
        assert_eq!(one(r"a\=b\ c=d\te"), pair("a=b c", "d\te"));
        assert_eq!(one(r"a=\u00e4\ud83d\ude00\q"), pair("a", "ä😀q"));
        assert_eq!(parse("x=1\ny=\\u12").unwrap_err(), PropertiesError { line: 2 });
        assert!(parse(r"a=\ud83d\u0041").is_err());
    }
}
