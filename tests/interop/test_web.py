"""Promise: the site that `mewgan export web` writes computes in a browser what the reference computes here, and its page does what
its controls say. Chromium, with its software WebGPU."""

import functools
import http.server
import json
import shutil
import struct
import subprocess
import threading

import numpy as np
import pytest
from conftest import PROGRAM, mewgan
from PIL import Image
from safetensors.numpy import load_file

WEBGPU = ["--enable-unsafe-webgpu", "--enable-features=Vulkan,WebGPU", "--use-webgpu-adapter=swiftshader"]

# Of images from -1 to 1, losses and weights: what differs is the order of sums, in single precision.
ENOUGH = 1e-4
# A software driver compiles for long where others use the machine too.
PATIENCE = 240_000

# Every setting that brings kernels of its own, as far as the other runs here have them not.
EVERYTHING = ["--size", 64, "--excite", "--blocks", 1, "--upsample", "bilinear", "--d-norm", "spectral", "--loss", "hinge"]
EVERYTHING += ["--r1", 1, "--r1-every", 2, "--diffaugment", "color,translation,cutout", "--channels", 1, "--augment", "deluxe"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def serve():
    """Serves a folder and returns its address."""
    servers = []

    def start(folder):
        handler = functools.partial(Quiet, directory=folder)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="module")
def webgpu(launch):
    browser = launch(*WEBGPU)
    yield browser
    browser.close()


@pytest.fixture
def visit(webgpu, serve):
    """Opens a site's page and waits until it is ready. Nothing may fail in it, and nothing be fetched from elsewhere."""
    visits = []

    def open_page(site, query=""):
        address = serve(site)
        page = webgpu.new_page(viewport={"width": 1100, "height": 900})
        page.set_default_timeout(PATIENCE)
        problems = []
        page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith((address, "data:")) else problems.append(request.url))
        page.goto(address + query)
        page.wait_for_selector("html[data-ready], #message.error")
        assert page.query_selector("#message.error") is None, page.text_content("#message")
        visits.append((page, problems))
        return page

    yield open_page
    for page, problems in visits:
        page.close()
        assert problems == []


def export(run, folder, *flags):
    mewgan("export", "web", run, "--out", folder, *flags)
    return folder


@pytest.fixture(scope="module")
def dcgan_site(dcgan_run, tmp_path_factory):
    return export(dcgan_run, tmp_path_factory.mktemp("sites") / "dcgan")


@pytest.fixture(scope="module")
def cyclegan_site(cyclegan_run, tmp_path_factory):
    return export(cyclegan_run, tmp_path_factory.mktemp("sites") / "cyclegan")


@pytest.fixture(scope="module")
def other_sites(tmp_path_factory):
    """Sites of runs that differ from the default ones in their kernels."""
    folder = tmp_path_factory.mktemp("others")
    animals = ["--data", "builtin:noto/animals", "--batch", 4, "--g-width", 8, "--d-width", 8]
    both = ["--x", "builtin:noto/animals", "--y", "builtin:twemoji/animals", "--batch", 1, "--g-width", 8, "--d-width", 8]
    runs = {
        "seed": ["dcgan", "--preset", "seed", "--size", 32, *animals],
        "course": ["dcgan", "--preset", "course", "--size", 32, *animals],
        "everything": ["dcgan", *EVERYTHING, *animals],
        "paper": ["cyclegan", "--preset", "paper", "--size", 32, *both],
    }
    sites = {}
    for name, flags in runs.items():
        mewgan("train", *flags, "--steps", 2, "--device", "cpu", "--out", folder / f"run-{name}")
        sites[name] = export(folder / f"run-{name}", folder / name)
    return sites


def differences(page):
    """What the page says of each comparison with the reference, by check and what was compared."""
    rows = page.eval_on_selector_all(
        "#differences tr", "rows => rows.map(row => [...[...row.cells].slice(0, 2).map(cell => cell.textContent), row.dataset.difference])"
    )
    return {(check, what): float(difference) for check, what, difference in rows}


def pixels(page, selector):
    """What a canvas shows, as [height, width, 3] bytes."""
    # By a copy: the page's own canvas is for showing.
    data = page.eval_on_selector(
        selector,
        """canvas => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            return [canvas.width, canvas.height, [...copy.getImageData(0, 0, canvas.width, canvas.height).data]];
        }""",
    )
    width, height, rgba = data
    return np.array(rgba, dtype=np.uint8).reshape(height, width, 4)[..., :3]


