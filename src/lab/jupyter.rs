//! How JupyterLab is started: privately, quietly, with its token on.

use super::course::Course;
use super::session::Session;
use crate::paths;
use crate::python_environment::Environment;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::Command;

/// The course's defaults for JupyterLab's settings; what the learner changes in its settings editor wins. Without this a newcomer is
/// asked about news before seeing the first cell, whatever the server's own option for news says.
const SETTINGS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false", "checkForUpdates": false }
}
"#;

/// One start of the server.
pub struct Server<'a> {
    pub environment: &'a Environment,
    pub session: &'a Session,
    pub course: &'a Course,
    pub port: Option<u16>,
    pub browser: bool,
    /// What the user gave for Jupyter: last, so that it wins.
    pub extra: &'a [OsString],
}

impl Server<'_> {
    pub fn command(&self) -> Result<Command> {
        let state = paths::cache()?.join("jupyter");
        // Which tabs were open, one memory per folder: another folder's tabs would be notebooks that cannot be found.
        let workspaces = state.join("workspaces").join(short_digest(self.course.root.as_os_str()));
        let folders = [state.join("config"), state.join("data"), workspaces.clone(), self.session.runtime()];
        for folder in &folders {
            // Jupyter keeps secrets in these.
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .with_context(|| format!("failed to create {}", folder.display()))?;
        }
        write_settings(&folders[0])?;
        let mut command = Command::new(self.environment.python());
        // `-I`: a PYTHONPATH set for other work (environment modules do that) must not reach into the pinned environment.
        command.args(["-I", "-m", "jupyterlab"]).args(self.options()).args(self.extra);
        command
            .env("JUPYTER_CONFIG_DIR", &folders[0])
            .env("JUPYTER_DATA_DIR", &folders[1])
            .env("JUPYTER_RUNTIME_DIR", self.session.runtime())
            .env("JUPYTER_PATH", self.session.jupyter_path())
            .env("IPYTHONDIR", state.join("ipython"))
            .env("JUPYTERLAB_WORKSPACES_DIR", &workspaces)
            .env("JUPYTERLAB_SETTINGS_DIR", folders[0].join("lab/user-settings"))
            .env_remove("JUPYTER_CONFIG_PATH")
            .env_remove("JUPYTER_PREFER_ENV_PATH")
            .env_remove("JUPYTERLAB_DIR");
        Ok(command)
    }

    fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = [
            // Ctrl-C means stop; there is nobody to answer a question.
            "--ServerApp.answer_yes=True",
            // From here on the terminal shows what needs attention, and the address.
            "--Application.log_level=WARN",
            // Other users of this machine can connect to a port, but not to a socket in a private folder.
            "--KernelManager.transport=ipc",
            "--MultiKernelManager.default_kernel_name=rust",
            // No questions about news, no look at PyPI: the environment is pinned, and may be offline.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            // The kernel completes and explains by itself; looking for language servers runs npm, if there is one, at every start.
            "--LanguageServerManager.autodetect=False",
        ]
        .map(OsString::from)
        .into();
        let mut root = OsString::from("--ServerApp.root_dir=");
        root.push(&self.course.root);
        options.push(root);
        if let Some(notebook) = self.course.first {
            options.push(format!("--LabApp.default_url=/lab/tree/{notebook}").into());
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
            // Jupyter's guard against running as root by mistake; in containers there is nobody else.
            options.push("--ServerApp.allow_root=True".into());
        }
        options
    }
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

/// Whether opening a browser can work: not over ssh without a display, where Jupyter would start a text browser in the terminal.
pub fn browser_is_likely() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn short_digest(text: &OsStr) -> String {
    Sha256::digest(text.as_bytes())[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}
