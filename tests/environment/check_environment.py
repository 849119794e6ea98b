"""What conda and Binder will do with environment.yml and the hooks in .binder/, as far as it can be told without a network and without
containers: `python check_environment.py NAME ROOT`."""

import logging
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from rattler import MatchSpec
from repo2docker.buildpacks import CondaBuildPack
from ruamel.yaml import YAML

HOOKS = ["postBuild", "start"]


def conda_can_read_it(root):
    environment = read(root / "environment.yml")
    # What conda knows besides (`prefix`, `variables`) names one machine's folders or is not read by Binder.
    assert list(environment) == ["name", "channels", "dependencies"], list(environment)
    assert environment["name"] == "parcourse" and environment["channels"] == ["conda-forge"], environment
    names = [str(MatchSpec(text, strict=True).name.normalized) for text in environment["dependencies"]]
    assert len(set(names)) == len(names), f"named twice: {names}"
    for name in ["python", "jupyterlab", "rust", "rust-src", "compilers", "pkg-config", "cmake", "git", "openmpi", "libclang", "clang"]:
        assert name in names, f"{name} is missing"


def versions_are_those_of_the_course(root):
    versions = dict(text.split("=") for text in read(root / "environment.yml")["dependencies"] if "=" in text)
    pinned = re.findall(r"^jupyterlab==(\S+)", (root / "src/launcher/lab/requirements.txt").read_text(), re.MULTILINE)
    newest = max(pinned, key=lambda version: [int(part) for part in version.split(".")])
    assert versions["jupyterlab"] == newest, f"jupyterlab={versions['jupyterlab']}, but parcourse lab installs {newest}"
    channel = re.search(r'^channel = "(\d+\.\d+)', (root / "rust-toolchain.toml").read_text(), re.MULTILINE).group(1)
    assert versions["rust"] == versions["rust-src"] == channel, f"{versions}, but rust-toolchain.toml names {channel}"


def binder_finds_it(root):
    # A folder `.binder` is the only one that Binder looks into: without the link, environment.yml would not be used at all.
    link = root / ".binder/environment.yml"
    assert os.readlink(link) == "../environment.yml", "not the file that conda users take"
    logging.getLogger("repo2docker").setLevel(logging.ERROR)
    os.chdir(root)
    build = CondaBuildPack("ubuntu")
    build.platform = "linux/amd64"
    assert build.detect()
    assert build.python_version == "3.13", build.python_version
    dockerfile = build.render()
    for line in [
        # Before the repository is there, so that the packages are not installed again when a notebook changes.
        "COPY --chown=1000:1000 src/.binder/environment.yml ${REPO_DIR}/.binder/environment.yml",
        'env update -p ${NB_PYTHON_PREFIX} --file ".binder/environment.yml"',
        "RUN ./.binder/postBuild",
        'ENV R2D_ENTRYPOINT="${REPO_DIR}/.binder/start"',
    ]:
        assert line in dockerfile, f"not in the Dockerfile: {line}\n{dockerfile}"


def hooks_are_sound(root):
    for name in HOOKS:
        hook = root / ".binder" / name
        assert hook.stat().st_mode & stat.S_IXUSR, f"{hook} is not executable"
        subprocess.run(["bash", "-n", hook], check=True)
    subprocess.run([Path(sys.executable).parent / "shellcheck", *(root / ".binder" / name for name in HOOKS)], check=True)


def start_hands_over(root):
    environment = {"PATH": os.environ["PATH"], "CONDA_PREFIX": "/opt/conda"}
    start = [root / ".binder/start", "sh", "-c", 'echo "$RAYON_NUM_THREADS $OMP_NUM_THREADS $LIBCLANG_PATH $1"; exit 3', "sh", "one argument"]
    ended = subprocess.run(start, env=environment, capture_output=True, text=True)
    assert ended.returncode == 3, ended
    assert re.fullmatch(r"(\d+) \1 /opt/conda/lib one argument\n", ended.stdout), ended
    # What the visitor asks for wins.
    ended = subprocess.run(start, env={**environment, "RAYON_NUM_THREADS": "7"}, capture_output=True, text=True)
    assert ended.stdout.startswith("7 "), ended


def post_build_does_its_steps(root):
    """With programs in the place of cargo and parcourse that only tell how they were called."""
    with tempfile.TemporaryDirectory() as folder:
        repository, bin = Path(folder, "repository"), Path(folder, "bin")
        (repository / ".binder").mkdir(parents=True)
        (repository / "target/release").mkdir(parents=True)
        hook = repository / ".binder/postBuild"
        hook.write_bytes((root / ".binder/postBuild").read_bytes())
        bin.mkdir()
        for name in ["cargo", "parcourse"]:
            (bin / name).write_text(f'#!/bin/sh\necho "{name} $*" in "$PWD"\n')
            (bin / name).chmod(0o755)
        environment = {"PATH": f"{bin}:{os.environ['PATH']}", "CONDA_PREFIX": "/opt/conda"}
        # Not as a login shell, whose profile is this machine's.
        said = subprocess.run(["bash", hook], env=environment, cwd="/", check=True, capture_output=True, text=True).stdout.splitlines()
        assert all(line.endswith(f" in {repository.resolve()}") for line in said), said
        steps = [" ".join(line.split()[:3]) for line in said]
        assert steps == ["cargo install --path", "parcourse edition learner", "parcourse kernel install", "parcourse prepare --helpers"], said
        assert not (repository / "target").exists(), "what the build leaves would become part of the image"


def read(path):
    return YAML(typ="safe").load(path.read_text())


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
