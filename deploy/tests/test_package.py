"""What goes into the function's package, and what is refused before AWS Lambda would refuse it."""

import importlib.machinery
import importlib.util
import platform
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]

loader = importlib.machinery.SourceFileLoader("package", str(ROOT / "deploy" / "package"))
package = importlib.util.module_from_spec(importlib.util.spec_from_loader("package", loader))
loader.exec_module(package)

HERE = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
OTHER = {"x86_64": "arm64", "arm64": "x86_64"}.get(HERE)


@unittest.skipUnless(HERE and sys.platform == "linux", "SKIPPED: packages are checked on Linux only")
class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "package"
        self.gallery = Path(folder.name) / "gallery"
        for name in ("portraits/a.jpg", "vectors/segments/5.seg", "vectors/MANIFEST", "gallery.json",
                     "skipped.csv", "vectors/LOCK", "vectors/tail/6/db"):
            file = self.gallery / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(name)

    def fill(self, program="/bin/true"):
        package.fill(self.folder, Path(program), ROOT / "assets", self.gallery)

    def files(self):
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    def test_it_holds_what_a_running_function_needs_and_nothing_else(self):
        self.fill()
        networks = {name for name in self.files() if name.startswith("assets/models/")}
        self.assertGreaterEqual(len(networks), 3)
        self.assertEqual(self.files() - networks, {
            "bootstrap", "assets/onnxruntime/libonnxruntime.so", "gallery/gallery.json",
            "gallery/portraits/a.jpg", "gallery/vectors/MANIFEST", "gallery/vectors/segments/5.seg",
        })
        self.assertTrue((self.folder / "bootstrap").stat().st_mode & 0o111)
        package.check(self.folder, HERE)

    def test_there_is_room_for_the_program_and_the_demo_gallery(self):
        self.fill()
        room = package.MAX_BYTES - package.size(self.folder)
        self.assertGreater(room, 96 << 20, "of 250 MiB; the program takes about 30, the demo gallery 8")

    def test_too_large_a_package_is_refused(self):
        self.fill()
        with open(self.folder / "gallery" / "portraits" / "large.jpg", "wb") as file:
            file.truncate(package.MAX_BYTES)
        with self.assertRaisesRegex(package.Stop, "make publish"):
            package.check(self.folder, HERE)

    def test_a_program_for_another_processor_is_refused(self):
        self.fill()
        with self.assertRaisesRegex(package.Stop, "bootstrap is for EM_"):
            package.check(self.folder, OTHER)

    def test_a_program_that_needs_a_newer_library_is_refused(self):
        self.fill()
        with mock.patch.dict(package.NEWEST, {"GLIBC": (2, 2)}):
            with self.assertRaisesRegex(package.Stop, "bootstrap needs GLIBC 2.*link it with zig"):
                package.check(self.folder, HERE)

    def test_the_runtime_library_asks_for_old_libraries_only(self):
        library = ROOT / "assets/onnxruntime/libonnxruntime.so"
        asked = list(package.needed(library, package.MACHINES[HERE][2]))
        self.assertIn("GLIBCXX", {name for name, _ in asked})
        for name, version in asked:
            self.assertLessEqual(version, package.NEWEST.get(name, version), name)

    def test_what_is_not_a_gallery_is_refused(self):
        shutil.rmtree(self.gallery)
        with self.assertRaisesRegex(package.Stop, "is not a gallery"):
            self.fill()


if __name__ == "__main__":
    unittest.main()
