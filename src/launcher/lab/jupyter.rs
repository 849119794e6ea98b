//! Starts JupyterLab with private settings, little output, and token authentication.

use super::server_folder::ServerFolder;
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

/// The course's defaults for JupyterLab's settings; changes in the settings editor override them.
/// Without them JupyterLab asks new users about news before they see the first cell, despite the
/// server's option for news. On a busy machine, completions can take longer than the one second
/// that the page waits for them by default.
const SETTINGS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false", "checkForUpdates": false },
  "@jupyterlab/completer-extension:manager": { "providerTimeout": 5000 }
}
"#;

/// Starts JupyterLab without `rfc3987_syntax`, which compiles a grammar when imported. That takes
/// longer than the rest of the start (1.5 s of 2.3 s) and serves a check of JSON documents that
/// Jupyter never requests. `jsonschema` works without the module.
const START: &str = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyterlab.labapp \
    import main; sys.exit(main())";

/// Options for the private environment.
const PRIVATE_OPTIONS: [&str; 2] = [
    // Do not contact PyPI: users should not install extensions here, and there may be no network.
    "--LabApp.extension_manager=readonly",
    // The kernel provides completion and documentation itself; autodetection runs npm, if
    // installed, at every start.
    "--LanguageServerManager.autodetect=False",
];

/// The JupyterLab to start.
pub enum Program {
    /// The private one, with its own settings.
    Private(Environment),
    /// The `jupyter-lab` of the user's environment, with its settings and extensions.
    Active(PathBuf),
}

impl Program {
    /// The program to use in scripts: the private Python, or `jupyter-lab` itself.
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
    pub folder: &'a ServerFolder,
    /// Folder of the notebooks, absolute.
    pub root: &'a Path,
    pub port: Option<u16>,
    pub browser: bool,
    /// The user's options for Jupyter: last, so that they take precedence.
    pub extra: &'a [OsString],
}

impl Server<'_> {
    pub fn command(&self) -> Result<Command> {
        let state = paths::cache()?.join("jupyter");
        make_private(&self.folder.runtime())?;
        let mut command = match self.program {
            Program::Active(program) => {
                let mut command = Command::new(program);
                command.args(self.options());
                command
            }
            Program::Private(environment) => {
                // Remembers the open tabs, separately for each folder, because tabs of another
                // folder would show notebooks that do not exist here.
                let workspaces = state.join("workspaces").join(short_digest(self.root.as_os_str()));
                let (config, data) = (state.join("config"), state.join("data"));
                for folder in [&config, &data, &workspaces] {
                    make_private(folder)?;
                }
                write_settings(&config)?;
                let mut command = Command::new(environment.python());
                // `-I`: keeps a PYTHONPATH set for other work (as environment modules do) out of
                // the pinned environment.
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
        // In both cases `rust` is the kernel of this program.
        command
            .args(self.extra)
            .env("JUPYTER_RUNTIME_DIR", self.folder.runtime())
            .env("JUPYTER_PATH", self.folder.jupyter_path());
        Ok(command)
    }

    fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = [
            // Ctrl-C stops the server without asking.
            "--ServerApp.answer_yes=True",
            // From here on, the terminal shows only warnings and the address.
            "--Application.log_level=WARN",
            // Other users of this machine could connect to a port, but not to a socket in a private
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
            // A user who asks for a port has a tunnel to it, so another port would be useless.
            options.push(format!("--ServerApp.port={port}").into());
            options.push("--ServerApp.port_retries=0".into());
        }
        if !self.browser {
            options.push("--ServerApp.open_browser=False".into());
        }
        // SAFETY: geteuid has no preconditions.
        if unsafe { libc::geteuid() } == 0 {
            // Jupyter refuses to run as root by default, but in containers root is often the only
            // user.
            options.push("--ServerApp.allow_root=True".into());
        }
        options
    }
}

/// Jupyter stores secrets in these folders.
fn make_private(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("failed to create {}", folder.display()))
}

fn write_settings(config: &Path) -> Result<()> {
    let folder = config.join("labconfig");
    let path = folder.join("default_setting_overrides.json");
    fs::create_dir_all(&folder)
        // Renamed into place, because another server may be reading it.
        .and_then(|()| tempfile::NamedTempFile::new_in(&folder))
        .and_then(|mut file| file.write_all(SETTINGS.as_bytes()).map(|()| file))
        .and_then(|file| file.persist(&path).map_err(|error| error.error))
        .with_context(|| format!("failed to write {}", path.display()))?;
    Ok(())
}

/// Whether opening a browser is likely to work. Over ssh without a display, Jupyter would start a
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
