"""Dockerfile and docker-compose.yml as Docker would read them, to be run on this machine: Docker itself is not needed."""

import json
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings

COMPOSE: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("build")}
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def instructions(word: str) -> list[str]:
    """The arguments of each such line of the Dockerfile."""
    text = (settings.BASE_DIR / "Dockerfile").read_text().replace("\\\n", "")
    return re.findall(rf"^{word} (.+)$", text, re.M)


def image_environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in instructions("ENV") for pair in shlex.split(line))


def command(service: str) -> list[str]:
    found: list[str] = SERVICES[service].get("command") or json.loads(instructions("CMD")[0])
    return found


def environment(service: str, dotenv: dict[str, str]) -> dict[str, str]:
    """The container's: the image's, then the service's with the values of .env filled in. A name alone that is not in .env is
    taken out.
    """
    found = image_environment()
    for name, value in SERVICES[service]["environment"].items():
        if value is None:
            found.pop(name, None)
            found |= {name: dotenv[name]} if name in dotenv else {}
        else:
            found[name] = _VARIABLE.sub(lambda match: _filled(match, dotenv), value)
    return found


def _filled(match: re.Match[str], dotenv: dict[str, str]) -> str:
    name, operator, text = match.groups()
    if dotenv.get(name):
        return dotenv[name]
    assert operator == "-", f"{name}: {text}"
    return text


@dataclass
class Containers:
    """The services' commands as processes of this machine. `instead` is what Docker would have made different: addresses, and
    where things are kept.
    """

    folder: Path
    dotenv: dict[str, str]
    instead: dict[str, str]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        return {**environment(service, self.dotenv), **self.instead, "PATH": path, "HOME": str(self.folder)}

    def run(self, words: list[str], service: str = "migrate") -> "subprocess.CompletedProcess[str]":
        """As `docker compose run` or `exec`."""
        return subprocess.run(
            words, cwd=settings.BASE_DIR, env=self.environment(service), capture_output=True, text=True, timeout=150, check=False
        )

    def start(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                command(service), cwd=settings.BASE_DIR, env=self.environment(service), stdout=log, stderr=log
            )

    def is_healthy(self, service: str) -> bool:
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(words, service).returncode == 0

    def wait_for(self, service: str) -> None:
        give_up_at = time.monotonic() + 120
        while not self.is_healthy(service):
            assert self.running[service].poll() is None, self.log(service)
            assert time.monotonic() < give_up_at, self.log(service)

    def stop(self, service: str) -> int:
        """As `docker compose stop` on its way to SIGKILL, which fails."""
        self.running[service].terminate()
        return self.running.pop(service).wait(int(SERVICES[service]["stop_grace_period"].removesuffix("s")))

    def kill(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()
