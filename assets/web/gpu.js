// Opening the browser's GPU, or saying what to do without.

// Why there is no GPU, in words for the visitor.
export class NoGpu extends Error {}

const BROWSERS =
    "Current versions of Chrome, Edge and Safari have it, and Firefox on Windows and Macs; on Linux, Chrome and Chromium may want it " +
    "switched on at chrome://flags/#enable-unsafe-webgpu.";

// The device, what it is in words, and which kernels suit it.
export async function open() {
    if (!navigator.gpu) {
        throw new NoGpu(
            window.isSecureContext
                ? `This browser has no WebGPU, by which this page computes. ${BROWSERS}`
                : "Browsers offer WebGPU only to pages from https:// or from this machine (http://localhost). Open this page by " +
                  "such an address.",
        );
    }
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (!adapter) {
        throw new NoGpu(
            "This browser knows WebGPU but finds no GPU it will use. Update the graphics driver, allow hardware acceleration in the " +
                "browser's settings, or try another browser.",
        );
    }
    const device = await adapter.requestDevice();
    const info = adapter.info ?? {};
    const name = [info.vendor, info.architecture, info.device, info.description].filter(Boolean).join(" ") || "unnamed GPU";
    const software =
        Boolean(info.isFallbackAdapter ?? adapter.isFallbackAdapter) || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);
    // ?kernels=hardware or ?kernels=software in the page's address overrules what the name says.
    const wanted = new URLSearchParams(location.search).get("kernels");
    const kernels = ["hardware", "software"].includes(wanted) ? wanted : software ? "software" : "hardware";
    return { device, name, kernels };
}
