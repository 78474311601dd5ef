"""The files of the page that are put into the bucket."""

import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

loader = importlib.machinery.SourceFileLoader("site_upload", str(ROOT / "deploy" / "site"))
site = importlib.util.module_from_spec(importlib.util.spec_from_loader("site_upload", loader))
loader.exec_module(site)


class Site(unittest.TestCase):
    def test_what_a_browser_asks_for_and_nothing_else(self):
        names = {path.relative_to(site.SITE).as_posix() for path in site.files()}
        self.assertLessEqual({"index.html", "style.css", "app.js", "messages/en.js"}, names)
        for name in names:
            self.assertNotRegex(name, r"^(tests|node_modules)/|\.json$")

    def test_the_media_type_of_each_is_known(self):
        for path in site.files():
            self.assertIn(path.suffix, site.MEDIA, path)


if __name__ == "__main__":
    unittest.main()