LARGE = ".steer > canvas"


def slide(page, selector, value):
    page.eval_on_selector(
        selector, "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
    )


def until(page, selector, shows, words):
    """Waits until a canvas shows what it should; draws that were asked for before may come meanwhile."""
    for _ in range(600):
        now = pixels(page, selector)
        if shows(now):
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"not within a minute: {words}")


def until_changed(page, selector, before):
    """Waits until a canvas shows something else."""
    differs = lambda now: now.shape != before.shape or (now != before).any()
    return until(page, selector, differs, f"{selector} shows something else")


def click(page, button, selector):
    """Clicks and waits until a canvas shows something else."""
    before = pixels(page, selector)
    page.click(button)
    return until_changed(page, selector, before)


def test_generator_equals_reference(visit, dcgan_site, cyclegan_site):
    found = differences(visit(dcgan_site))
    assert set(found) == {("sixteen images", "images"), ("one image", "images")}
    assert max(found.values()) < ENOUGH, found
    found = differences(visit(cyclegan_site))
    assert set(found) == {("translation to Y", "translation"), ("translation to X", "translation")}
    assert max(found.values()) < ENOUGH, found


def test_expected_images_are_those_the_program_draws(dcgan_run, dcgan_site, tmp_path):
    """What the page is compared with is what `mewgan sample` draws."""
    mewgan("sample", dcgan_run, "--count", 16, "--out", tmp_path / "drawn", "--device", "cpu")
    drawn = np.stack([np.asarray(Image.open(path)) for path in sorted((tmp_path / "drawn").iterdir())])
    expected = load_file(dcgan_site / "check.safetensors")["sixteen images/sample_sixteen/out/images"]
    levels = np.round((expected.reshape(drawn.shape).astype(np.float64) + 1) * 127.5)
    assert np.abs(levels - drawn).max() <= 1


def test_training_step_equals_reference(visit, dcgan_site):
    page = visit(dcgan_site)
    page.click("#train")
    page.wait_for_function("Number(document.querySelector('#training').dataset.step) > 8")
    found = {what: difference for (check, what), difference in differences(page).items() if check == "a training step"}
    assert {"D", "G", "the generator's weights", "the discriminator's weights", "averaged weights"} <= set(found)
    assert max(found.values()) < ENOUGH, found

    # The step moves weights by more than that, so that a step not made would be noticed.
    manifest = json.loads((dcgan_site / "model.json").read_text())
    [check] = [check for check in manifest["checks"] if check["name"] == "a training step"]
    expected = load_file(dcgan_site / "check.safetensors")
    before = {}
    for part in manifest["parts"]:
        before |= load_file(dcgan_site / "state" / f"{part['name']}.safetensors")
    for compared in check["buffers"]:
        if compared["what"] != "averaged weights":
            after = expected[f"a training step/buffer/{compared['buffer']}"]
            moved = np.abs(after - before[f"buffer.{compared['buffer']}"][:: compared["stride"]]).max()
            assert moved > 2 * ENOUGH, compared


@pytest.mark.parametrize("name", ["seed", "course", "everything", "paper"])
def test_other_recipes_equal_reference(visit, other_sites, name):
    page = visit(other_sites[name])
    if name != "paper":
        page.click("#train")
        page.wait_for_function("Number(document.querySelector('#training').dataset.step) > 2")
    found = differences(page)
    checks = {check for check, _ in found}
    assert ("a training step" in checks) == (name != "paper"), found
    assert ("a training step with R1" in checks) == (name == "everything"), found
    assert max(found.values()) < ENOUGH, found


def test_kernels_meant_for_gpus_equal_reference(visit, other_sites):
    """The page's address may choose them; a software driver takes its time over the smallest networks."""
    page = visit(other_sites["seed"], "?kernels=hardware")
    found = differences(page)
    assert len(found) == 2 and max(found.values()) < ENOUGH, found


