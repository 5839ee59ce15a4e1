"""Promise: the links between the project's pages lead somewhere, and the figures are what their script draws."""

import re
import subprocess
import sys

from conftest import ROOT

FIGURES = ROOT / "docs" / "kernels"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages():
    """All pages of the repository but what its programs and tools leave in it."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\n") if name]


def prose(page):
    """A page without its code, where brackets and parentheses mean something else."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page):
    """The names under which a page's headings can be linked to, as GitHub makes them."""
    code = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", code, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere():
    seen, broken = 0, []
    for page in pages():
        for link in LINK.findall(prose(page)):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            seen += 1
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert seen > 50, "links are not found any more"
    assert not broken, broken


def test_files_named_on_the_pages_exist():
    """Pages on kernels name files of shaders/, src/ and tests/ by the end of their path."""
    names = {}
    for page in FIGURES.glob("*.md"):
        for name in re.findall(r"[\w/]+\.(?:rs|wgsl)", page.read_text(encoding="utf-8")):
            names.setdefault(name.lstrip("/"), page.name)
    assert len(names) > 20, "names are not found any more"
    files = [path.as_posix() for folder in ("shaders", "src", "tests") for path in (ROOT / folder).rglob("*") if path.is_file()]
    missing = [f"{page}: {name}" for name, page in names.items() if not any(file.endswith("/" + name) for file in files)]
    assert not missing, missing


def test_figures_are_what_the_script_draws(tmp_path):
    subprocess.run([sys.executable, FIGURES / "figures.py", tmp_path], check=True)
    drawn = {path.name: path.read_bytes() for path in tmp_path.glob("*.svg")}
    kept = {path.name: path.read_bytes() for path in FIGURES.glob("*.svg")}
    assert len(drawn) > 4
    assert drawn == kept, "python3 docs/kernels/figures.py draws them again"
