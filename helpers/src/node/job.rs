//! The batch job that the program runs in, from the variables that Slurm, PBS, Torque, Grid Engine
//! and LSF set.

/// A job of a batch system.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Job {
    /// `Slurm`, `PBS`, `Grid Engine` or `LSF`.
    pub scheduler: &'static str,
    /// The job id, as the batch system writes it.
    pub id: String,
    /// The index of this task in a job array.
    pub array_task: Option<String>,
    /// The job's name.
    pub name: Option<String>,
    /// The queue or partition it runs in.
    pub queue: Option<String>,
    /// How many nodes it has.
    pub nodes: Option<usize>,
}

/// The job that the environment variables describe.
pub(super) fn job(variable: &dyn Fn(&str) -> Option<String>) -> Option<Job> {
    let set = |name: &str| {
        variable(name).map(|value| value.trim().to_string()).filter(|value| !value.is_empty())
    };
    let count = |name: &str| set(name)?.parse().ok();
    if let Some(id) = set("SLURM_JOB_ID").or_else(|| set("SLURM_JOBID")) {
        let (name, queue) = (set("SLURM_JOB_NAME"), set("SLURM_JOB_PARTITION"));
        let nodes = count("SLURM_JOB_NUM_NODES").or_else(|| count("SLURM_NNODES"));
        return Some(Job {
            scheduler: "Slurm",
            id,
            array_task: set("SLURM_ARRAY_TASK_ID"),
            name,
            queue,
            nodes,
        });
    }
    if let Some(id) = set("PBS_JOBID") {
        let array_task = set("PBS_ARRAY_INDEX").or_else(|| set("PBS_ARRAYID"));
        let (name, queue) = (set("PBS_JOBNAME"), set("PBS_QUEUE"));
        return Some(Job {
            scheduler: "PBS",
            id,
            array_task,
            name,
            queue,
            nodes: count("PBS_NUM_NODES"),
        });
    }
    if let Some(id) = set("LSB_JOBID") {
        // The index is 0 if the job is not an array.
        let array_task = set("LSB_JOBINDEX").filter(|index| index != "0");
        let nodes = set("LSB_MCPU_HOSTS")
            .map(|hosts| hosts.split_whitespace().count() / 2)
            .filter(|&nodes| nodes > 0);
        return Some(Job {
            scheduler: "LSF",
            id,
            array_task,
            name: set("LSB_JOBNAME"),
            queue: set("LSB_QUEUE"),
            nodes,
        });
    }
    // Other programs may set JOB_ID, too.
    if let (Some(id), Some(_)) =
        (set("JOB_ID"), set("SGE_ROOT").or_else(|| set("PE_HOSTFILE")).or_else(|| set("NSLOTS")))
    {
        let array_task = set("SGE_TASK_ID").filter(|task| task != "undefined");
        return Some(Job {
            scheduler: "Grid Engine",
            id,
            array_task,
            name: set("JOB_NAME"),
            queue: set("QUEUE"),
            nodes: count("NHOSTS"),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Option<Job> {
        job(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn every_batch_system_is_understood() {
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("JOB_ID", "5")]), None);
        let job = with(&[
            ("SLURM_JOB_ID", "4711"),
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_JOB_PARTITION", "gpu"),
        ])
        .unwrap();
        assert_eq!(
            (job.scheduler, &*job.id, job.array_task.as_deref(), job.queue.as_deref()),
            ("Slurm", "4711", Some("3"), Some("gpu"))
        );
        let job = with(&[
            ("PBS_JOBID", "17[2].server"),
            ("PBS_ARRAY_INDEX", "2"),
            ("PBS_JOBNAME", "soup"),
        ])
        .unwrap();
        assert_eq!(
            (job.scheduler, &*job.id, job.array_task.as_deref(), job.name.as_deref()),
            ("PBS", "17[2].server", Some("2"), Some("soup"))
        );
        let job = with(&[
            ("JOB_ID", "5"),
            ("SGE_ROOT", "/opt/sge"),
            ("SGE_TASK_ID", "undefined"),
            ("NHOSTS", "1"),
        ])
        .unwrap();
        assert_eq!(
            (job.scheduler, &*job.id, job.array_task, job.nodes),
            ("Grid Engine", "5", None, Some(1))
        );
        let job =
            with(&[("LSB_JOBID", "99"), ("LSB_JOBINDEX", "0"), ("LSB_MCPU_HOSTS", "a 2 b 4")])
                .unwrap();
        assert_eq!(
            (job.scheduler, &*job.id, job.array_task, job.nodes),
            ("LSF", "99", None, Some(2))
        );
    }
}
