"""What a Dockerfile says, read by `dockerfile-parse`: its stages, and what running one would start."""

import json
import re
import shlex
from dataclasses import dataclass, field

from dockerfile_parse import DockerfileParser

# Changes nothing in a folder; the rest of what this cannot carry out is refused.
WITHOUT_EFFECT = {"ARG", "EXPOSE", "COMMENT", "VOLUME"}


@dataclass
class Stage:
    """A stage: what it begins with, what is to be done, and what its containers are started with."""

    name: str
    base: str
    steps: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0:0"
    health: list = None
    entrypoint: list = field(default_factory=list)
    command: list = field(default_factory=list)


def stages(path):
    """The stages by name, in order."""
    found, defaults = {}, {}
    for line in DockerfileParser(fileobj=open(path, "rb")).structure:
        word, value = line["instruction"], line["value"]
        if word == "ARG" and not found:
            name, _, default = value.partition("=")
            defaults[name] = default
        elif word == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", value).groups()
            base = re.sub(r"\$\{(\w+)\}", lambda it: defaults[it[1]], base)
            stage = found[name] = Stage(name, base)
            if base in found:
                earlier = found[base]
                stage.environment = dict(earlier.environment)
                stage.workdir, stage.user = earlier.workdir, earlier.user
        elif word not in WITHOUT_EFFECT:
            instruct(stage, word, value)
    return found


def instruct(stage, word, value):
    if word == "WORKDIR":
        stage.workdir = value
        stage.steps.append((word, value))
    elif word == "ENV":
        stage.environment.update(item.split("=", 1) for item in shlex.split(value))
    elif word == "USER":
        stage.user = value
    elif word == "ENTRYPOINT":
        stage.entrypoint = json.loads(value)
    elif word == "CMD":
        stage.command = json.loads(value)
    elif word == "HEALTHCHECK":
        stage.health = json.loads(value.partition(" CMD ")[2])
    elif word in ("RUN", "COPY"):
        stage.steps.append((word, *options(value), stage.workdir))
    else:
        raise ValueError(f"{word}: docker/chroot-check does not know how to do this")


def options(value):
    """The `--name=value` in front, and the rest."""
    given = []
    while found := re.match(r"--(\w+)=(\S+)\s+", value):
        given.append(found.groups())
        value = value[found.end():]
    return given, value
