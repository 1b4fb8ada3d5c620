// Draws the figure and gives it a cursor: arrow keys step through the counts and say them in a live region.
// The specification and the points stand in data blocks of the page; nothing is fetched, nothing is evaluated.
(function () {
  "use strict";
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  still();
  document.addEventListener("leuko:figures", still); // a part of the page was put in after it had loaded
  const plot = document.getElementById("plot");
  if (plot === null) return folds();
  const readout = document.getElementById("readout");
  const spec = read("figure-spec");
  const panels = read("figure-points");
  let view = null;
  let width = 0;
  let panel = 0;
  let index = -1;

  function draw() {
    const wanted = fitting(plot);
    if (view !== null && wanted === width) return;
    width = wanted;
    drawn(spec, width, plot, (next) => {
      if (view !== null) view.finalize();
      view = next;
      view.addEventListener("mouseover", (_, item) => point(item));
      view.addEventListener("click", (_, item) => point(item));
      mark();
    });
  }

  // The widest plotting area that fits into an element.
  function fitting(element) {
    return Math.max(160, element.clientWidth - 132); // the axis at the left and the names at the right [px]
  }

  // Draws a specification into an element, and says so when it stands.
  function drawn(figure, wide, element, then) {
    const sized = { ...figure, vconcat: figure.vconcat.map((each) => ({ ...each, width: wide })) };
    const runtime = vega.parse(vegaLite.compile(sized).spec, null, { ast: true });
    const next = new vega.View(runtime, { expr: vegaInterpreter.expressionInterpreter, renderer: "svg" });
    const holder = document.createElement("div");
    holder.setAttribute("aria-hidden", "true");
    next.initialize(holder).runAsync().then(() => {
      element.replaceChildren(holder);
      then(next);
      element.dataset.drawn = "true";
    });
  }

  // Figures without a cursor: the forecasts. Their table holds every number.
  function still() {
    document.querySelectorAll("[data-figure]:not([data-bound])").forEach((element) => {
      element.dataset.bound = "true";
      if ("paper" in element.dataset) return onPaper(element);
      const figure = read(element.dataset.figure);
      let wide = 0;
      const again = () => {
        if (fitting(element) === wide) return;
        wide = fitting(element);
        drawn(figure, wide, element, (view) => view.finalize()); // it stands, and listens to nothing
      };
      again();
      let waiting = 0;
      new ResizeObserver(() => {
        clearTimeout(waiting);
        waiting = setTimeout(again, 120);
      }).observe(element);
    });
  }

  // On a page of paper a figure is narrow, so that its letters can be read; of the counts there is room for the first
  // analyte and the treatment.
  function onPaper(element) {
    const figure = read(element.dataset.figure);
    const analytes = "first" in element.dataset ? read("figure-points").length : 1;
    const vconcat = figure.vconcat.filter((_, i) => i === 0 || i >= analytes);
    drawn({ ...figure, vconcat }, Number(element.dataset.paper), element, (view) => view.finalize());
  }

  function point(item) {
    const id = item && item.datum && item.datum.id;
    if (!id) return;
    panels.forEach((each, p) => {
      const i = each.points.findIndex((one) => one.id === id);
      if (i >= 0) go(p, i);
    });
  }

  function go(p, i) {
    panel = Math.min(Math.max(p, 0), panels.length - 1);
    index = Math.min(Math.max(i, 0), panels[panel].points.length - 1);
    mark();
    readout.textContent = panels[panel].points[index].text;
  }

  function mark() {
    if (view !== null && index >= 0) view.signal("cursor", panels[panel].points[index].id).runAsync();
  }

  // The count of another panel that lies nearest in time.
  function across(step) {
    const p = Math.min(Math.max(panel + step, 0), panels.length - 1);
    if (index < 0) return go(p, 0);
    const at = panels[panel].points[index].at;
    let best = 0;
    panels[p].points.forEach((one, i) => {
      if (Math.abs(one.at - at) < Math.abs(panels[p].points[best].at - at)) best = i;
    });
    go(p, best);
  }

  const keys = {
    ArrowRight: () => go(panel, index + 1),
    ArrowLeft: () => go(panel, index - 1),
    ArrowDown: () => across(1),
    ArrowUp: () => across(-1),
    Home: () => go(panel, 0),
    End: () => go(panel, Infinity),
  };

  if (panels.length > 0) {
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-roledescription", "chart");
    plot.addEventListener("keydown", (event) => {
      const act = keys[event.key];
      if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      act();
    });
    readout.textContent = "Point at a count, or step through them with the arrow keys.";
    draw();
    let waiting = 0;
    new ResizeObserver(() => {
      clearTimeout(waiting);
      waiting = setTimeout(draw, 120);
    }).observe(plot);
  }

  folds();

  // Browsers without ::details-content print a closed details closed.
  function folds() {
    const opened = [];
    addEventListener("beforeprint", () => {
      document.querySelectorAll("details:not([open])").forEach((each) => {
        each.open = true;
        opened.push(each);
      });
    });
    addEventListener("afterprint", () => opened.splice(0).forEach((each) => (each.open = false)));
  }
})();