def test_kernels_meant_for_gpus_are_standard_wgsl(webgpu, serve, dcgan_site, cyclegan_site, other_sites):
    """Chromium's compiler, stricter than ours, takes every kernel. They are compiled as far as it goes; a software driver would need more
    memory than machines have to finish the largest."""
    for site in [dcgan_site, cyclegan_site, *other_sites.values()]:
        page = webgpu.new_page()
        page.goto(serve(site) + "style.css")
        names = [step for part in json.loads((site / "model.json").read_text())["parts"] for step in part["steps"]]
        count, problems = page.evaluate(
            """async (names) => {
                const device = await (await navigator.gpu.requestAdapter()).requestDevice();
                const sources = new Map();
                for (const name of names) {
                    const program = await (await fetch(`programs/hardware/${name}.json`)).json();
                    for (const { kernel, source } of program.shaders) sources.set(source, kernel);
                }
                const problems = [];
                for (const [code, kernel] of sources) {
                    device.pushErrorScope("validation");
                    const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
                    problems.push(...messages.map(({ lineNum, message }) => `${kernel}:${lineNum}: ${message}`));
                    const error = await device.popErrorScope();
                    if (error) problems.push(`${kernel}: ${error.message}`);
                }
                return [sources.size, problems];
            }""",
            names,
        )
        page.close()
        assert problems == []
        assert count > 5


def test_wrong_numbers_are_noticed(visit, dcgan_site, tmp_path):
    site = shutil.copytree(dcgan_site, tmp_path / "site")
    state = site / "state" / "sampling.safetensors"
    content = bytearray(state.read_bytes())
    # Some of the generator's weights, which begin behind the header.
    start = 8 + struct.unpack("<Q", content[:8])[0]
    content[start : start + 4000] = np.zeros(1000, dtype="<f4").tobytes()
    state.write_bytes(content)
    page = visit(site)
    assert page.text_content("#verdict").startswith("No: ")
    assert max(differences(page).values()) > ENOUGH


def test_dcgan_page(visit, dcgan_site):
    page = visit(dcgan_site)
    first = pixels(page, LARGE)
    assert first.shape == (32, 32, 3)
    assert first.std() > 1

    slide(page, "input.direction", 4)
    until_changed(page, LARGE, first)
    page.click("#centre")
    until(page, LARGE, lambda now: (now == first).all(), "the sliders' middle is where they were")
    slide(page, "#way", 1)
    until_changed(page, LARGE, first)
    slide(page, "#way", 0)
    until(page, LARGE, lambda now: (now == first).all(), "the way's beginning is where it was")
    page.focus("input.direction")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    until_changed(page, LARGE, first)

    grid = ".sixteen button:nth-child(5) canvas"
    fifth = pixels(page, grid)
    page.click(".sixteen button:nth-child(5)")
    # The same noise among the same others; statistics are summed in another order.
    alike = lambda now: now.shape == fifth.shape and np.abs(now.astype(int) - fifth).max() <= 2
    until(page, LARGE, alike, "the fifth is the one to steer")
    click(page, "#others", grid)
    before = click(page, "#another", LARGE)
    page.select_option("#statistics", "one")
    until_changed(page, LARGE, before)
    page.wait_for_function("document.querySelector('#time').textContent.includes('one image')")
    click(page, "#animate", LARGE)
    page.click("#animate")
    assert "ms" in page.text_content("#time")


def test_training_changes_images_and_resets(visit, dcgan_site):
    page = visit(dcgan_site)
    first = pixels(page, LARGE)
    page.click("#train")
    page.wait_for_function("Number(document.querySelector('#training').dataset.step) > 8")
    page.click("#train")
    page.wait_for_selector("#train:not([disabled])")
    trained = until_changed(page, LARGE, first)
    step = page.get_attribute("#training", "data-step")
    assert set(json.loads(page.get_attribute("#training", "data-losses"))) == {"D", "G"}
    assert "steps a second" in page.text_content("#training")
    page.wait_for_timeout(1000)
    assert page.get_attribute("#training", "data-step") == step, "a pause is one"
    page.click("#check summary")
    page.click("#again")
    page.wait_for_function("/^Yes/.test(document.querySelector('#verdict').textContent)")
    page.click("#reset")
    assert (until_changed(page, LARGE, trained) == first).all()
    assert page.get_attribute("#training", "data-step") == "6"


def photograph(path, size):
    """A smooth image, in the corners of which are its extremes."""
    y, x = np.mgrid[0 : size[1], 0 : size[0]]
    levels = np.stack([255 * x / (size[0] - 1), 255 * y / (size[1] - 1), 127.5 + 127.5 * np.sin(x / 3 + y / 5)], axis=-1)
    Image.fromarray(np.round(levels).astype(np.uint8)).save(path)
    return path


