"""Links of the book. As mdBook's preprocessor it turns links out of docs/ into links to the repository, or into plain text where
Cargo.toml names no repository. `book.py finish FOLDER` brings pictures from elsewhere into a built book, and checks its links.
"""

import json
import re
import sys
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from shutil import copy2
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
BLOCK = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
# Where a book keeps what it shows of the repository.
SHOWN = "repository"


def repository():
    found = re.search(r'^repository = "(.+?)/?"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found and found[1]


def rewritten(text, page):
    """The text of a page with its links out of docs/ replaced."""
    url = repository()

    def link(found):
        picture, name, target = found.groups()
        path, hash_, anchor = target.partition("#")
        place = normpath((page.parent / path).as_posix()).removeprefix("../")
        if re.match(r"[a-z]+:", target) or not normpath((page.parent / path).as_posix()).startswith("../"):
            # mdBook writes a folder's README as its index.
            return found[0].replace("README.md", "index.md")
        if not (ROOT / place).exists():
            sys.exit(f"docs/{page}: {target} is not there")
        if picture:
            return f"![{name}]({'../' * (len(page.parts) - 1)}{SHOWN}/{place})"
        return f"[{name}]({url}/blob/HEAD/{place}{hash_}{anchor})" if url else name

    parts = BLOCK.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(link, part) for part in parts)


def preprocess():
    _, book = json.load(sys.stdin)

    def walk(items):
        for item in items:
            chapter = item.get("Chapter") if isinstance(item, dict) else None
            if chapter and chapter["source_path"]:
                chapter["content"] = rewritten(chapter["content"], Path(chapter["source_path"]))
            if chapter:
                walk(chapter["sub_items"])

    walk(book["items"])
    json.dump(book, sys.stdout)


class Page(HTMLParser):
    """What a page links to, and what in it can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.names = [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("id", "name"):
                self.names.add(value)
            elif (tag, name) in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
                self.links.append(value or "")


def finish(folder):
    """Brings the pictures into a book that lie outside docs/, and looks at all links."""
    pages = {path.resolve(): Page(path) for path in Path(folder).rglob("*.html")}
    seen, broken = 0, []
    for path, page in pages.items():
        for link in page.links:
            target, _, anchor = unquote(link).partition("#")
            if re.match(r"[a-z]+:", link) or path.name in ("print.html", "404.html", "toc.html"):
                continue
            place = (path.parent / target).resolve() if target else path
            place = place / "index.html" if place.is_dir() else place
            seen += 1
            if SHOWN in place.parts and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                copy2(ROOT / str(place).split(f"/{SHOWN}/", 1)[1], place)
            if not place.exists() or (anchor and place in pages and anchor not in pages[place].names):
                broken.append(f"{path.relative_to(Path(folder).resolve())}: {link}")
    print(f"{len(pages)} pages, {seen} links", *(f"broken: {line}" for line in broken), sep="\n")
    sys.exit(1 if broken or seen < 100 else 0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["supports", renderer]:
            sys.exit(0 if renderer == "html" else 1)
        case ["finish", folder]:
            finish(folder)
        case []:
            preprocess()
        case _:
            sys.exit(__doc__)
