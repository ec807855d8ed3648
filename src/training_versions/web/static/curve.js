// Draws the curve of a metric with uPlot, in the colours of the page. The keys ← → Home End move
// the cursor along the points, and the readout shows its point.

const plots = new Map();

const resized = new ResizeObserver((entries) => entries.forEach(({ target }) => resize(plots.get(target))));
const loadAll = () => document.querySelectorAll("[data-curve]").forEach(load);

loadAll();
// After the user chose another metric, htmx has replaced this part of the page.
document.addEventListener("htmx:after:swap", loadAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(draw));

async function load(box) {
  const known = plots.get(box);
  if (known?.address === box.dataset.curve && box.querySelector(".uplot")) return;
  try {
    const address = box.dataset.curve;
    const reply = await fetch(address);
    if (!reply.ok) return;
    const { name, steps, values } = await reply.json();
    // Until the curve is drawn, and if drawing fails, the table below shows the values.
    box.hidden = false;
    const readout = box.parentElement.querySelector(".curve-readout");
    readout.hidden = false;
    if (!known) {
      resized.observe(box);
      box.addEventListener("keydown", (event) => move(plots.get(box), event));
    }
    const plot = { box, address, name, readout, data: [steps, values] };
    plots.set(box, plot);
    draw(plot);
  } catch {
    // uPlot fails for some browsers, for example if their language tag is invalid. The text and
    // the table below show the values.
    box.hidden = true;
    box.parentElement.querySelector(".curve-readout").hidden = true;
  }
}

function draw(plot) {
  plot.drawn?.destroy();
  plot.box.replaceChildren();
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = { stroke: color("--muted"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
  const options = {
    width: plot.box.clientWidth,
    height: plot.box.clientHeight,
    legend: { show: false },
    cursor: { drag: { x: false, y: false } },
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 64 }],
    series: [{}, { label: plot.name, stroke: color("--accent"), width: 2, points: { show: plot.data[0].length < 40 } }],
    hooks: { setCursor: [(drawn) => read(plot, drawn.cursor.idx)] },
  };
  plot.drawn = new uPlot(options, plot.data, plot.box);
}

function resize(plot) {
  if (!plot?.drawn) return;
  const { clientWidth: width, clientHeight: height } = plot.box;
  if (width && (width !== plot.drawn.width || height !== plot.drawn.height)) plot.drawn.setSize({ width, height });
}

function read(plot, index) {
  if (index == null) return;
  plot.at = index;
  const [steps, values] = plot.data;
  plot.readout.textContent = `Step ${steps[index].toLocaleString("en")}: ${values[index]}`;
}

function move(plot, event) {
  const last = plot.data[0].length - 1;
  const at = plot.at ?? -1;
  const next = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const [steps, values] = plot.data;
  plot.drawn.setCursor({
    left: plot.drawn.valToPos(steps[next], "x"),
    top: plot.drawn.valToPos(values[next], "y"),
  });
  read(plot, next);
}
