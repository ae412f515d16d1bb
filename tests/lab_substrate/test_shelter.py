"""An ordinary user's lab: in namespaces of that user's own, without anybody's help."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from lab.engines.shelter import all_root, why_not

ROOT = Path(__file__).parents[2]
USER = 23457  # nobody's
PASSWD = "root:x:0:0:root:/root:/bin/bash\nfrr:x:109:115::/nonexistent:/usr/sbin/nologin\n"


def test_daemons_are_root_and_everybody_else_stays_who_they_are():
    passwd = dict(line.split(":", 1) for line in all_root(PASSWD).splitlines())
    assert passwd["root"] == "x:0:0:root:/root:/bin/bash"
    assert passwd["frr"].startswith("x:0:0:")
    assert passwd["knot"].startswith("x:0:0:")  # of a package that is only unpacked
    group = all_root("root:x:0:\nfrrvty:x:116:frr\n").splitlines()
    assert group[0] == "root:x:0:"
    assert "frrvty:x:0:root,frr" in group


PACKAGES = f"{ROOT}:{Path(msgspec.__file__).parents[1]}"


class User:
    """Runs commands as somebody who is not root."""

    def __init__(self, home):
        self.home = home
        self.env = {
            "PYTHONPATH": PACKAGES,
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "TMPDIR": str(home),
        }
        self.python = next(filter(self.can_run, (sys.executable, "/usr/bin/python3")), None)

    def run(self, *argv):
        who = {"user": USER, "group": USER, "extra_groups": []}
        return subprocess.run(
            argv, cwd="/", env=self.env, capture_output=True, text=True, check=False, **who
        )

    def can_run(self, python):
        """Whether this user may run that Python, and import with it what this one can."""
        try:
            return self.run(python, "-c", "import lab.engines.shelter").returncode == 0
        except OSError:
            return False

    def __call__(self, *arguments):
        return self.run(self.python, "-m", "lab", *arguments)

    def processes(self):
        """Those of this user, as everybody else sees them."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status = (entry / "status").read_text()
                except OSError:
                    continue
                if f"\nUid:\t{USER}\t" in status and "\nState:\tZ" not in status:
                    found.append(entry.name)
        return found


@pytest.fixture
def user():
    home = Path(tempfile.mkdtemp(prefix="ambicast-user-"))
    os.chown(home, USER, USER)
    somebody = User(home)
    if somebody.python is None:
        pytest.skip("no Python here that other users may run")
    yield somebody
    shutil.rmtree(home)


@pytest.mark.lab
@pytest.mark.timeout(120)
@pytest.mark.depends_on_the_system("user namespaces may be forbidden; a Python may be root's")
def test_an_ordinary_user_brings_a_lab_up_enters_it_and_leaves_nothing_behind(user, until):
    up = user("up", "--router", "mixed", "--name", "mine")
    if "user namespaces, which are refused here" in up.stderr:
        pytest.skip(f"this system gives its users no namespaces: {why_not()}")
    assert up.returncode == 0, up.stderr
    assert "lab mine is up" in up.stdout
    inside = user("exec", "--name", "mine", "c1", "--", "id", "-u")
    assert inside.stdout.strip() == "0"
    assert not [each for each in Path("/run/netns").glob("*") if "mine" in each.name]
    ping = user("exec", "--name", "mine", "c1", "--", "ping", "-c1", "-W1", "10.1.9.2")
    assert ping.returncode == 0, ping.stdout
    again = user("up", "--name", "mine")
    assert again.returncode == 2
    assert "is up already" in again.stderr
    assert "down: mine" in user("down", "--name", "mine").stdout
    until(lambda: not user.processes())
    assert "nothing was up" in user("down").stdout
    until(lambda: not user.processes())


@pytest.mark.lab
def test_a_folder_that_is_not_the_users_alone_is_refused(user):
    folder = user.home / f"ambicast-lab-{USER}"
    folder.mkdir()
    refused = user("down")
    assert refused.returncode == 2
    assert "is not yours alone" in refused.stderr
    assert not user.processes()