def test_chosen_and_dropped_images_are_translated(visit, cyclegan_run, cyclegan_site, tmp_path):
    page = visit(cyclegan_site)
    image = photograph(tmp_path / "image.png", (32, 32))
    for to, given in [("y", "X"), ("x", "Y")]:
        result = f"#way-{to.upper()} figure:nth-child(2) canvas"
        before = pixels(page, result)
        page.set_input_files(f"#file-{given}", image)
        shown = until_changed(page, result, before)
        # The program's own translation of the same file.
        mewgan("translate", cyclegan_run, "--to", to, image, "--out", tmp_path / to, "--device", "cpu")
        expected = np.asarray(Image.open(tmp_path / to / "image.png"))
        assert np.abs(shown.astype(int) - expected).max() <= 1

    # A wide one is dropped: its middle is taken.
    wide = photograph(tmp_path / "wide.png", (96, 48))
    source = "#way-Y figure:nth-child(1) canvas"
    before, translated = pixels(page, source), pixels(page, "#way-Y figure:nth-child(2) canvas")
    page.evaluate(
        """async (bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "wide.png", { type: "image/png" }));
            document.querySelector("#way-Y").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        list(wide.read_bytes()),
    )
    shown = until_changed(page, source, before)
    # Columns 24 to 72 of 96 at a level of 255 x / 95.
    assert abs(int(shown[16, 0, 0]) - 64) < 6 and abs(int(shown[16, 31, 0]) - 191) < 6
    until_changed(page, "#way-Y figure:nth-child(2) canvas", translated)

    (tmp_path / "text.png").write_text("no image")
    page.set_input_files("#file-X", tmp_path / "text.png")
    page.wait_for_selector("#way-Y .error:not([hidden])")
    assert "text.png is no image" in page.text_content("#way-Y .error")
    click(page, "#way-Y .examples button:nth-child(2)", source)
    assert not page.is_visible("#way-Y .error")


def test_without_images(visit, dcgan_run, cyclegan_run, tmp_path):
    page = visit(export(dcgan_run, tmp_path / "dcgan", "--images", 0, "--title", "Animals & <b>more</b>"))
    assert page.query_selector("#train") is None
    assert page.title() == page.text_content("h1") == "Animals & <b>more</b>"
    page = visit(export(cyclegan_run, tmp_path / "cyclegan", "--images", 0))
    assert page.query_selector(".examples button") is None
    before = pixels(page, "#way-Y figure:nth-child(2) canvas")
    page.set_input_files("#file-X", photograph(tmp_path / "image.png", (40, 40)))
    until_changed(page, "#way-Y figure:nth-child(2) canvas", before)


@pytest.mark.parametrize(
    "script, said",
    [
        ("delete Navigator.prototype.gpu", "This browser has no WebGPU"),
        ("GPU.prototype.requestAdapter = async () => null", "finds no GPU"),
        (
            "const request = GPUAdapter.prototype.requestDevice;"
            "GPUAdapter.prototype.requestDevice = async function () { return (window.opened = await request.call(this)); }",
            "The GPU is gone",
        ),
    ],
)
def test_visitors_without_webgpu_are_told(webgpu, serve, dcgan_site, script, said):
    page = webgpu.new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(script)
    page.goto(serve(dcgan_site))
    if "opened" in script:
        page.wait_for_selector("html[data-ready]")
        page.evaluate("window.opened.destroy()")
    page.wait_for_selector("#message.error")
    assert said in page.text_content("#message")
    assert page.is_visible("#message")
    page.close()


def test_a_page_opened_from_a_file_says_how_to_serve_it(webgpu, dcgan_site):
    page = webgpu.new_page()
    page.goto((dcgan_site / "index.html").as_uri())
    assert "python3 -m http.server" in page.text_content("#message.error")
    page.close()


def test_a_damaged_site_says_what_is_missing(webgpu, serve, dcgan_site, tmp_path):
    site = shutil.copytree(dcgan_site, tmp_path / "site")
    (site / "state" / "sampling.safetensors").unlink()
    page = webgpu.new_page()
    page.goto(serve(site))
    page.wait_for_selector("#message.error")
    assert "state/sampling.safetensors cannot be loaded: 404" in page.text_content("#message")
    page.close()


def test_refusals(dcgan_run, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    done = subprocess.run(
        [PROGRAM, "export", "web", dcgan_run, "--out", tmp_path / "there"], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "not empty; choose another --out" in done.stderr
