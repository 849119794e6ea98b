//! Kernels registered with Jupyter that a notebook of the course would start in place of ours.

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
            format!("registered with a program that is gone: {}", broken.join(", ")),
            "`parcourse lab` brings its own; for other Jupyters: `parcourse kernel install` again, or `parcourse kernel uninstall`",
        );
    }
    if !others.is_empty() {
        return Finding::warning(
            NAME,
            format!("notebooks ask for `rust`, which is another program's: {}", others.join(", ")),
            "`parcourse lab` is not concerned; in another Jupyter choose \"Rust (Parcourse)\" after `parcourse kernel install`",
        );
    }
    let ours = specs.iter().filter(|spec| spec.ours).count();
    let advice = "`parcourse lab` brings its own; start another Jupyter on a shared machine with --KernelManager.transport=ipc";
    Finding::ok(
        NAME,
        format!("{ours} of ours registered with Jupyter, no other named `rust` ({advice})"),
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
        assert!(judge(&[spec("rust", "/bin/sh", false)]).found.contains("another program's"));
        assert!(judge(&[spec("parcourse", "/gone/parcourse", true)]).found.contains("gone"));
    }
}
