//! What a batch job requested: the variables that Slurm, PBS, Torque, Grid Engine and LSF set in a
//! job.
//!
//! Whether anything enforces the number depends on the site. Respect it anyway: you share the
//! machine with others.
//!
//! | system | variable | what it means |
//! |---|---|---|
//! | Slurm | `SLURM_CPUS_PER_TASK` | the value of `--cpus-per-task`; not set without that option |
//! | | `SLURM_CPUS_ON_NODE` | logical cores of the job on this node, for all its tasks there |
//! | Torque | `PBS_NUM_PPN` | `ppn` in `-l nodes=1:ppn=8`, per node |
//! | PBS Professional | `NCPUS` | `ncpus` of the job's part on this node |
//! | Grid Engine | `NSLOTS` | slots of the job on all its hosts; `PE_HOSTFILE` has them per host |
//! | LSF | `LSB_DJOB_NUMPROC` | slots of the job on all its hosts; `LSB_MCPU_HOSTS` has them per host |

/// The number of cores that a batch job requested on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The environment variable that holds it.
    pub variable: &'static str,
    /// The number of logical cores.
    pub cores: usize,
}

/// A variable that is set, and whether it counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Variable {
    pub(super) system: &'static str,
    pub(super) request: Request,
    /// Its value in the environment.
    pub(super) value: String,
    /// Why it does not apply to this process, if so.
    pub(super) ignored_because: Option<&'static str>,
}

/// The batch systems that were looked for.
pub(super) const SYSTEMS: [&str; 4] = ["Slurm", "PBS", "Grid Engine", "LSF"];

/// The request of the first variable that counts.
pub(super) fn request(variables: &[Variable]) -> Option<Request> {
    variables
        .iter()
        .find(|variable| variable.ignored_because.is_none())
        .map(|variable| variable.request)
}

/// Reads the batch systems' variables in order of precedence; skips those without a positive
/// number.
///
/// `host` is the name of this machine.
pub(super) fn variables(variable: &dyn Fn(&str) -> Option<String>, host: &str) -> Vec<Variable> {
    let positive = |text: &str| text.trim().parse::<usize>().ok().filter(|&cores| cores > 0);
    let number = |name: &str| positive(&variable(name)?);
    let mut found = Vec::new();
    let mut add = |system, name: &'static str, cores: Option<usize>, ignored_because| {
        if let (Some(value), Some(cores)) = (variable(name), cores) {
            found.push(Variable {
                system,
                request: Request { variable: name, cores },
                value,
                ignored_because,
            });
        }
    };

    add("Slurm", "SLURM_CPUS_PER_TASK", number("SLURM_CPUS_PER_TASK"), None);
    // Without `--cpus-per-task`, Slurm sets only the number for the whole node. It is ours if the
    // job has one node and one task there.
    let is_alone =
        number("SLURM_JOB_NUM_NODES").unwrap_or(1) == 1 && number("SLURM_NTASKS").unwrap_or(1) == 1;
    add(
        "Slurm",
        "SLURM_CPUS_ON_NODE",
        number("SLURM_CPUS_ON_NODE"),
        (!is_alone).then_some("for all tasks on this node together"),
    );

    add("PBS", "PBS_NUM_PPN", number("PBS_NUM_PPN"), None);
    // Other programs may use this name, too.
    add("PBS", "NCPUS", number("NCPUS"), variable("PBS_JOBID").is_none().then_some("no PBS job"));

    // Slots may be on several hosts. Without a list of hosts there is only one.
    let several = "on several hosts, this one not among them";
    let hosts = number("NHOSTS")
        .filter(|&hosts| hosts > 1)
        .and_then(|_| std::fs::read_to_string(variable("PE_HOSTFILE")?).ok());
    let here = hosts
        .as_deref()
        .map(|lines| slots(lines.lines().map(|line| line.split_whitespace()), host));
    let is_elsewhere =
        here == Some(None) || hosts.is_none() && number("NHOSTS").is_some_and(|hosts| hosts > 1);
    add(
        "Grid Engine",
        "NSLOTS",
        here.flatten().or(number("NSLOTS")),
        is_elsewhere.then_some(several),
    );

    let hosts = variable("LSB_MCPU_HOSTS").unwrap_or_default();
    let words: Vec<&str> = hosts.split_whitespace().collect();
    let here =
        (words.len() > 2).then(|| slots(words.chunks(2).map(|pair| pair.iter().copied()), host));
    let is_elsewhere = here == Some(None);
    add(
        "LSF",
        "LSB_DJOB_NUMPROC",
        here.flatten().or(number("LSB_DJOB_NUMPROC")),
        is_elsewhere.then_some(several),
    );
    found
}

/// The slots of this host in a list of `host slots …`. Names are compared up to the first dot,
/// because only some lists include the domain.
fn slots<'a>(
    hosts: impl Iterator<Item = impl Iterator<Item = &'a str>>,
    host: &str,
) -> Option<usize> {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let here = hosts
        .filter_map(|mut fields| Some((fields.next()?, fields.next()?.parse::<usize>().ok()?)));
    // A host is listed once per queue that provides slots.
    let sum: usize =
        here.filter(|(name, _)| short(name) == short(host)).map(|(_, slots)| slots).sum();
    (sum > 0).then_some(sum)
}

