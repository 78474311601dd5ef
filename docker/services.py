"""Starts the two services as docker-compose.yml says, in the roots that `docker/chroot-check build` made, and
uses them. Called by `docker/chroot-check run`, in a network of its own."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

import image

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "docker"
VOLUMES = WORK / "volumes"
HOSTS = WORK / "hosts"
GALLERY = ROOT / "assets" / "gallery"
JPEG = {"content-type": "image/jpeg"}
SETTINGS = {"READ_KEY": "reading", "WRITE_KEY": "writing"}


class Service:
    """A service of docker-compose.yml, as a process in its root."""

    def __init__(self, name):
        compose = yaml.safe_load(interpolated((ROOT / "docker-compose.yml").read_text()))
        said = self.said = compose["services"][name]
        self.stage = image.stages(ROOT / "Dockerfile")[said["build"]["target"]]
        self.root = WORK / self.stage.name
        self.port = int(self.stage.environment["PORT"])
        for published in said.get("ports", []):
            assert published.endswith(f":{self.port}"), published
        self.process = None

    def inside(self, command):
        """The command that does `command` in the service's container."""
        root = self.root
        # In its network Docker gives each service the name that others call it by.
        HOSTS.write_text("127.0.0.1 localhost site index push\n")
        script = [f"mount --bind {root} {root}", f"mount --bind {HOSTS} {root}/etc/hosts"]
        for volume in self.said.get("volumes", []):
            name, target = volume.split(":")
            kept = VOLUMES / name
            if not kept.exists():
                # As Docker does with a new volume: what the image has there, with its owner.
                kept.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-aT", f"{root}{target}", kept], check=True)
            script.append(f"mount --bind {kept} {root}{target}")
        script += [f"mount -t tmpfs tmpfs {root}{target}" for target in self.said.get("tmpfs", [])]
        script.append(f"mount -t proc proc {root}/proc")
        if self.said["read_only"]:
            script.append(f"mount -o remount,bind,ro {root}")
        user, group = self.stage.user.split(":")
        # Somebody who is not root has no capabilities, and with this can get none.
        assert self.said["cap_drop"] == ["ALL"]
        assert self.said["security_opt"] == ["no-new-privileges:true"]
        confine = ["setpriv", "--no-new-privs", "chroot", f"--userspec={user}:{group}", "--groups=", str(root)]
        script.append("exec " + shlex.join([*confine, *command]))
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(script)]

    def environment(self):
        return {"PATH": os.environ["PATH"], **self.stage.environment, **self.said.get("environment", {})}

    def command(self):
        return self.said.get("entrypoint", self.stage.entrypoint) + self.stage.command

    def complete(self):
        """Runs a service that ends by itself."""
        subprocess.run(self.inside(self.command()), env=self.environment(), check=True, timeout=60)

    def start(self):
        self.process = subprocess.Popen(self.inside(self.command()), env=self.environment())
        deadline = time.monotonic() + 60
        while self.health():
            assert self.process.poll() is None, f"{self.stage.name} ended by itself"
            assert time.monotonic() < deadline, f"{self.stage.name} does not become healthy"
            time.sleep(0.2)

    def health(self):
        """The exit status of the health check."""
        check = self.inside(self.stage.health)
        return subprocess.run(check, env=self.environment(), stderr=subprocess.DEVNULL).returncode

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        assert status == 0, f"{self.stage.name} ended with {status}"

    def confined(self):
        """Checks what the kernel says about the process."""
        process = Path(f"/proc/{self.process.pid}")
        status = dict(re.findall(r"^(\w+):\t(.*)$", (process / "status").read_text(), re.M))
        user = self.stage.user.partition(":")[0]
        assert status["Uid"].split() == [user] * 4 and int(user) != 0, status["Uid"]
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0, status
        assert status["NoNewPrivs"] == "1", status
        # A mount's own options are the sixth field; the last mount at a point is the one in use.
        mounted = {}
        for line in (process / "mountinfo").read_text().splitlines():
            fields = line.split()
            mounted[fields[4]] = fields[5].split(",")
        assert "ro" in mounted["/"], mounted
        given = ("/proc", "/etc/hosts")
        writable = sorted(point for point, flags in mounted.items() if "rw" in flags and point not in given)
        print(f"{self.stage.name}: user {user}, no capabilities, no new privileges, writable: {writable}")
        return writable

    def ask(self, method, path, body=None, headers={}):
        url = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


def interpolated(text):
    """Compose's `${NAME:?message}` and `${NAME:-default}`."""
    def value(found):
        name, operator, rest = found.groups()
        if operator == ":-":
            return SETTINGS.get(name, rest)
        return SETTINGS[name]
    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["rm", "-rf", VOLUMES], check=True)
    site, push, index = Service("site"), Service("push"), Service("index")
    try:
        use_index(index)
        push.complete()
        use_site(site)
        index.stop()
        status, headers, _ = site.ask("POST", "/api/lookalikes", photos()[1].read_bytes(), JPEG)
        assert status == 503 and "retry-after" in headers, (status, headers)
        assert site.health() != 0, "healthy without the index"
        print("site: says 503 and is not ready while the index is away")
        site.stop()
    finally:
        for service in (site, index):
            if service.process and service.process.poll() is None:
                service.process.kill()
    print("chroot-check: both services do what they should")


def use_site(site):
    assert site.health() != 0, "healthy before it was started"
    site.start()
    assert site.confined() == ["/tmp"]
    status, headers, page = site.ask("GET", "/")
    assert status == 200 and b"<html" in page and "script-src 'self'" in headers["content-security-policy"]
    for private in ("/tests/geometry.test.js", "/package.json"):
        assert site.ask("GET", private)[0] == 404, private
    found = 0
    for photo in photos():
        status, _, body = site.ask("POST", "/api/lookalikes?k=3", photo.read_bytes(), JPEG)
        if status == 422:
            continue  # a silhouette
        assert status == 200, body
        best = json.loads(body)["lookalikes"][0]
        found += best["person"]["name"].replace(".", "") == photo.stem.replace("_", " ").replace(".", "")
        assert site.ask("GET", best["portrait"])[1]["content-type"] == "image/jpeg"
    assert found >= 5, found
    print(f"site: the page, and {found} of {len(photos())} photos answered with the person in them first")


def photos():
    return sorted(GALLERY.glob("*.jpg"))[:10]


def use_index(index):
    index.start()
    assert index.confined() == ["/data", "/tmp"]
    key = {"authorization": f"Bearer {SETTINGS['WRITE_KEY']}", "content-type": "application/json"}
    collection = "/collections/trial"
    assert index.ask("PUT", collection, b'{"dimension": 3, "metric": "cosine"}')[0] == 401
    status, _, body = index.ask("PUT", collection, b'{"dimension": 3, "metric": "cosine"}', key)
    assert status < 300, body
    vectors = {"vectors": [{"id": 1, "vector": [1, 0, 0]}, {"id": 2, "vector": [0, 1, 0]}]}
    status, _, body = index.ask("PUT", f"{collection}/vectors", json.dumps(vectors).encode(), key)
    assert status < 300, body
    index.stop()
    index.start()
    status, _, body = index.ask("POST", f"{collection}/search", b'{"vector": [0, 1, 0.1], "k": 1}', key)
    assert status == 200 and json.loads(body)["hits"][0]["id"] == 2, body
    print("index: what was written was there after a restart")


if __name__ == "__main__":
    main()
