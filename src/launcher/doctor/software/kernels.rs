//! Kernels registered with Jupyter that the course's notebooks would start instead of ours.

use crate::launcher::doctor::finding::Finding;
use crate::launcher::kernelspec::{self, Spec};

pub fn check() -> Finding {
    judge(&kernelspec::registered())
}

fn judge(specs: &[Spec]) -> Finding {
    const NAME: &str = "kernels";
    let others: Vec<String> = specs
        .iter()
        .filter(|spec| spec.name == "rust" && !spec.ours)
        .map(|spec| format!("\"{}\" in {}", spec.display_name, spec.folder.display()))
        .collect();
    let broken: Vec<String> = specs
        .iter()
        .filter(|spec| spec.ours && !spec.program_exists())
        .map(|spec| format!("`{}` in {}", spec.name, spec.folder.display()))
        .collect();
    if !broken.is_empty() {
        return Finding::warning(
            NAME,
            format!("registered with a program that no longer exists: {}", broken.join(", ")),
            "`parcourse lab` is not affected; for other Jupyters, run `parcourse kernel install` \
            again, or `parcourse kernel uninstall`",
        );
    }
    if !others.is_empty() {
        return Finding::warning(
            NAME,
            format!(
                "the kernel `rust` that notebooks ask for belongs to another program: {}",
                others.join(", ")
            ),
            "`parcourse lab` is not affected; in other Jupyters, run `parcourse kernel install` \
            and choose \"Rust (Parcourse)\"",
        );
    }
    let ours = specs.iter().filter(|spec| spec.ours).count();
    let advice = "`parcourse lab` needs none; on a shared machine, start other Jupyters with \
        --KernelManager.transport=ipc";
    Finding::ok(
        NAME,
        format!(
            "{ours} of ours registered with Jupyter, none of other programs named `rust` ({advice})"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launcher::doctor::finding::Verdict;

    fn spec(name: &str, program: &str, ours: bool) -> Spec {
        Spec {
            name: name.into(),
            folder: "/jupyter/kernels".into(),
            display_name: "Rust".into(),
            program: Some(program.into()),
            ours,
        }
    }

    #[test]
    fn other_programs_and_broken_ones_are_noticed() {
        assert_eq!(judge(&[]).verdict, Verdict::Ok);
        assert_eq!(
            judge(&[spec("rust", "/bin/sh", true), spec("python3", "/gone", false)]).verdict,
            Verdict::Ok
        );
        assert!(judge(&[spec("rust", "/bin/sh", false)]).found.contains("another program"));
        assert!(
            judge(&[spec("parcourse", "/gone/parcourse", true)]).found.contains("no longer exists")
        );
    }
}
