//! How JupyterLab is started: privately, quietly, with its token on.

use super::session::Session;
use super::source::FIRST_NOTEBOOK;
use crate::base::paths;
use crate::base::python_environment::Environment;
use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The course's defaults for JupyterLab's settings; what the learner changes in its settings editor
/// wins. Without this a newcomer is asked about news before seeing the first cell, whatever the
/// server's own option for news says; and on a busy machine completions come later than after the
/// one second that the page waits for them.
const SETTINGS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false", "checkForUpdates": false },
  "@jupyterlab/completer-extension:manager": { "providerTimeout": 5000 }
}
"#;

/// Starts JupyterLab without `rfc3987_syntax`: it works out a grammar when imported, which takes
/// longer than the whole rest of the start (1.5 s of 2.3 s), for a kind of check of JSON documents
/// that Jupyter never asks for and `jsonschema` does without when the module is not there.
const START: &str = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyterlab.labapp import main; sys.exit(main())";

/// For a pinned environment.
const PRIVATE_OPTIONS: [&str; 2] = [
    // No look at PyPI: nothing is to be installed, and there may be no network.
    "--LabApp.extension_manager=readonly",
    // The kernel completes and explains by itself; looking for language servers runs npm, if there
    // is one, at every start.
    "--LanguageServerManager.autodetect=False",
];

/// Which JupyterLab.
pub enum Program {
    /// Ours, with settings of its own.
    Private(Environment),
    /// The `jupyter-lab` of the user's environment, with the settings and extensions that it has
    /// there.
    Active(PathBuf),
}

impl Program {
    /// What to start for one's own scripts: the private Python, or the program itself.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::Private(environment) => environment.python(),
            Self::Active(program) => program.clone(),
        }
    }
}

/// One start of the server.
pub struct Server<'a> {
    pub program: &'a Program,
    pub session: &'a Session,
    /// Folder of the notebooks, absolute.
    pub root: &'a Path,
    pub port: Option<u16>,
    pub browser: bool,
    /// What the user gave for Jupyter: last, so that it wins.
    pub extra: &'a [OsString],
}

impl Server<'_> {
    pub fn command(&self) -> Result<Command> {
        let state = paths::cache()?.join("jupyter");
        make_private(&self.session.runtime())?;
        let mut command = match self.program {
            Program::Active(program) => {
                let mut command = Command::new(program);
                command.args(self.options());
                command
            }
            Program::Private(environment) => {
                // Which tabs were open, one memory per folder: another folder's tabs would be
                // notebooks that cannot be found.
                let workspaces = state.join("workspaces").join(short_digest(self.root.as_os_str()));
                let (config, data) = (state.join("config"), state.join("data"));
                for folder in [&config, &data, &workspaces] {
                    make_private(folder)?;
                }
                write_settings(&config)?;
                let mut command = Command::new(environment.python());
                // `-I`: a PYTHONPATH set for other work (environment modules do that) must not
                // reach into the pinned environment.
                command.args(["-I", "-c", START]).args(self.options()).args(PRIVATE_OPTIONS);
                command
                    .env("JUPYTER_CONFIG_DIR", &config)
                    .env("JUPYTER_DATA_DIR", data)
                    .env("IPYTHONDIR", state.join("ipython"))
                    .env("JUPYTERLAB_WORKSPACES_DIR", workspaces)
                    .env("JUPYTERLAB_SETTINGS_DIR", config.join("lab/user-settings"))
                    .env_remove("JUPYTER_CONFIG_PATH")
                    .env_remove("JUPYTER_PREFER_ENV_PATH")
                    .env_remove("JUPYTERLAB_DIR");
                command
            }
        };
        // In both, `rust` is the kernel that belongs to this program and these notebooks.
        command
            .args(self.extra)
            .env("JUPYTER_RUNTIME_DIR", self.session.runtime())
            .env("JUPYTER_PATH", self.session.jupyter_path());
        Ok(command)
    }

    fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = [
            // Ctrl-C means stop; there is nobody to answer a question.
            "--ServerApp.answer_yes=True",
            // From here on the terminal shows what needs attention, and the address.
            "--Application.log_level=WARN",
            // Other users of this machine can connect to a port, but not to a socket in a private
            // folder.
            "--KernelManager.transport=ipc",
            "--MultiKernelManager.default_kernel_name=rust",
            // No questions about news.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]
        .map(OsString::from)
        .into();
        let mut root = OsString::from("--ServerApp.root_dir=");
        root.push(self.root);
        options.push(root);
        if self.root.join(FIRST_NOTEBOOK).is_file() {
            options.push(format!("--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}").into());
        }
        if let Some(port) = self.port {
            // Who asks for a port has a tunnel to it: the next free one would be of no use.
            options.push(format!("--ServerApp.port={port}").into());
            options.push("--ServerApp.port_retries=0".into());
        }
        if !self.browser {
            options.push("--ServerApp.open_browser=False".into());
        }
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            // Jupyter's guard against running as root by mistake; in containers there is nobody
            // else.
            options.push("--ServerApp.allow_root=True".into());
        }
        options
    }
}

/// Jupyter keeps secrets in these.
fn make_private(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("failed to create {}", folder.display()))
}

fn write_settings(config: &Path) -> Result<()> {
    let folder = config.join("labconfig");
    let path = folder.join("default_setting_overrides.json");
    fs::create_dir_all(&folder)
        // Renamed into place: another server may be reading it.
        .and_then(|()| tempfile::NamedTempFile::new_in(&folder))
        .and_then(|mut file| file.write_all(SETTINGS.as_bytes()).map(|()| file))
        .and_then(|file| file.persist(&path).map_err(|error| error.error))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(())
}

/// Whether opening a browser can work: not over ssh without a display, where Jupyter would start a
/// text browser in the terminal.
pub fn browser_is_likely() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn short_digest(text: &OsStr) -> String {
    crate::base::hash::short(text.as_bytes())[..12].to_owned()
}
