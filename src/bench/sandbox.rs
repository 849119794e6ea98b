//! The sandbox of a benchmark: private cache, temporary space and working folder for every kernel.
//! It is removed at the end; if we are killed, the next benchmark removes it.

use super::status_line::StatusLine;
use crate::base::owned_dir::{self, OwnedDir};
use crate::base::paths;
use crate::engine::build_cache::{self, KernelKind, Template};
use crate::runner::kernels::LaunchSpec;
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

const PREFIX: &str = "bench";

pub struct Sandbox {
    dir: OwnedDir,
    /// For PARCOURSE_TMPDIR: sockets need a short path.
    _temporary: OwnedDir,
    pub helpers: PathBuf,
    pub program: PathBuf,
}

impl Sandbox {
    /// Creates the sandbox, and makes this process and its children use it.
    pub fn create(helpers: PathBuf, own_templates: bool) -> Result<Sandbox> {
        let [dir, temporary] = [paths::build_folder()?, paths::private_tmp()?].map(|parent| {
            owned_dir::sweep(&parent, PREFIX);
            OwnedDir::create(&parent, PREFIX)
        });
        let (dir, temporary) = (dir?, temporary?);
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("PARCOURSE_TMPDIR", temporary.path()) };
        let sandbox = Sandbox {
            dir,
            _temporary: temporary,
            helpers,
            program: std::env::current_exe().context("failed to find this program's own file")?,
        };
        for name in ["cache", "cold", "folder", "tmp", "programs"] {
            let path = sandbox.path(name);
            std::fs::create_dir(&path)
                .with_context(|| format!("failed to make {}", path.display()))?;
        }
        let moved: [(&str, Option<&str>); 5] = [
            ("PARCOURSE_CACHE", (!own_templates).then_some("cache")),
            ("IPYTHONDIR", Some("ipython")),
            ("JUPYTER_DATA_DIR", Some("jupyter")),
            ("JUPYTER_RUNTIME_DIR", Some("jupyter")),
            ("EVCXR_CONFIG_DIR", Some("evcxr")),
        ];
        for (variable, name) in
            moved.into_iter().filter_map(|(variable, name)| Some((variable, name?)))
        {
            // SAFETY: no other thread runs yet.
            unsafe { std::env::set_var(variable, sandbox.path(name)) };
        }
        Ok(sandbox)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The folder where kernels are started, which is empty.
    pub fn folder(&self) -> PathBuf {
        self.path("folder")
    }

    /// Creates an empty cache.
    pub fn empty_cache(&self) -> Result<PathBuf> {
        let path =
            tempfile::tempdir_in(self.path("cold")).context("failed to make an empty cache")?;
        Ok(path.keep())
    }

    /// Builds the templates, as `parcourse prepare` does.
    pub async fn prepare(&self, stock: bool, ours: bool, status: &StatusLine) -> Result<()> {
        let kernel = match (stock, ours) {
            (false, false) => return Ok(()),
            (false, true) => "parcourse",
            (true, false) => "evcxr",
            (true, true) => "all",
        };
        status.show("templates: checking");
        let mut command = tokio::process::Command::new(&self.program);
        command.args(["prepare", "--kernel", kernel, "--helpers"]).arg(&self.helpers);
        // In its own process group, so that a signal from the terminal reaches only us; we then
        // drop the builder, which ends it.
        command
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("failed to start `parcourse prepare`")?;
        let _whole_group = KillGroup::new(child.id());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = async {
            let mut text = String::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.read_to_string(&mut text).await;
            }
            text
        };
        let progress = async {
            let mut lines =
                BufReader::new(stdout.context("`parcourse prepare` has no stdout")?).lines();
            while let Some(line) = lines.next_line().await? {
                status.show(&format!("templates: {line}"));
            }
            anyhow::Ok(())
        };
        let (complaints, progress) = tokio::join!(complaints, progress);
        progress?;
        let status = child.wait().await?;
        ensure!(
            status.success(),
            "failed to build the templates ({status}):\n{}",
            complaints.trim_end()
        );
        Ok(())
    }

    pub fn template(&self, kind: KernelKind) -> Result<Template> {
        match build_cache::find(&self.helpers, kind)? {
            Some(template) => Ok(template),
            None => bail!(
                "the template no longer matches: is the helper crate {} being edited?",
                self.helpers.display()
            ),
        }
    }

    /// How to launch our kernel in the sandbox.
    pub fn launch_spec(&self) -> LaunchSpec {
        LaunchSpec::of(self.kernel(), vec![("TMPDIR", self.path("tmp").into())])
    }

    /// The command line of our kernel, without the connection file.
    pub fn kernel(&self) -> Vec<OsString> {
        let helpers = self.helpers.clone().into();
        vec![
            self.program.clone().into(),
            "kernel".into(),
            "--helpers".into(),
            helpers,
            "--connection-file".into(),
        ]
    }

    /// The first code cell of every notebook.
    pub fn first_cell(&self) -> String {
        format!(":dep {}\nuse parcourse::prelude::*;", build_cache::dependency(&self.helpers))
    }
}

/// Kills a child's process group (including cargo and compilers) when dropped. Harmless after the
/// child's end, because a group id is not reused within moments.
pub struct KillGroup(Option<u32>);

impl KillGroup {
    /// For the child with this process id, which leads the group.
    pub fn new(leader: Option<u32>) -> KillGroup {
        KillGroup(leader)
    }
}

impl Drop for KillGroup {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            // SAFETY: a plain system call.
            unsafe { libc::kill(-(pid as libc::pid_t), libc::SIGKILL) };
        }
    }
}
