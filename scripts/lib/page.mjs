// How the page feels with many nodes: from a key to its effect on the drawing, the frames it keeps, and what it costs while nothing happens.

/** In the page: milliseconds from the key until the cable's state in the drawing is another one. The cable was selected before, and all that is drawn for that. */
const keyToDrawn = async ({ key, press }) => {
  const thing = () => document.querySelector(`[data-key="${key}"]`);
  thing().focus();
  await new Promise((settled) => setTimeout(settled, 400));
  return new Promise((done) => {
    const before = thing().getAttribute("aria-label");
    const began = performance.now();
    const look = () => {
      if (thing()?.getAttribute("aria-label") !== before) done(performance.now() - began);
      else requestAnimationFrame(look);
    };
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: press, bubbles: true, cancelable: true }));
    requestAnimationFrame(look);
  });
};

/** In the page: the frame that 95 of 100 are not longer than, ms. */
const frames = (seconds) =>
  new Promise((done) => {
    const lengths = [];
    const began = performance.now();
    let last = began;
    const next = (now) => {
      lengths.push(now - last);
      last = now;
      if (now - began < seconds * 1000) requestAnimationFrame(next);
      else done(lengths.slice(1).sort((a, b) => a - b)[Math.floor(lengths.length * 0.95)]);
    };
    requestAnimationFrame(next);
  });

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** `tab`: a page of playwright that shows a lab of `nodes` nodes, formed and at rest. */
export async function manyNodes(tab, nodes) {
  const cable = `cable:pve${nodes}:net0`;
  await tab.locator(`[data-key="${cable}"]`).first().waitFor();
  await wait(5000);
  const session = await tab.context().newCDPSession(tab);
  await session.send("Performance.enable");
  const busy = async () => (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value;
  const [at, began] = [await busy(), performance.now()];
  await wait(10_000);
  const restMsPerSecond = (1000 * (await busy()) - 1000 * at) / ((performance.now() - began) / 1000);
  const frameAtRestMs = await tab.evaluate(frames, 10);
  const taken = [];
  for (let i = 0; i < 6; i++) {
    taken.push(await tab.evaluate(keyToDrawn, { key: cable, press: "x" }));
    await wait(1500);
  }
  const cut = await tab.evaluate(keyToDrawn, { key: `cable:pve${nodes - 1}:net0`, press: "x" });
  const frameAfterCutMs = await tab.evaluate(frames, 8);
  const keyMs = [...taken, cut].sort((a, b) => a - b)[Math.floor((taken.length + 1) / 2)];
  return { nodes, keyMs, frameAtRestMs, frameAfterCutMs, restMsPerSecond };
}
