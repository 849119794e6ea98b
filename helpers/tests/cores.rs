//! `cores()` under real limits: starts this test program again, pinned by `taskset` or in a control
//! group made for the purpose.
//!
//! If the machine does not allow that, the test prints why it was skipped (see `--nocapture`) and
//! passes.
#![cfg(target_os = "linux")]

use parcourse::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Not a test: the tests below run this under a limit.
#[test]
#[ignore = "run by the other tests under limits"]
fn report() {
    let cores = cores();
    println!(
        "usable {} limit {:?} allowed {:?} quota {:?}",
        cores.usable, cores.limit, cores.allowed, cores.quota
    );
    for limit in cores.all().limits.iter().filter(|limit| limit.decides) {
        println!("decides {} {} {}", limit.name, limit.cores, limit.source);
    }
    let pool = Pool::new(cores.usable);
    println!("threads {}", pool.num_threads());
}

/// The variables of batch systems that a test must not find: the tests themselves may run in a job.
const VARIABLES: [&str; 6] = [
    "SLURM_CPUS_PER_TASK",
    "SLURM_CPUS_ON_NODE",
    "PBS_NUM_PPN",
    "NCPUS",
    "NSLOTS",
    "LSB_DJOB_NUMPROC",
];

/// Runs `report` under a command, such as `taskset -c 0`, and returns its output.
fn report_below(command: &[&str], variables: &[(&str, &str)]) -> String {
    let program = std::env::current_exe().unwrap();
    let mut command: Vec<std::ffi::OsString> = command.iter().map(Into::into).collect();
    command.push(program.into());
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).args(["--exact", "report", "--ignored", "--nocapture"]);
    for name in VARIABLES {
        process.env_remove(name);
    }
    let output = process.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// The CPUs that this test may use.
fn allowed() -> Vec<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .unwrap()
        .trim()
        .to_string();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => (first.parse::<usize>().unwrap()..=last.parse().unwrap())
            .map(|cpu| cpu.to_string())
            .collect(),
        None => vec![part.to_string()],
    };
    list.split(',').flat_map(range).collect()
}

#[test]
fn affinity_set_by_taskset_limits() {
    if Command::new("taskset").arg("--version").output().is_err() {
        println!("skipped: there is no `taskset` here");
        return;
    }
    let cpus = allowed();
    for count in 1..cpus.len().min(4) {
        let list = cpus[cpus.len() - count..].join(",");
        let text = report_below(&["taskset", "-c", &list], &[]);
        assert!(text.contains(&format!("limit Affinity allowed Some({count})")), "{list}: {text}");
        assert!(
            text.contains(&format!("decides CPU affinity {count} sched_getaffinity: ")),
            "{list}: {text}"
        );
    }
    if cpus.len() < 2 {
        println!("skipped: only one CPU is allowed here, nothing to take away");
    }
}

#[test]
fn a_batch_jobs_request_limits_a_real_process() {
    let text = report_below(&["env"], &[("SLURM_CPUS_PER_TASK", "1"), ("SLURM_JOB_ID", "4711")]);
    if allowed().len() > 1 {
        assert!(text.contains("usable 1 limit Job"), "{text}");
        assert!(text.contains("decides Slurm 1 SLURM_CPUS_PER_TASK=1"), "{text}");
    }
    assert!(text.contains("threads 1"), "{text}");
}

/// A control group below that of this test, removed at the end.
struct Group(PathBuf);

impl Group {
    /// `Err` says why this machine has none for us. `files` are written in this order.
    fn new(is_version_2: bool, files: &[(&str, &str)]) -> Result<Group, String> {
        let parent = own_group(is_version_2).ok_or("this process is in no such control group")?;
        let group = Group(parent.join(format!("parcourse-test-{}", std::process::id())));
        fs::create_dir(&group.0)
            .map_err(|error| format!("cannot create a group in {}: {error}", parent.display()))?;
        for (file, content) in files {
            let path = group.0.join(file);
            // Opening must not create: these directories are not for ordinary files.
            if !path.exists() {
                return Err(format!("the groups in {} have no {file}", parent.display()));
            }
            fs::write(&path, content)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that has just ended may hold it for a moment longer.
        for _ in 0..100 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The directory of the group that limits this process's CPU time.
fn own_group(is_version_2: bool) -> Option<PathBuf> {
    let memberships = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = memberships.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_ours = if is_version_2 {
            controllers.is_empty()
        } else {
            controllers.split(',').any(|name| name == "cpu")
        };
        is_ours.then(|| path.to_string())
    })?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let point = mounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let is_ours = match fields[2] {
            "cgroup2" => is_version_2,
            "cgroup" => !is_version_2 && fields[3].split(',').any(|option| option == "cpu"),
            _ => false,
        };
        is_ours.then(|| fields[1].to_string())
    })?;
    Some(Path::new(&point).join(path.trim_start_matches('/'))).filter(|group| group.is_dir())
}

fn quota_limits(group: Result<Group, String>) {
    let group = match group {
        Ok(group) => group,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    // The shell joins the group, then becomes the test program.
    let join = format!("echo $$ > '{}/cgroup.procs' && exec \"$@\"", group.0.display());
    if !Command::new("sh").args(["-c", &join, "sh", "true"]).output().unwrap().status.success() {
        println!("skipped: cannot put a process into {}", group.0.display());
        return;
    }
    let text = report_below(&["sh", "-c", &join, "sh"], &[]);
    assert!(text.contains("quota Some(1.25)"), "{text}");
    if allowed().len() > 1 {
        assert!(text.contains("usable 1 limit Quota"), "{text}");
        assert!(
            text.contains("decides cgroup quota 1.25 ") && text.contains(group.0.to_str().unwrap()),
            "{text}"
        );
    }
}

#[test]
fn quota_of_a_real_control_group_version_2_limits() {
    quota_limits(Group::new(true, &[("cpu.max", "125000 100000")]));
}

#[test]
fn quota_of_a_real_control_group_version_1_limits() {
    quota_limits(Group::new(
        false,
        &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "125000")],
    ));
}