/// The name of this machine, on any system.
pub(crate) fn host_name() -> Option<String> {
    let mut name = [0u8; 256];
    // SAFETY: the buffer has the size given; the last byte is kept for the terminating zero.
    let result = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    let length = name.iter().position(|&byte| byte == 0)?;
    (result == 0 && length > 0).then(|| String::from_utf8_lossy(&name[..length]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(environment: &[(&str, &str)]) -> Vec<Variable> {
        let lookup = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        };
        variables(&lookup, "node2.cluster.example")
    }

    fn with(environment: &[(&str, &str)]) -> Option<(&'static str, usize)> {
        request(&all(environment)).map(|request| (request.variable, request.cores))
    }

    #[test]
    fn every_batch_system_is_understood() {
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("SLURM_CPUS_PER_TASK", "4")]), Some(("SLURM_CPUS_PER_TASK", 4)));
        assert_eq!(with(&[("PBS_NUM_PPN", "8")]), Some(("PBS_NUM_PPN", 8)));
        assert_eq!(with(&[("PBS_JOBID", "17.server"), ("NCPUS", "6")]), Some(("NCPUS", 6)));
        assert_eq!(with(&[("NSLOTS", "12")]), Some(("NSLOTS", 12)));
        assert_eq!(with(&[("LSB_DJOB_NUMPROC", "2")]), Some(("LSB_DJOB_NUMPROC", 2)));
        assert_eq!(
            with(&[("LSB_DJOB_NUMPROC", "2"), ("LSB_MCPU_HOSTS", "node7 2")]),
            Some(("LSB_DJOB_NUMPROC", 2))
        );
    }

    #[test]
    fn numbers_per_node_count_only_for_a_single_task() {
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32")]), Some(("SLURM_CPUS_ON_NODE", 32)));
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32"), ("SLURM_NTASKS", "32")]), None);
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32"), ("SLURM_JOB_NUM_NODES", "2")]), None);
        assert_eq!(
            with(&[
                ("SLURM_CPUS_ON_NODE", "32"),
                ("SLURM_CPUS_PER_TASK", "4"),
                ("SLURM_NTASKS", "8")
            ]),
            Some(("SLURM_CPUS_PER_TASK", 4))
        );
    }

    #[test]
    fn nonsense_is_ignored() {
        assert_eq!(with(&[("SLURM_CPUS_PER_TASK", "0")]), None);
        assert_eq!(with(&[("NSLOTS", "many")]), None);
        assert_eq!(with(&[("NCPUS", "6")]), None);
    }

    /// LSF and Grid Engine count the whole job: 12 slots on three hosts are not 12 cores here.
    #[test]
    fn slots_on_other_hosts_do_not_count() {
        let lsf =
            |hosts: &'static str| with(&[("LSB_DJOB_NUMPROC", "12"), ("LSB_MCPU_HOSTS", hosts)]);
        assert_eq!(lsf("node1 2 node2 4 node3 6"), Some(("LSB_DJOB_NUMPROC", 4)));
        assert_eq!(lsf("node1 6 node3 6"), None);

        let file =
            std::env::temp_dir().join(format!("parcourse-pe-hostfile-{}", std::process::id()));
        let hosts = "node1.cluster.example 4 all.q@node1 UNDEFINED\n\
                     node2 3 all.q@node2 <NULL>\nnode2 2 b.q@node2\n";
        std::fs::write(&file, hosts).unwrap();
        let path = file.to_str().unwrap();
        assert_eq!(
            with(&[("NSLOTS", "9"), ("NHOSTS", "2"), ("PE_HOSTFILE", path)]),
            Some(("NSLOTS", 5))
        );
        assert_eq!(
            with(&[("NSLOTS", "9"), ("NHOSTS", "1"), ("PE_HOSTFILE", path)]),
            Some(("NSLOTS", 9))
        );
        std::fs::remove_file(&file).unwrap();
        assert_eq!(with(&[("NSLOTS", "9"), ("NHOSTS", "2"), ("PE_HOSTFILE", path)]), None);
    }

    #[test]
    fn those_that_do_not_count_are_told_with_the_reason() {
        let all = all(&[
            ("SLURM_CPUS_ON_NODE", "32"),
            ("SLURM_NTASKS", "8"),
            ("NSLOTS", "2"),
            ("LSB_DJOB_NUMPROC", "x"),
        ]);
        let shown: Vec<_> =
            all.iter().map(|v| (v.system, v.request.cores, v.ignored_because)).collect();
        assert_eq!(
            shown,
            [("Slurm", 32, Some("for all tasks on this node together")), ("Grid Engine", 2, None)]
        );
        assert!(all.iter().all(|variable| SYSTEMS.contains(&variable.system)));
    }

    #[test]
    fn this_machine_has_a_name() {
        assert!(host_name().is_some_and(|name| !name.is_empty()));
    }
}
