//! Console sessions in a page of Markdown.

/// One command of the page and what the page says it prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The line of the page on which the command begins, from 1.
    pub(crate) line: usize,
    /// The command, several lines if it goes on.
    pub(crate) command: String,
    /// The output as shown, each line with its end.
    pub(crate) output: String,
}

/// Stands for any text of one line, or on a line by itself for any lines.
const ANY: &str = "…";

/// All commands of the page's `console` blocks.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut first) = (false, true);
    for (number, line) in page.lines().enumerate() {
        if !inside {
            inside = line == "```console";
            first = true;
        } else if line == "```" {
            inside = false;
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: number + 1, command: command.to_owned(), output: String::new() });
            first = false;
        } else if let (false, Some(step)) = (first, steps.last_mut()) {
            match line.strip_prefix("> ").or_else(|| (line == ">").then_some("")) {
                Some(more) if step.output.is_empty() => {
                    step.command.push('\n');
                    step.command.push_str(more);
                }
                _ => {
                    step.output.push_str(line);
                    step.output.push('\n');
                }
            }
        }
    }
    steps
}

/// The page with what was printed in place of what it showed, where the two do not match.
pub(crate) fn with_outputs(page: &str, printed: &[(Step, String)]) -> String {
    let mut new = String::with_capacity(page.len());
    let mut lines = page.lines().enumerate().peekable();
    let mut printed = printed.iter().peekable();
    while let Some((number, line)) = lines.next() {
        new.push_str(line);
        new.push('\n');
        let Some((step, output)) = printed.next_if(|(step, _)| step.line == number + 1) else { continue };
        for _ in 1..step.command.lines().count() {
            if let Some((_, more)) = lines.next() {
                new.push_str(more);
                new.push('\n');
            }
        }
        for _ in 0..step.output.lines().count() {
            lines.next();
        }
        if matches(&step.output, output) {
            new.push_str(&step.output);
        } else {
            for line in output.trim_end().lines() {
                new.push_str(line.trim_end());
                new.push('\n');
            }
        }
    }
    new
}

/// Whether `printed` is what was shown: line by line, but for ids, points in time, spaces at the ends of lines, and
/// whatever stands at a `…`.
pub(crate) fn matches(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| text.trim_end().lines().map(normalized).collect::<Vec<String>>();
    lines_match(&lines(shown), &lines(printed))
}

fn lines_match(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((any, rest)) if any.trim() == ANY => {
            (0..=printed.len()).any(|skipped| lines_match(rest, printed.get(skipped..).unwrap_or_default()))
        }
        Some((line, rest)) => match printed.split_first() {
            Some((first, others)) => line_matches(line, first) && lines_match(rest, others),
            None => false,
        },
    }
}

fn line_matches(shown: &str, printed: &str) -> bool {
    let Some((head, tail)) = shown.split_once(ANY) else { return shown == printed };
    let Some(rest) = printed.strip_prefix(head) else { return false };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.into_iter().any(|at| rest.get(at..).is_some_and(|rest| line_matches(tail, rest)))
}

/// The line with a name in place of each word that differs from run to run.
fn normalized(line: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::new();
    let mut rest = line.trim_end();
    while let Some(c) = rest.chars().next() {
        let end = match is_word(c) {
            true => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            false => c.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        out.push_str(&variable(word));
        rest = after;
    }
    out
}

fn variable(word: &str) -> String {
    // A member's id is its client's id and a UUID.
    if let Some((head, id)) = word.len().checked_sub(36).and_then(|at| word.split_at_checked(at))
        && is_uuid(id)
    {
        return format!("{head}UUID");
    }
    if word.len() == 22 && word.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase()) {
        return "ID".to_owned();
    }
    if word.len() == 13 && word.chars().all(|c| c.is_ascii_digit()) {
        return "TIME".to_owned();
    }
    word.to_owned()
}

fn is_uuid(word: &str) -> bool {
    word.char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        "# Title\n\n```sh\n$ not run\n```\n```console\n$ echo a \\\n> b\na b\n$ true\n```\nend\n";

    #[test]
    fn console_blocks_are_sessions() {
        let steps = steps(PAGE);
        assert_eq!(steps.len(), 2);
        assert_eq!(steps[0].command, "echo a \\\nb");
        assert_eq!(steps[0].output, "a b\n");
        assert_eq!((steps[1].command.as_str(), steps[1].output.as_str()), ("true", ""));
    }

    #[test]
    fn the_page_takes_what_was_printed() {
        let mut printed: Vec<(Step, String)> = steps(PAGE).into_iter().map(|s| (s, String::new())).collect();
        printed[0].1 = "a c\n".to_owned();
        assert_eq!(with_outputs(PAGE, &printed), PAGE.replace("\na b\n", "\na c\n"));
    }

    #[test]
    fn ids_and_times_do_not_count() {
        assert!(matches("id fzZrikoySW-ZG7gyvYkGIA\n", "id KadU0uRWQxKXpg6TEGbxPA\n"));
        assert!(matches(
            "consumer-6f9619ff-8b86-d011-b42d-00cf4fc964ff 5\n",
            "consumer-00000000-8b86-d011-b42d-00cf4fc964ff 5\n"
        ));
        assert!(matches("t 1763847000000  \n", "t 1763848111111\n\n"));
        assert!(!matches("offset 3\n", "offset 4\n"));
    }

    #[test]
    fn dots_stand_for_anything() {
        assert!(matches("a\n…\nz 1…2\n", "a\nb\nc\nz 1 and 2\n"));
        assert!(matches("a\n…\n", "a\n"));
        assert!(!matches("a\n…\nz\n", "a\nb\n"));
    }
}
