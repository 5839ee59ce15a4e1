"""A run's page and the page that compares runs, in a real Chromium: they render, nothing leaves them, and what can be moved moves."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

from conftest import mewgan, train

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def long_run(tmp_path_factory):
    """Enough logs for curves, and samples enough for a slider."""
    out = tmp_path_factory.mktemp("runs") / "long"
    return train(out, "dcgan", "--size", 16, "--steps", 60, "--sample-every", 5, "--checkpoint-every", 30)


@pytest.fixture(scope="session")
def comparison(long_run, dcgan_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("pages") / "compare.html"
    mewgan("compare", long_run, dcgan_run, "--out", out)
    return out


@pytest.fixture(scope="session")
def browser(launch):
    browser = launch("--disable-gpu")
    yield browser
    browser.close()


@pytest.fixture
def show(browser):
    """Opens a page; at the end of the test it must have had no error, and asked for nothing but its own file."""
    opened = []

    def show(path, **options):
        context = browser.new_context(**{"viewport": DESK, **options})
        page = context.new_page()
        problems = []
        page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith("data:") or problems.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("main section")
        problems.remove(path.as_uri())
        opened.append((context, problems))
        return page

    yield show
    for context, problems in opened:
        context.close()
        assert problems == []


def report(run):
    return run / "report.html"


def the_step(text):
    return int(re.search(r"step (\d+)", text)[1])


@pytest.mark.parametrize("kind", ["dcgan", "cyclegan"])
def test_the_page_of_a_run_shows_all_of_it(kind, show, request):
    run = request.getfixturevalue(f"{kind}_run")
    page = show(report(run))
    assert page.locator("h1").inner_text() == str(run)
    for name in ["Samples through training", "Curves", "Signs of trouble", "Settings", "How to continue"]:
        assert page.get_by_role("heading", name=name).is_visible(), name
    facts = page.locator(".facts").inner_text()
    assert "CPU reference" in facts and "MiB planned" in facts and "6 of 6" in facts and "steps a second" in facts
    sheets = {"dcgan": 1, "cyclegan": 2}[kind]
    assert page.locator("img.sample").count() == sheets
    assert page.locator(".moving img").count() == sheets
    for image in page.locator("img").all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert page.locator(".chart path.smooth").count() == page.locator(".legend button").count() > 5
    assert f"mewgan resume {run} --steps 12" in page.locator("#next").inner_text()


def test_the_slider_moves_the_samples(show, long_run):
    page = show(report(long_run))
    slider, image = page.get_by_role("slider", name="step of the samples"), page.locator("img.sample")
    seen = {}
    slider.press("Home")
    for _ in range(13):
        seen[the_step(image.get_attribute("alt"))] = image.get_attribute("src")
        slider.press("ArrowRight")
    assert list(seen) == list(range(0, 61, 5))
    assert len(set(seen.values())) == len(seen), "every step has its own image"
    assert "step 60" in page.locator(".bar output[for=step]").inner_text()


def test_samples_play_and_stop(show, long_run):
    page = show(report(long_run))
    image = page.locator("img.sample")
    page.get_by_role("button", name="play").click()
    for shown in [60, 0]:
        expect(image).not_to_have_attribute("alt", f"samples, step {shown}")
    page.get_by_role("button", name="stop").click()
    stopped = image.get_attribute("alt")
    page.wait_for_timeout(500)
    assert image.get_attribute("alt") == stopped


def test_a_curve_tells_step_and_value(show, long_run):
    page = show(report(long_run))
    rows = [json.loads(line) for line in (long_run / "metrics.jsonl").read_text().splitlines()]
    measured = {row["step"]: row["G"] for row in rows if "G" in row}
    chart = page.locator(".chart").first
    chart.locator(".plot svg").hover(position={"x": 500, "y": 100})
    tip = chart.locator(".tip")
    row = tip.locator("tr", has=page.get_by_text("G", exact=True)).locator("td")
    at = the_step(tip.inner_text())
    assert 0 < at < 60
    assert float(row.last.inner_text()) == pytest.approx(measured[at], rel=1e-3), "four digits are shown"

    svg = chart.locator(".plot svg")
    svg.focus()
    svg.press("End")
    assert the_step(tip.inner_text()) == 60
    svg.press("ArrowLeft")
    assert the_step(tip.inner_text()) == 59
    svg.press("Escape")
    assert tip.is_hidden()


def test_scale_smoothing_and_legend_change_the_curves(show, long_run):
    page = show(report(long_run))
    chart = page.locator(".chart").first
    paths = lambda kind: [path.get_attribute("d") for path in chart.locator(f"path.{kind}").all()]
    raw, smooth = paths("raw"), paths("smooth")
    assert raw != smooth
    page.get_by_label("smoothing").fill("0")
    assert paths("smooth") == paths("raw") == raw
    page.get_by_label("smoothing").fill("20")
    assert paths("smooth") != smooth and paths("raw") == raw

    scale = chart.get_by_role("button", name="log scale")
    scale.click()
    assert scale.get_attribute("aria-pressed") == "true" and paths("raw") != raw
    scale.click()
    assert paths("raw") == raw

    entry = chart.locator(".legend button").first
    entry.click()
    assert entry.get_attribute("aria-pressed") == "false" and len(paths("raw")) == len(raw) - 1
    entry.click()
    assert paths("raw") == raw


@pytest.mark.parametrize("viewport", [PHONE, DESK])
@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("what", ["one", "several"])
def test_nothing_is_wider_than_the_screen_and_text_stands_out(viewport, colours, what, show, long_run, comparison):
    page = show(report(long_run) if what == "one" else comparison, viewport=viewport, color_scheme=colours)
    page.locator(".plot svg").first.hover()
    assert page.locator(".tip").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    ratios = page.evaluate(CONTRASTS)
    # WCAG's least: 4.5 for text, 3 for what is drawn.
    assert min(ratios["text"]) >= 4.5 and min(ratios["lines"]) >= 3, ratios
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)") == (colours == "light")


CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const parts = style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/g).map((hex) => parseInt(hex, 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const grounds = ["--paper", "--card"];
  const text = ["--ink", "--faint", "--accent", "--warning"].flatMap((ink) => grounds.map((ground) => ratio(ink, ground)));
  const lines = [...Array(8).keys()].map((line) => ratio(`--line-${line}`, "--paper"));
  return { text, lines };
}"""


