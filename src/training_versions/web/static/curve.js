// Draws the curve of a metric with uPlot, in the colours of the page. The keys ← → Home End move
// along the points, and the readout says where one is.

const plots = [];

for (const box of document.querySelectorAll("[data-curve]")) load(box);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(draw));

async function load(box) {
  try {
    const reply = await fetch(box.dataset.curve);
    if (!reply.ok) return;
    const { name, steps, values } = await reply.json();
    const plot = { box, name, data: [steps, values], drawn: null };
    box.hidden = false;
    plot.readout = box.parentElement.querySelector(".curve-readout");
    plot.readout.hidden = false;
    plots.push(plot);
    draw(plot);
    new ResizeObserver(() => resize(plot)).observe(box);
    box.addEventListener("keydown", (event) => move(plot, event));
  } catch {
    // The table below has the values.
  }
}

function draw(plot) {
  plot.drawn?.destroy();
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
