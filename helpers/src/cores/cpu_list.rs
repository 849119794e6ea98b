//! The list format of `/sys/devices/system/cpu`: `0-3,8,10-11`.

/// The numbers in such a list, in the order given; `None` when the text is no such list.
pub(crate) fn parse(text: &str) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        match part.split_once('-') {
            Some((first, last)) => {
                cpus.extend(first.trim().parse::<usize>().ok()?..=last.trim().parse().ok()?)
            }
            None => cpus.push(part.trim().parse().ok()?),
        }
    }
    Some(cpus)
}

/// The list that `parse` reads.
pub(super) fn write(cpus: &[usize]) -> String {
    let mut parts = Vec::new();
    for run in cpus.chunk_by(|a, b| a + 1 == *b) {
        match run {
            [first, .., last] => parts.push(format!("{first}-{last}")),
            alone => parts.extend(alone.iter().map(usize::to_string)),
        }
    }
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::{parse, write};

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(write(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
        for cpus in [vec![], vec![5], vec![0, 1], vec![0, 1, 2], vec![3, 7, 8, 9, 20]] {
            assert_eq!(parse(&write(&cpus)), Some(cpus));
        }
    }

    #[test]
    fn ranges_and_single_numbers() {
        assert_eq!(parse("0-3,8,10-11\n"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parse("0\n"), Some(vec![0]));
        assert_eq!(parse("\n"), Some(vec![]));
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(parse("0-x"), None);
        assert_eq!(parse("all"), None);
    }
}
