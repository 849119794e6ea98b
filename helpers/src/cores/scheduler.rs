//! What a batch job asked for: the variables that Slurm, PBS, Torque, Grid Engine and LSF set in a job.
//!
//! Whether anything enforces the number depends on the site. It is a promise to the other users of the machine all the same.

/// A number of cores that a batch job asked for on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// The environment variable that says so.
    pub variable: &'static str,
    /// The number of logical cores asked for.
    pub cores: usize,
}

/// Looks through the batch systems' variables; the first one with a positive number in it counts.
pub(super) fn request(variable: &dyn Fn(&str) -> Option<String>) -> Option<Request> {
    let number = |name: &str| variable(name)?.trim().parse::<usize>().ok().filter(|&cores| cores > 0);
    let request = |name: &'static str| number(name).map(|cores| Request { variable: name, cores });
    // Without `--cpus-per-task` Slurm sets only the number for the whole node; that is ours when the job has one node and one task there.
    let alone = || number("SLURM_JOB_NUM_NODES").unwrap_or(1) == 1 && number("SLURM_NTASKS").unwrap_or(1) == 1;
    request("SLURM_CPUS_PER_TASK")
        .or_else(|| request("SLURM_CPUS_ON_NODE").filter(|_| alone()))
        .or_else(|| request("PBS_NUM_PPN")) // Torque
        .or_else(|| variable("PBS_JOBID").and_then(|_| request("NCPUS"))) // PBS Professional; the name alone is anybody's
        .or_else(|| request("NSLOTS")) // Grid Engine
        .or_else(|| request("LSB_DJOB_NUMPROC")) // LSF
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<(&'static str, usize)> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
        request(&lookup).map(|request| (request.variable, request.cores))
    }

    #[test]
    fn every_batch_system_is_understood() {
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("SLURM_CPUS_PER_TASK", "4")]), Some(("SLURM_CPUS_PER_TASK", 4)));
        assert_eq!(with(&[("PBS_NUM_PPN", "8")]), Some(("PBS_NUM_PPN", 8)));
        assert_eq!(with(&[("PBS_JOBID", "17.server"), ("NCPUS", "6")]), Some(("NCPUS", 6)));
        assert_eq!(with(&[("NSLOTS", "12")]), Some(("NSLOTS", 12)));
        assert_eq!(with(&[("LSB_DJOB_NUMPROC", "2")]), Some(("LSB_DJOB_NUMPROC", 2)));
    }

    #[test]
    fn numbers_per_node_count_only_for_a_single_task() {
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32")]), Some(("SLURM_CPUS_ON_NODE", 32)));
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32"), ("SLURM_NTASKS", "32")]), None);
        assert_eq!(with(&[("SLURM_CPUS_ON_NODE", "32"), ("SLURM_JOB_NUM_NODES", "2")]), None);
        assert_eq!(
            with(&[("SLURM_CPUS_ON_NODE", "32"), ("SLURM_CPUS_PER_TASK", "4"), ("SLURM_NTASKS", "8")]),
            Some(("SLURM_CPUS_PER_TASK", 4))
        );
    }

    #[test]
    fn nonsense_is_ignored() {
        assert_eq!(with(&[("SLURM_CPUS_PER_TASK", "0")]), None);
        assert_eq!(with(&[("NSLOTS", "many")]), None);
        assert_eq!(with(&[("NCPUS", "6")]), None);
    }
}