def test_it_prints_on_white_without_what_only_a_screen_has(show, long_run):
    page = show(report(long_run), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()") == "#ffffff"
    assert page.locator(".bar").first.is_hidden() and page.locator("img.sample").is_visible()
    pdf = page.pdf(format="A4")
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert pdf.startswith(b"%PDF") and 1 <= pages <= 6, pages


def test_runs_side_by_side(show, comparison, long_run, dcgan_run):
    page = show(comparison)
    rows = {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in page.locator("#differences tbody tr").all()}
    assert rows["size"] == ["16", "32"] and rows["steps"] == ["60", "6"]
    assert "batch" not in rows, "what is the same in all runs is left out"
    captions = page.locator(".sheet > figure figcaption")
    slider = page.get_by_role("slider", name="step of the samples")
    slider.press("Home")
    assert [the_step(text) for text in captions.all_inner_texts()] == [0, 0]
    slider.press("End")
    assert [the_step(text) for text in captions.all_inner_texts()] == [60, 6]
    chart = page.locator(".chart", has=page.locator(".chart-title", has_text=re.compile("^G$")))
    assert chart.locator("path.smooth").count() == 2
    legend = chart.locator(".legend button")
    assert legend.all_inner_texts() == [str(long_run), str(dcgan_run)]
    legend.first.click()
    smooth = page.locator("path.smooth").count()
    assert smooth == page.locator(".chart").count(), "a run that is hidden is hidden in every chart"


def test_what_others_named_is_text_and_no_code(show, tmp_path):
    run = train(tmp_path / "</script><img src=x onerror=alert(1)>", "dcgan", "--steps", 2)
    page = show(report(run))
    assert page.locator("h1").inner_text() == str(run)
    assert page.locator("main img").count() == page.locator("img.sample, .moving img, .strip img").count()


def test_csv_is_read_by_pythons_reader(long_run):
    rows = list(csv.DictReader(io.StringIO(mewgan("export", "csv", long_run))))
    assert [int(row["step"]) for row in rows] == list(range(1, 61))
    measured = [json.loads(line) for line in (long_run / "metrics.jsonl").read_text().splitlines()]
    for figures in measured:
        row = rows[figures.pop("step") - 1]
        for name, value in figures.items():
            assert float(row[name]) == value, name
    assert rows[0]["diversity"] == "" and rows[4]["diversity"] != ""
